"""The rules from raw Examples to the artifact."""

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import channel_utils, standard_artifacts

from components.errors import UserError
from components.example_gen.raw_examples import serialize_example
from components.features import FIRST_ID
from components.ranking.evaluation import HeldOutUsers
from components.sequential_rules.artifact import SequentialRulesArtifact, read_choice, read_rules
from components.sequential_rules.component import SequentialRules
from components.sequential_rules.executor import make_rules
from components.sequential_rules.settings import SequentialRulesSettings

PLAIN = SequentialRulesSettings(history=1, window=1, earlier_discount=0, later_discount=0)


def ids(*rows):
    return tf.ragged.constant(
        [[ord(item) - ord("a") + FIRST_ID for item in row] for row in rows],
        dtype=tf.int64,
        ragged_rank=1,
        row_splits_dtype=tf.int64,
    )


def histories(*rows):
    return held_out(*((row, "") for row in rows))


def held_out(*rows):
    before, after = zip(*rows, strict=True)
    return HeldOutUsers(tf.constant([""] * len(rows)), ids(*before), ids(*after))


def test_parameters_are_the_best_on_the_valid_split():
    # c always follows a, but never at once; the valid split has nothing else.
    train = histories("abc", "adc", "aec", "afc")
    valid = held_out(("a", "c"), ("a", "c"))
    settings = SequentialRulesSettings(window=1)
    summary, _ = make_rules(train, valid, 6, settings, "mrr")
    assert len(summary.valid) == len(settings.candidates())
    assert max(summary.valid) > summary.valid[0]
    assert summary.settings == settings.candidates()[summary.valid.index(max(summary.valid))].model_dump()
    untuned, _ = make_rules(train, valid, 6, settings.model_copy(update={"tune": False}), "mrr")
    assert (untuned.settings["window"], untuned.valid) == (1, [])


def test_rules_without_a_valid_split_have_the_configured_parameters():
    summary, tables = make_rules(histories("abc", "abd", "ab"), None, 4, PLAIN, "map")
    assert summary.settings == PLAIN.model_dump()
    assert tables.start.tolist() == [0, 1, 3, 3, 3]
    assert tables.weight.tolist() == [3, 1, 1]


def test_rules_counted_in_blocks_equal_those_counted_at_once():
    rng = np.random.default_rng(2)
    train = histories(*("".join(rng.choice(list("abcdefgh"), length)) for length in rng.integers(2, 12, 40)))
    settings = SequentialRulesSettings(max_followers=5)
    _, expected = make_rules(train, None, 8, settings, "map")
    limited = settings.model_copy(update={"max_memory_gb": 36 * 3 * 8 / 1e9})
    _, actual = make_rules(train, None, 8, limited, "map")
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parameters_of_rules_counted_in_blocks_are_chosen_with_some_of_the_users():
    train = histories(*["abc", "adc", "aec", "afc"] * 5)
    valid = held_out(("a", "c"), ("a", "c"))
    settings = SequentialRulesSettings(window=1, max_memory_gb=2 * 36 * 6 / 1e9)
    summary, tables = make_rules(train, valid, 6, settings, "mrr")
    assert summary.settings == settings.candidates()[summary.valid.index(max(summary.valid))].model_dump()
    assert tables.n_items == 6


def test_memory_limit_skips_the_rules_with_a_note():
    train = histories("abcdefghijklmnopqrstuvwxyz")
    summary, tables = make_rules(train, None, 26, SequentialRulesSettings(max_memory_gb=1e-9), "map")
    assert tables is None
    assert "16 times sequential_rules.max_memory_gb" in summary.note


@pytest.fixture
def artifacts(tmp_path):
    artifacts = {
        "examples": standard_artifacts.Examples(),
        "transform_graph": standard_artifacts.TransformGraph(),
        "rules": SequentialRulesArtifact(),
    }
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
    write(tmp_path / "transform_graph" / "transform_fn" / "assets" / "items", "b\na\nc\n")
    write(tmp_path / "transform_graph" / "transformed_metadata" / "schema.pbtxt", "")
    artifacts["examples"].split_names = '["train", "valid"]'
    return artifacts


def run(artifacts, train):
    for split, rows in (("train", train), ("valid", [])):
        write_examples(artifacts["examples"].uri, split, rows)
    inputs = {name: [artifacts[name]] for name in ("examples", "transform_graph")}
    node = SequentialRules(*(channel_utils.as_channel(value) for value in inputs.values()), PLAIN)
    node.executor_spec.executor_class().Do(inputs, {"rules": [artifacts["rules"]]}, node.exec_properties)


def test_node_writes_rules_of_the_train_split(artifacts):
    run(artifacts, [("u1", "abc"), ("u2", "ba"), ("u3", "ab")])
    tables, summary = read_rules(artifacts["rules"].uri), read_choice(artifacts["rules"].uri)
    assert (summary.note, summary.valid) == ("", [])  # the valid split is empty
    # Columns in the order of the vocabulary: b, a, c.
    assert tables.start.tolist() == [0, 2, 3, 3]
    assert tables.follower.tolist() == [1, 2, 0]
    np.testing.assert_array_equal(tables.weight, [1, 1, 2])


def test_empty_train_split_is_a_user_error(artifacts):
    with pytest.raises(UserError, match="train split is empty"):
        run(artifacts, [])


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_examples(folder, split, rows):
    tf.io.gfile.makedirs(f"{folder}/Split-{split}")
    with tf.io.TFRecordWriter(f"{folder}/Split-{split}/data_tfrecord-00000-of-00001.gz", "GZIP") as writer:
        for user, items in rows:
            writer.write(serialize_example(user.encode(), list(map(str.encode, items)), []))
