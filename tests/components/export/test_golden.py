"""What the golden request finds in answers that have the right form."""

import re

import pytest

from components.export.golden import Golden, golden_mismatch, golden_requests, read_golden, write_golden
from components.export.signatures import Predictions, PredictRequests

REQUESTS = PredictRequests(["u", "v"], [["h"], [""]], [["x"], [""]])
GOLDEN = Golden(REQUESTS, Predictions([["a", "b", "c"], ["d", "e", ""]], [[3.0, 2.0, 1.0], [1.0, 1.0, -3e38]]))


def answers(first=("a", "b", "c"), scores=(3.0, 2.0, 1.0), second=("d", "e", "")):
    return Predictions([list(first), list(second)], [list(scores), [1.0, 1.0, -3e38]])


def test_golden_request_accepts_rounding_differences():
    assert golden_mismatch(GOLDEN, GOLDEN.predictions) is None
    assert golden_mismatch(GOLDEN, answers(scores=(3.00001, 2.0, 1.0))) is None


def test_golden_request_accepts_swapped_items_with_equal_scores():
    assert golden_mismatch(GOLDEN, answers(second=("e", "d", ""))) is None


@pytest.mark.parametrize(
    ("answer", "actual"),
    [
        (answers(scores=(3.0, 2.0, float("nan"))), "non-finite scores"),
        (answers(first=("a", "b", "a")), "duplicate items"),
        (answers(first=("a", "b", "h")), "an item from the history"),
        (answers(first=("a", "b", "x")), "an excluded item"),
        (Predictions([["", "", ""]] * 2, GOLDEN.predictions.scores), "no items"),
        (answers(scores=(3.1, 2.0, 1.0)), r"score 3.1, expected 3 \(row 1, position 1\)"),
        (answers(first=("b", "a", "c")), r"item 'b', expected 'a' \(row 1, position 1\)"),
        (Predictions([["a", "b"], ["d", "e"]], [[3.0, 2.0], [1.0, 1.0]]), "different shape"),
    ],
)
def test_golden_mismatch_names_the_problem(answer, actual):

    assert re.search(actual, golden_mismatch(GOLDEN, answer))


def test_golden_request_is_read_back_whatever_the_ids(tmp_path):
    golden = GOLDEN._replace(requests=golden_requests(["ü", "b c"], ["é", '"', "\\"]))
    write_golden(str(tmp_path), golden)
    assert read_golden(str(tmp_path)) == golden


def test_golden_request_with_other_fields_is_malformed(tmp_path):
    write_golden(str(tmp_path), GOLDEN)
    (file,) = (tmp_path / "assets.extra").iterdir()
    file.write_text('{"requests": {}}')
    with pytest.raises(ValueError, match="malformed"):
        read_golden(str(tmp_path))
