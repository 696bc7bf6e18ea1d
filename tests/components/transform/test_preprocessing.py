"""Transform as TFX runs it: tf.Transform over Beam, with the project's `preprocessing_fn`."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from components.transform.preprocessing import preprocessing_fn

SPEC = {
    "user_id": tf.io.FixedLenFeature([], tf.string),
    "item_ids": tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
}
# Item `b` three times, `a` twice, the others once; `solo` has a single interaction.
USERS = [
    {"user_id": [b"ann"], "item_ids": [b"a", b"b", b"c", b"d"]},
    {"user_id": [b"bob"], "item_ids": [b"b", b"a"]},
    {"user_id": [b"solo"], "item_ids": [b"b"]},
]


@pytest.fixture(scope="module")
def transformed(tmp_path_factory):
    """The vocabularies, and the windows by user id."""
    folder = tmp_path_factory.mktemp("transform")
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(SPEC))

    def one_target(inputs):
        return preprocessing_fn(inputs, {"windows": {"L": 2, "T": 1}})

    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        rows = [{name: values[0] if name == "user_id" else values for name, values in user.items()} for user in USERS]
        (windows, _), graph = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(one_target)
        _ = graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    output = tft.TFTransformOutput(str(folder / "graph"))
    return output, windows


def test_ids_are_sorted_by_descending_frequency(transformed):
    output, _ = transformed
    items = output.vocabulary_by_name("items")
    assert items[:2] == [b"b", b"a"]
    assert sorted(items) == [b"a", b"b", b"c", b"d"]


def test_user_without_a_window_is_not_in_the_vocabulary(transformed):
    output, _ = transformed
    assert sorted(output.vocabulary_by_name("users")) == [b"ann", b"bob"]


def test_windows_contain_ids_of_the_vocabularies(transformed):
    output, windows = transformed
    name = [b"", b"?", *output.vocabulary_by_name("items")]
    user = [b"", b"?", *output.vocabulary_by_name("users")]
    actual = sorted(
        (user[row["user"]], [name[i] for i in row["sequence"]], [name[i] for i in np.ravel(row["targets"])])
        for row in windows
    )
    assert actual == [
        (b"ann", [b"", b"a"], [b"b"]),
        (b"ann", [b"a", b"b"], [b"c"]),
        (b"ann", [b"b", b"c"], [b"d"]),
        (b"bob", [b"", b"b"], [b"a"]),
    ]
