"""The driver of InteractionExampleGen: which files a run reads, and when cached Examples are stale."""

import os

import pytest
from tfx.components.example_gen import utils

from components.errors import UserError
from components.example_gen.component import InteractionExampleGen
from components.example_gen.driver import Driver, files_to_read, input_path
from components.example_gen.settings import DataSettings


def resolve(path, **data):
    properties = InteractionExampleGen(str(path), DataSettings(**data)).exec_properties
    return Driver(None).resolve_exec_properties(properties, None, None)


def test_file_of_equal_size_and_time_is_not_taken_for_the_old_one(tmp_path):
    file = tmp_path / "log.csv"
    fingerprints = []
    for content in ("u1,i1,1", "u2,i2,2"):
        file.write_text(content)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        fingerprints.append(resolve(file)[utils.FINGERPRINT_PROPERTY_NAME])
    assert fingerprints[0] != fingerprints[1]
    file.write_text("u1,i1,1")
    assert resolve(file)[utils.FINGERPRINT_PROPERTY_NAME] == fingerprints[0]


def test_changed_file_of_excluded_users_makes_cached_examples_stale(tmp_path):
    (tmp_path / "log.csv").write_text("u1,i1,1")
    excluded = tmp_path / "excluded.txt"
    fingerprints = []
    for content in ("u1", "u2"):
        excluded.write_text(content)
        properties = resolve(tmp_path / "log.csv", exclude_users=str(excluded))
        fingerprints.append(properties[utils.FINGERPRINT_PROPERTY_NAME])
    assert fingerprints[0] != fingerprints[1]


def test_latest_span_is_resolved_before_its_files_are(tmp_path):
    for span in (1, 2):
        (tmp_path / f"span-{span}").mkdir()
        (tmp_path / f"span-{span}" / "log.csv").write_text(f"span {span}")
    properties = resolve(tmp_path / "span-{SPAN}" / "*.csv")
    assert input_path(properties) == str(tmp_path / "span-2" / "*.csv")
    assert properties[utils.SPAN_PROPERTY_NAME] == 2
    (tmp_path / "span-1" / "log.csv").write_text("changed")
    again = resolve(tmp_path / "span-{SPAN}" / "*.csv")
    assert again[utils.FINGERPRINT_PROPERTY_NAME] == properties[utils.FINGERPRINT_PROPERTY_NAME]


@pytest.mark.parametrize("name", ["log[1].csv", "log*.csv", "folder", "a{b}.csv"])
def test_literal_path_and_directory_reach_the_reader_as_they_are(tmp_path, name):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
        path = path / "part-0"
    path.write_text("x")
    assert input_path(resolve(tmp_path / name)) == str(tmp_path / name)


def test_span_that_is_no_number_is_a_user_error(tmp_path):
    (tmp_path / "span-x").mkdir()
    (tmp_path / "span-x" / "log.csv").write_text("x")
    with pytest.raises(UserError, match=r"no span can be found.*Hint"):
        resolve(tmp_path / "span-{SPAN}" / "log.csv")


def test_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        resolve(tmp_path / "log.csv")


def test_last_spans_are_read_and_earlier_ones_do_not_matter(tmp_path):
    for span in (1, 2, 3):
        (tmp_path / f"day-{span}.csv").write_text(f"span {span}")
    pattern = tmp_path / "day-{SPAN}.csv"
    properties = resolve(pattern, last_spans=2)
    assert files_to_read(properties) == [str(tmp_path / "day-2.csv"), str(tmp_path / "day-3.csv")]
    assert properties[utils.SPAN_PROPERTY_NAME] == 3
    fingerprints = [properties[utils.FINGERPRINT_PROPERTY_NAME]]
    for span in (1, 2):
        (tmp_path / f"day-{span}.csv").write_text("changed")
        fingerprints.append(resolve(pattern, last_spans=2)[utils.FINGERPRINT_PROPERTY_NAME])
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    (tmp_path / "day-4.csv").write_text("arrives while the node runs")
    assert files_to_read(properties)[-1] == str(tmp_path / "day-3.csv")
