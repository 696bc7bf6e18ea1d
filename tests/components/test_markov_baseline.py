"""The counting baseline from raw Examples to metrics."""

import numpy as np
import pytest
import tensorflow as tf

from components.markov_baseline import evaluate
from components.raw_examples import RawExamples
from components.settings import MarkovSettings
from components.vocabulary import Vocabulary

SETTINGS = MarkovSettings(history=1, window=1)


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


def test_held_out_items_are_ranked_among_unseen_ones(items):
    train = split(("abc", ""), ("abd", ""), ("cbd", ""))
    # After b: d twice, c once; then by popularity. The first user has seen d, and z is unknown.
    found = evaluate(train, split(("db", "c"), ("ab", "c"), ("b", "z")), items, SETTINGS).metrics
    np.testing.assert_allclose(found["mrr"], (1 + 1 / 2 + 0) / 3)
    np.testing.assert_allclose(found["hit_rate_at_1"], 1 / 3)
    np.testing.assert_allclose(found["coverage_at_1"], 2 / 5)


def test_batches_of_users_do_not_change_the_metrics(items, monkeypatch):
    train = split(("abcde", ""), ("badce", ""), ("cde", ""))
    held_out = split(("ab", "cd"), ("b", "ezd"), ("edc", "a"), ("a", "bcde"))
    whole = evaluate(train, held_out, items, SETTINGS)
    monkeypatch.setattr("components.ranks._SCORES_AT_ONCE", 5)
    assert evaluate(train, held_out, items, SETTINGS) == whole


def test_too_much_memory_is_a_note_instead_of_metrics(items):
    few = MarkovSettings(max_memory_gb=1e-9)
    result = evaluate(split(("abc", "")), split(("a", "b")), items, few)
    assert result.metrics is None
    assert "markov.max_memory_gb" in result.note
