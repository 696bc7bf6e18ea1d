"""The counting baseline from raw Examples to metrics."""

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import channel_utils, standard_artifacts

from components.example_gen.raw_examples import RawExamples, serialize_example
from components.sequential_rules.component import SequentialRules
from components.sequential_rules.executor import evaluate
from components.sequential_rules.result import read_result
from components.sequential_rules.settings import SequentialRulesSettings
from components.transform.vocabulary import Vocabulary

SETTINGS = SequentialRulesSettings(history=1, window=1)


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    file = tmp_path_factory.mktemp("vocabulary") / "items"
    file.write_text("a\nb\nc\nd\ne\n")
    return Vocabulary(str(file), 5)


def split(*rows):
    return RawExamples(
        tf.constant([f"u{n}" for n in range(len(rows))]),
        *(
            tf.ragged.constant([list(row[part]) for row in rows], dtype=tf.string, row_splits_dtype=tf.int64)
            for part in (0, 1)
        ),
    )


def test_sequential_rules_rank_held_out_items_among_unseen_ones(items):
    train = split(("abc", ""), ("abd", ""), ("cbd", ""))
    # After b: d twice, c once; then by popularity. The first user has seen d, and z is unknown.
    actual = evaluate(train, split(("db", "c"), ("ab", "c"), ("b", "z")), items, SETTINGS).metrics
    np.testing.assert_allclose(actual["mrr"], (1 + 1 / 2 + 0) / 3)
    np.testing.assert_allclose(actual["hit_rate_at_1"], 1 / 3)
    np.testing.assert_allclose(actual["coverage_at_1"], 2 / 5)


def test_batch_size_does_not_change_the_metrics(items, monkeypatch):
    train = split(("abcde", ""), ("badce", ""), ("cde", ""))
    held_out = split(("ab", "cd"), ("b", "ezd"), ("edc", "a"), ("a", "bcde"))
    whole = evaluate(train, held_out, items, SETTINGS)
    monkeypatch.setattr("components.ranking.ranks.MAX_SCORES", 5)
    assert evaluate(train, held_out, items, SETTINGS) == whole


def test_memory_limit_skips_the_baseline_with_a_note(items):
    few = SequentialRulesSettings(max_memory_gb=1e-9)
    result = evaluate(split(("abc", "")), split(("a", "b")), items, few)
    assert result.metrics is None
    assert "sequential_rules.max_memory_gb" in result.note


def test_node_evaluates_artifacts_of_earlier_nodes(tmp_path):
    examples, transform, evaluation = (
        kind()
        for kind in (standard_artifacts.Examples, standard_artifacts.TransformGraph, standard_artifacts.ModelEvaluation)
    )
    for artifact, name in ((examples, "examples"), (transform, "transform"), (evaluation, "evaluation")):
        artifact.uri = str(tmp_path / name)
    write(tmp_path / "transform" / "transform_fn" / "assets" / "items", "b\na\nc\n")
    write(tmp_path / "transform" / "transformed_metadata" / "schema.pbtxt", "")
    examples.split_names = '["train", "test"]'
    write_examples(tmp_path / "examples" / "Split-train", [("u1", "abc", ""), ("u2", "ba", "")])
    write_examples(tmp_path / "examples" / "Split-test", [("u1", "a", "b"), ("u2", "ba", "cz")])

    node = SequentialRules(channel_utils.as_channel([examples]), channel_utils.as_channel([transform]), SETTINGS)
    node.executor_spec.executor_class().Do(
        {"examples": [examples], "transform_graph": [transform]}, {"evaluation": [evaluation]}, node.exec_properties
    )
    result = read_result(evaluation.uri)
    assert result.note == ""
    # b follows a; for the second user only c is left, and z cannot be known.
    np.testing.assert_allclose(result.metrics["map"], (1 + 1 / 2) / 2)


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_examples(folder, rows):
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for user, before, after in rows:
            writer.write(serialize_example(user.encode(), list(map(str.encode, before)), list(map(str.encode, after))))
