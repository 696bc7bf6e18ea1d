"""Transform as TFX runs it: tf.Transform over Beam, with the project's `preprocessing_fn`."""

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
    """The vocabularies, and the encoded users."""
    folder = tmp_path_factory.mktemp("transform")
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(SPEC))
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        rows = [{name: values[0] if name == "user_id" else values for name, values in user.items()} for user in USERS]
        (encoded, _), graph = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(preprocessing_fn)
        _ = graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    return tft.TFTransformOutput(str(folder / "graph")), encoded


def test_ids_are_sorted_by_descending_frequency(transformed):
    output, _ = transformed
    items = output.vocabulary_by_name("items")
    assert items[:2] == [b"b", b"a"]
    assert sorted(items) == [b"a", b"b", b"c", b"d"]


def test_user_without_a_window_is_not_in_the_vocabulary(transformed):
    output, _ = transformed
    assert sorted(output.vocabulary_by_name("users")) == [b"ann", b"bob"]


def test_histories_contain_ids_of_the_vocabularies(transformed):
    output, encoded = transformed
    name = [b"", b"?", *output.vocabulary_by_name("items")]
    user = [b"", b"?", *output.vocabulary_by_name("users")]
    actual = sorted((user[row["user"]], [name[i] for i in row["history$ragged_values"]]) for row in encoded)
    assert actual == [(b"?", [b"b"]), (b"ann", [b"a", b"b", b"c", b"d"]), (b"bob", [b"b", b"a"])]
