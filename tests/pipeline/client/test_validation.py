"""Arguments of the client: refused before anything is sent."""

import numpy as np
import pytest

from components.errors import UserError
from pipeline.client.recommender import Recommender
from pipeline.client.validation import Query, check_k, check_predictions, check_query

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Query("u", "i01"), "`recent` should be a list"),
        (Query("u", ["i"], "i02"), "`exclude` should be a list"),
        (Query("u", None), "`recent` should be a list"),
        (Query("u", {"a", "b"}), "`recent` should be a list"),
        (Query("u", {"a": 1}), "`recent` should be a list"),
        (Query("u", [1]), "ids in `recent` should be text. Received: 1"),
        (Query("u", among="i01"), "`among` should be a list"),
        (Query("u", among=[]), "`among` should have at least one item id"),
        (Query("u", among=[" "]), "`among` should have at least one item id"),
        (Query(1), "ids in `user` should be text. Received: 1"),
        (Query(None), "ids in `user` should be text"),
        (Query(b"u"), "ids in `user` should be text"),
        (Query("\ud800"), "valid Unicode"),
    ],
)
def test_wrong_query_is_refused(query, said):
    with pytest.raises(UserError, match=said):
        check_query(query)


def test_ids_are_stripped_and_blank_ones_dropped_in_any_sequence():
    query = Query(" u\n", (item for item in ["a ", "", "\u00a0", "\tb"]), {" c"})
    assert check_query(query) == ("u", ["a", "b"], ["c"], None)
    assert check_query(Query("u", np.array(["a", "b"]))).recent == ["a", "b"]


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "3", None])
def test_wrong_number_of_recommendations_is_refused(k):
    with pytest.raises(UserError, match="`k` should be a whole number"):
        check_k(k)
    assert check_k(np.int64(3)) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"url": None}, "`url`"),
        ({"url": "http://h:x"}, "is no URL"),
        ({"url": "http://[::1"}, "is no URL"),
        ({"url": "ftp://h"}, "Unknown server URL"),
        ({"timeout": 0}, "`timeout`"),
        ({"timeout": float("nan")}, "`timeout`"),
        ({"timeout": "3"}, "`timeout`"),
        ({"token": "a\nb"}, "`token` should be text in one line"),
        ({"token": ""}, "`token`"),
        ({"label": 5}, "`label`"),
    ],
)
def test_wrong_connection_is_refused_without_showing_secrets(arguments, said):
    with pytest.raises(UserError, match=said) as error:
        Recommender.connect(**{"url": URL, **arguments})
    assert "a\nb" not in str(error.value)


def test_token_of_a_file_may_end_with_a_line_break():
    Recommender.connect(URL, token="secret\n").close()


@pytest.mark.parametrize(
    ("items", "scores"),
    [
        (None, None),
        ([], []),
        ([["a"]], [[0.5, 0.25]]),
        ([["a"]], [0.5]),
        ([[1]], [[0.5]]),
        ([["a"]], [["0.5"]]),
        ([["a"]], [[float("nan")]]),
        ([["a"]], [[10**400]]),
        ([["a"]], [[True]]),
        ({"0": ["a"]}, [[0.5]]),
    ],
)
def test_wrong_predictions_are_refused(items, scores):
    with pytest.raises(UserError, match="answered something else"):
        check_predictions(items, scores, 1, URL)
