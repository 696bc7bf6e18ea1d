"""Outputs in an object store: what is copied, and messages for those that cannot be used."""

import pytest

from components.errors import UserError
from pipeline.local.output import Output
from tests.support.object_store import object_store


@pytest.fixture
def store(tmp_path, monkeypatch):
    with object_store(tmp_path, fault_every=11) as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        yield store


def test_path_is_both_root_and_local_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Output.of("out/mine") == (str(tmp_path / "out" / "mine"), tmp_path / "out" / "mine")


@pytest.mark.parametrize("uri", ["gs://bucket/runs/mine", "gs://bucket/runs/mine/"])
def test_local_directory_of_a_uri_has_the_name_of_its_last_part(tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    assert Output.of(uri) == ("gs://bucket/runs/mine", tmp_path / "mine")


def test_run_on_another_machine_gets_the_database(store, tmp_path):
    for machine in ("here", "there"):
        (tmp_path / machine).mkdir()
    here, there = (Output("gs://bucket/runs/mine", tmp_path / machine) for machine in ("here", "there"))
    (here.local / "metadata.sqlite").write_text("database")
    (here.local / "metrics.json").write_text("{}")
    here.check()
    here.store()
    there.fetch_database()
    assert (there.local / "metadata.sqlite").read_text() == "database"
    assert store.buckets["bucket"]["runs/mine/metrics.json"] == b"{}"
    assert not [name for name in store.buckets["bucket"] if "probe" in name]
    assert store.faults


def test_own_database_is_kept(store, tmp_path):
    output = Output("gs://bucket/own", tmp_path)
    store.put("bucket", "own/metadata.sqlite", b"another")
    (tmp_path / "metadata.sqlite").write_text("own")
    output.fetch_database()
    assert (tmp_path / "metadata.sqlite").read_text() == "own"


@pytest.mark.parametrize(
    ("uri", "hint"), [("s3://bucket/mine", "pip install tensorflow-io boto3"), ("ftp://host/mine", "pass gs://bucket")]
)
def test_scheme_without_file_system_is_one_message_with_a_hint(tmp_path, uri, hint):
    with pytest.raises(UserError, match="TensorFlow has no file system for") as error:
        Output(uri, tmp_path).check()
    assert hint in str(error.value)
