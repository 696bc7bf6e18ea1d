"""Interactions left out by time or user, and splits by time, through ExampleGen's Beam pipeline."""

import json

import apache_beam as beam
import pytest
import tensorflow as tf

from components.errors import UserError
from components.example_gen.beam_pipeline import write_examples
from components.example_gen.inputs.id_lists import excluded_users
from components.example_gen.raw_examples import read_split
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.features import SPLITS

# A day of January 2024 per interaction.
LOG = {
    "ann": {1: "a", 2: "b", 8: "c", 10: "d"},
    "bob": {1: "a", 3: "b", 10: "new"},
    "eve": {9: "a", 10: "b"},
    "zoe": {4: "b", 6: "c"},
}


def write_log(folder):
    rows = [f"{user},{item},2024-01-{day:02}\n" for user, items in LOG.items() for day, item in items.items()]
    (folder / "log.csv").write_text("user_id,item_id,timestamp\n" + "".join(rows))


def examples(folder, data=None, histories=None, split=None):
    """History and held-out items by split and user, and the counts."""
    write_log(folder)
    data, split = DataSettings(**data or {}), SplitSettings(**split or {"strategy": "leave_last"})
    dirs = {name: str(folder / name) for name in SPLITS if split.has(name)}
    with beam.Pipeline(argv=["--runner=FnApiRunner", "--direct_running_mode=in_memory"]) as pipeline:
        write_examples(
            pipeline,
            [str(folder / "log.csv")],
            data,
            HistorySettings(**histories or {}),
            split,
            dirs,
            str(folder),
            str(folder),
        )
    found = {}
    for name, uri in dirs.items():
        for text in read_split(uri).as_numpy_iterator():
            feature = tf.train.Example.FromString(text).features.feature
            user, history, held_out = (
                [value.decode() for value in feature[key].bytes_list.value]
                for key in ("user_id", "item_ids", "holdout")
            )
            found.setdefault(name, {})[user[0]] = ("".join(history), held_out)
    return found, json.loads((folder / "counts.json").read_text())


def users(found):
    return {user: "".join([history, *held_out]) for user, (history, held_out) in found["test"].items()}


def test_split_by_time_holds_out_all_later_interactions_and_new_users_have_no_history(tmp_path):
    split = {"strategy": "time", "valid_from": "2024-01-08", "test_from": "2024-01-10"}
    found, counts = examples(tmp_path, split=split)
    assert found == {
        "train": {"ann": ("ab", []), "bob": ("ab", []), "zoe": ("bc", [])},
        "valid": {"ann": ("ab", ["c"]), "eve": ("", ["a"])},
        "test": {"ann": ("abc", ["d"]), "bob": ("ab", ["new"]), "eve": ("a", ["b"])},
    }
    assert counts["split_users"] == {"train": 3, "valid": 2, "test": 3}
    assert (counts["new_users"], counts["new_items"]) == (1, 2)


@pytest.mark.parametrize(
    ("data", "expected", "outside"),
    [
        ({"since": "2024-01-02"}, {"ann": "bcd", "bob": "bnew", "eve": "ab", "zoe": "bc"}, 2),
        ({"until": "2024-01-09"}, {"ann": "abc", "bob": "ab", "zoe": "bc"}, 4),
        ({"last": "7d"}, {"ann": "cd", "bob": "bnew", "eve": "ab", "zoe": "bc"}, 3),
    ],
)
def test_interactions_outside_of_the_time_range_are_left_out_and_counted(tmp_path, data, expected, outside):
    found, counts = examples(tmp_path, data)
    assert users(found) == expected
    assert counts["rows_outside_time"] == outside
    assert counts["rows_read"] == 11


def test_items_are_counted_within_the_time_range(tmp_path):
    # Over all times, `a` occurs thrice; in the last week, once.
    found, _ = examples(tmp_path, {"last": "7d"}, {"min_item_interactions": 2})
    assert users(found) == {"zoe": "bc"}


def test_excluded_users_leave_no_trace(tmp_path):
    (tmp_path / "asked.txt").write_text("bob\n\n  nobody \n")
    found, counts = examples(tmp_path, {"exclude_users": str(tmp_path / "asked.txt")})
    assert users(found).keys() == {"ann", "eve", "zoe"}
    assert counts["excluded_rows"] == 3
    assert b"bob" not in b"".join(
        text for name in found for text in read_split(str(tmp_path / name)).as_numpy_iterator()
    )


def test_cut_that_leaves_no_user_names_the_settings(tmp_path):
    with pytest.raises(Exception, match=r"data.since, until and last: 11"):
        examples(tmp_path, {"since": "2025-01-01"})


def test_missing_file_of_excluded_users_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"`data.exclude_users`: .*none.txt does not exist"):
        excluded_users(DataSettings(exclude_users=str(tmp_path / "none.txt")))


def test_file_of_excluded_users_may_be_written_by_excel(tmp_path):
    (tmp_path / "asked.csv").write_bytes("\ufeffbob\r\neve\r\n\ufeffzoe\u2028\x85b\r\n".encode())
    # A later ID may begin with the mark, and have separators that end no line.
    expected = {b"bob", b"eve", "\ufeffzoe\u2028\x85b".encode()}
    assert excluded_users(DataSettings(exclude_users=str(tmp_path / "asked.csv"))) == expected


def test_file_of_excluded_users_that_is_not_utf_8_is_a_user_error(tmp_path):
    (tmp_path / "asked.csv").write_bytes("bob\n".encode("utf-16"))
    with pytest.raises(UserError, match="it is not UTF-8"):
        excluded_users(DataSettings(exclude_users=str(tmp_path / "asked.csv")))


def test_split_after_the_newest_interaction_names_the_dates(tmp_path):
    with pytest.raises(Exception, match=r"set an earlier `split.test_from`"):
        examples(tmp_path, split={"strategy": "time", "valid_from": 0.5, "test_from": "2025-01-01"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"since": "soon"}, "`data.since` should be a date such as 2024-01-31"),
        ({"last": "a year"}, "`data.last` should be a duration such as 365d"),
        ({"since": "2024-02-01", "until": "2024-01-01"}, "`data.since` should be before `data.until`"),
        ({"last": "7d", "time_column": None}, "need times, that is `data.time_column`"),
    ],
)
def test_time_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        DataSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test_from": "later"}, "`split.test_from` should be a date such as 2024-01-31, or a fraction"),
        ({"test_from": 1.5}, "`split.test_from` should be a date"),
        ({"valid_from": 0.9, "test_from": 0.8}, "`split.valid_from` should not be after `split.test_from`"),
        ({"strategy": "time", "valid_from": 1, "test_from": 1}, "should not both be 1"),
    ],
)
def test_starts_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SplitSettings(**settings)
