"""What a run says before its metrics."""

import pytest

from components.baseline_validator.comparison import Comparison, HeldOutItems
from pipeline.config.config import Config
from pipeline.results.warnings import warnings

COUNTS = {"rows_read": 1000, "null_words": {}, "ties": 0}


REACHABLE = HeldOutItems(10, 0, 0)


def compared(held_out=REACHABLE, warning=None):
    return Comparison(True, "", "popularity", 10, {}, {}, {}, held_out, warning)


def test_good_data_has_no_warnings():
    assert warnings(Config(), COUNTS, compared()) == []


@pytest.mark.parametrize(
    ("counts", "comparison", "said"),
    [
        ({"users": 9, "new_users": 3}, compared(), "3 of 9 users have no interaction in the train split"),
        ({"ties": 1200}, compared(), "1,200 interactions have the time of the user's previous or next one"),
        ({}, compared(HeldOutItems(10, 2, 1)), "3 of 10 held-out items count as misses for every model"),
        ({}, compared(warning="only 5 users"), "only 5 users"),
        ({"last_time": "1970-08-22T19:21:53+00:00"}, compared(), "the newest time is 1970-08-22T19:21:53"),
        ({"null_words": {"item_id=\\N": 1}}, compared(), "makes them one item"),
        ({"null_words": {"user_id=NULL": 50}}, compared(), "`user_id` is 'NULL' in 50 of 1,000 rows"),
    ],
)
def test_weakness_of_the_results_is_said(counts, comparison, said):
    (warning,) = warnings(Config(), {**COUNTS, **counts}, comparison)
    assert said in warning


def test_rare_null_word_is_no_warning():
    assert warnings(Config(), {**COUNTS, "rows_read": 10_000, "null_words": {"user_id=NULL": 9}}, compared()) == []


def test_hint_for_null_words_is_what_leaves_them_out():
    (warning,) = warnings(Config(), {**COUNTS, "null_words": {"user_id=NULL": 50}}, compared())
    assert warning.endswith("--set 'data.null_values=[NULL]' --set data.max_bad_row_fraction=0.053")
