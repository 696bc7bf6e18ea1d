"""Arguments of the client, lines of batch files, and command lines: an answer, or one message."""

import json

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from components.errors import UserError
from components.export.signatures import Predictions
from pipeline.cli.main import main
from pipeline.client.batch import recommend_lines
from pipeline.client.recommender import Query, Recommender
from pipeline.config.config import fields
from tests.fuzz.budget import budget

K = 5
IDS = st.text(st.characters(exclude_categories=[]), max_size=6)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | IDS | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(IDS, inner, max_size=2) | st.sets(IDS, max_size=2),
    max_leaves=5,
)


class Transport:
    """Answers like a model with ten items; checks what reaches it."""

    def predict(self, requests, version=None, candidates=None):
        for user, recent, exclude, among in zip(*requests, candidates, strict=True):
            for text in (user, *recent, *exclude, *among):
                assert isinstance(text, str)
                text.encode()
                assert text == text.strip()
        users = len(requests.user_id)
        return Predictions([[f"i{n}" for n in range(K)]] * users, [[0.5] * K] * users), ""

    def notes(self, user, history):
        return []

    def close(self):
        pass


def check(action):
    """Acts; a refusal is one printable message."""
    try:
        return action()
    except UserError as error:
        message = str(error)
    assert message.replace("\t", "").isprintable()
    return None


@budget
@given(ANYTHING, ANYTHING | st.lists(IDS), ANYTHING | st.lists(IDS), ANYTHING | st.integers(-1, 7))
def test_any_arguments_of_the_client_are_answered_or_refused(user, recent, exclude, k):
    answer = check(lambda: Recommender(Transport()).recommend_many([Query(user, recent, exclude)], k))
    if answer is not None:
        assert isinstance(user, str)
        assert len(answer[0].item_ids) <= k


LINES = st.one_of(
    st.builds(
        lambda user, recent, more: json.dumps({"user": user, "recent": recent, **more}),
        IDS,
        st.lists(IDS, max_size=3),
        st.dictionaries(st.sampled_from(["exclude", "k", "recent", "user"]), st.lists(IDS, max_size=2), max_size=1),
    ),
    st.builds(lambda user: json.dumps({"user": user}), IDS),
    st.sampled_from(["", " ", "{}", "[]", "null", '{"user": 1}', '{"user": "a", "recent": "b"}', '{"user": NaN}']),
    st.text(max_size=20),
)


@budget
@given(st.lists(LINES, max_size=4))
def test_any_lines_of_a_batch_file_are_answered_or_refused_by_number(lines):
    answers, refusal = [], ""
    try:
        for answer in recommend_lines(Recommender(Transport()), lines, 3, "users.jsonl"):
            answers.append(answer)
    except UserError as error:
        refusal = str(error)
    assert not refusal or refusal.startswith("users.jsonl, line ")
    assert refusal or len(answers) == sum(bool(line.strip()) for line in lines)


VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["null", "true", "[]", "{}", "[1, a]", "a: b", "'", "!!python/object:x", "&a *a", "1e400", "-", ""]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)


@budget
@given(st.lists(st.tuples(st.sampled_from([*fields(), "data", "model", "x", "", "seed.x"]), VALUES), max_size=3))
def test_any_settings_are_taken_or_refused(settings):
    arguments = [part for key, value in settings for part in ("--set", f"{key}={value}")]
    result = CliRunner().invoke(main, ["config", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 2)
    if result.exit_code:
        assert "Error" in result.output


@budget
@given(
    st.sampled_from(["data", "server", "model", "batch"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.sampled_from(
        ["", "http://", "grpc://", "file://", "/proc/no-such/", "gs:", "http://[", "http://h:", "*", "{SPAN}"]
    ),
)
def test_any_path_or_url_is_refused_in_one_message(option, text, prefix):
    value = prefix + text
    arguments = {
        "data": ["run", "--output", "/proc/no-such/place", "--data", value],
        "model": ["recommend", "--user", "u", "--model", f"/proc/no-such/{value}"],
        "batch": ["recommend", "--model", "/proc/no-such/model", "--batch", f"/proc/no-such/{value}"],
        "server": ["versions", "--model", "/proc/no-such/model", "--timeout", "0.05", "--server", value],
    }[option]
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert "Error" in result.output
