"""The cause of a failing node, whatever wraps it."""

import pytest

from components.errors import UserError
from pipeline.console.root_cause import root_cause


def raised(error, cause=None):
    try:
        raise error from cause
    except Exception as caught:
        return caught


def test_user_error_is_its_own_root_cause():
    assert root_cause(UserError("row 3 is bad")) == ("row 3 is bad", True)


def test_wrapped_user_error_is_found():
    wrapped = raised(RuntimeError("node failed"), raised(ValueError("x"), UserError("row 3 is bad")))
    assert root_cause(wrapped) == ("row 3 is bad", True)


def test_user_error_in_the_text_of_beam_is_found():
    text = "Traceback ...\ncomponents.errors.UserError: row 3\nis bad [while running 'A/B']"
    inner = RuntimeError(f"components.errors.UserError: row 3\nis bad [while running 'A/B']\n\n{text}\n")
    assert root_cause(raised(RuntimeError(str(inner)), inner)) == ("row 3\nis bad", True)


def test_user_error_from_beam_loses_the_step_name():
    assert root_cause(UserError("row 3 is bad [while running 'InputData/Read']")).text == "row 3 is bad"


def test_other_error_is_one_line_with_its_type():
    failure = root_cause(raised(RuntimeError("outer"), KeyError("column")))
    assert failure == ("KeyError: 'column'", False)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("two\nlines")])
def test_root_cause_is_one_line(error):
    assert "\n" not in root_cause(error).text
    assert root_cause(error).text.startswith(type(error).__name__)


def test_circular_causes_terminate():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert not root_cause(first).is_user_error
