"""Recommendations for all users by Beam, with a real exported model."""

import json

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts

from components.batch_recommender import progress
from components.batch_recommender.beam_pipeline import BatchOutput, recommend_for_all
from components.batch_recommender.component import BatchRecommender
from components.batch_recommender.model_handler import to_table
from components.example_gen.raw_examples import serialize_example
from components.example_gen.shards import write_shard
from pipeline.pipeline import LOCAL_BEAM_ARGS
from tests.support import small_servable

HISTORIES = {"u0": ["i0", "i1"], "u1": ["i2"], "stranger": ["i3", "what"]}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_servable.save(tmp_path_factory.mktemp("batch") / "model" / "Format-Serving", seed=3)


def example(user, items, held_out=()):
    return serialize_example(user.encode(), [item.encode() for item in items], [item.encode() for item in held_out])


def write(folder, split, *examples):
    write_shard(str(folder / f"Split-{split}"), "data", 0, 1, examples)
    return [str(file) for file in (folder / f"Split-{split}").iterdir()]


def run(files, model, output, k=3, **options):
    with beam.Pipeline(argv=list(LOCAL_BEAM_ARGS)) as pipeline:
        recommend_for_all(pipeline, files, model, k, output, **options)


def rows_of(file):
    return {row["user_id"]: row for row in pq.read_table(file).to_pylist()}


def expected(model, user, items, k=3):
    answer = tf.saved_model.load(model).signatures["serve_tf_example"](examples=tf.constant([example(user, items)]))
    return [item.decode() for item in answer["item_ids"].numpy()[0][:k] if item], answer["scores"].numpy()[0][:k]


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
def test_every_user_gets_what_a_request_would_get(file_format, model, tmp_path):
    files = write(tmp_path, "all", *(example(user, items) for user, items in HISTORIES.items()))
    file = tmp_path / f"out.{file_format}"
    run(files, model, BatchOutput(str(file), file_format, single_file=True))
    if file_format == "parquet":
        rows = rows_of(file)
    else:
        rows = {row["user_id"]: row for row in map(json.loads, file.read_text().splitlines())}
    assert rows.keys() == HISTORIES.keys()
    for user, items in HISTORIES.items():
        ids, scores = expected(model, user, items)
        assert rows[user]["item_ids"] == ids
        np.testing.assert_allclose(rows[user]["scores"], scores, rtol=1e-5)


def test_only_wanted_users_are_written(model, tmp_path):
    files = write(tmp_path, "all", *(example(user, items) for user, items in HISTORIES.items()))
    file = tmp_path / "out.parquet"
    run(files, model, BatchOutput(str(file), "parquet", single_file=True), users=[b"u1", b"nobody"])
    assert rows_of(file).keys() == {"u1"}


def test_history_of_a_user_in_several_splits_is_the_complete_one(model, tmp_path):
    files = [
        *write(tmp_path, "train", example("u0", ["i0"]), example("u1", ["i2", "i3"])),
        *write(tmp_path, "valid", example("u0", ["i0"], ["i1"])),
        *write(tmp_path, "test", example("u0", ["i0", "i1"], ["i4"])),
    ]
    file = tmp_path / "out.parquet"
    run(files, model, BatchOutput(str(file), "parquet", single_file=True), whole=False)
    rows = rows_of(file)
    assert rows["u0"]["item_ids"] == expected(model, "u0", ["i0", "i1", "i4"])[0]
    assert rows["u1"]["item_ids"] == expected(model, "u1", ["i2", "i3"])[0]


def test_progress_counts_every_user(model, tmp_path):
    files = write(tmp_path, "all", *(example(user, items) for user, items in HISTORIES.items()))
    done = []
    with progress.progress_callback(done.append):
        run(files, model, BatchOutput(str(tmp_path / "out.parquet"), "parquet", single_file=True))
    assert sum(done) == len(HISTORIES)


def test_row_ends_where_fewer_items_are_left():
    items = np.array([[b"a", b"b"], [b"c", b""], [b"", b""]], object)
    scores = np.array([[3, 2, 1], [1, -9, -9], [-9, -9, -9]], np.float32)
    table = to_table(np.array([b"u", b"v", "ü".encode()], object), items, scores)
    assert table.to_pylist() == [
        {"user_id": "u", "item_ids": ["a", "b"], "scores": [3, 2]},
        {"user_id": "v", "item_ids": ["c"], "scores": [1]},
        {"user_id": "ü", "item_ids": [], "scores": []},
    ]


@pytest.mark.parametrize("blessed", [True, False])
def test_node_recommends_by_a_blessed_model_only(blessed, model, tmp_path):
    write(tmp_path / "examples", "all", *(example(user, items) for user, items in HISTORIES.items()))
    inputs = {
        "model": [standard_artifacts.Model()],
        "examples": [standard_artifacts.Examples()],
        "model_blessing": [standard_artifacts.ModelBlessing()],
        "refit_blessing": [standard_artifacts.InfraBlessing()],
    }
    inputs["model"][0].uri = model.removesuffix("/Format-Serving")
    inputs["examples"][0].uri = str(tmp_path / "examples")
    inputs["examples"][0].split_names = artifact_utils.encode_split_names(["train", "all"])
    inputs["model_blessing"][0].set_int_custom_property("blessed", 1)
    inputs["refit_blessing"][0].set_int_custom_property("blessed", int(blessed))
    result = standard_artifacts.InferenceResult()
    result.uri = str(tmp_path / "recommendations")
    node = BatchRecommender.EXECUTOR_SPEC.executor_class()
    node.Do(inputs, {"recommendations": [result]}, {"settings": '{"k": 2}'})
    files = list((tmp_path / "recommendations").glob("recommendations-*.parquet"))
    assert bool(files) == blessed
    if blessed:
        rows = {user: row for file in files for user, row in rows_of(file).items()}
        assert {user: len(row["item_ids"]) for user, row in rows.items()} == dict.fromkeys(HISTORIES, 2)
