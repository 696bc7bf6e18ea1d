"""Pushes to a URI, object by object: `file://` goes the way of `gs://` through TensorFlow's file systems."""

import pytest
import tensorflow as tf

from components.errors import UserError
from components.pusher import object_store


@pytest.fixture
def store(tmp_path):
    return f"file://{tmp_path}/serving/caser"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    for name in ("saved_model.pb", "variables/variables.index", "assets/items"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def accept(folder, version):
    pass


def content(uri):
    with tf.io.gfile.GFile(uri) as file:
        return file.read()


def test_upload_is_a_version_only_after_saved_model_pb(model, store, monkeypatch):
    copied, copy = [], tf.io.gfile.copy

    def watched(source, target, overwrite=False):
        assert object_store.versions(store) == []
        copied.append(target)
        copy(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", watched)
    version = object_store.publish(str(model), store, accept)
    assert copied[-1] == f"{store}/{version}/saved_model.pb"
    assert object_store.versions(store) == [version]
    for name in ("saved_model.pb", "variables/variables.index", "assets/items"):
        assert content(f"{store}/{version}/{name}") == name


def test_interrupted_upload_leaves_no_version(model, store, monkeypatch):
    old, copy = object_store.publish(str(model), store, accept), tf.io.gfile.copy
    (model / "assets" / "items").write_text("another model")

    def breaking(source, target, overwrite=False):
        if "variables" in target:
            raise tf.errors.UnavailableError(None, None, "the network is down")
        copy(source, target, overwrite)

    monkeypatch.setattr(object_store, "RETRY_SECONDS", 0)
    monkeypatch.setattr(tf.io.gfile, "copy", breaking)
    with pytest.raises(tf.errors.UnavailableError):
        object_store.publish(str(model), store, accept)
    assert object_store.versions(store) == [old]


def test_upload_outlives_requests_that_fail_for_a_moment(model, store, monkeypatch):
    copy, failed = tf.io.gfile.copy, set()

    def failing_once(source, target, overwrite=False):
        if target.startswith(store) and target not in failed:
            failed.add(target)
            raise tf.errors.UnavailableError(None, None, "try again")
        copy(source, target, overwrite)

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(tf.io.gfile, "copy", failing_once)
    version = object_store.publish(str(model), store, accept)
    assert len(failed) >= 3
    assert object_store.versions(store) == [version]


def test_rejected_model_is_not_uploaded(model, store):
    def refuse(folder, version):
        raise UserError("no")

    with pytest.raises(UserError):
        object_store.publish(str(model), store, refuse)
    assert not tf.io.gfile.exists(store)


def test_equal_model_in_an_object_store_is_not_published_twice(model, store):
    first = object_store.publish(str(model), store, accept)
    assert object_store.publish(str(model), store, accept) == first
    (model / "assets" / "items").write_text("another model")
    second = object_store.publish(str(model), store, accept)
    assert object_store.versions(store) == [first, second]
    object_store.remove(store, first)
    assert object_store.versions(store) == [second]


def test_model_is_fetched_completely_from_an_object_store(model, store, tmp_path):
    version = object_store.publish(str(model), store, accept)
    object_store.fetch(f"{store}/{version}", str(tmp_path / "here"))
    for name in ("saved_model.pb", "variables/variables.index", "assets/items"):
        assert (tmp_path / "here" / name).read_text() == name
