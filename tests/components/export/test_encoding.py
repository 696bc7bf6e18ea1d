"""Hand-written encoding of Examples against TensorFlow's own messages."""

import subprocess
import sys

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.export.encoding import encoded_examples
from components.export.signatures import PredictRequests

ids = st.text(max_size=200).filter(lambda text: "\0" not in text)


@given(st.text(max_size=300), *[st.lists(ids, max_size=size) for size in (30, 3, 3)])
def test_encoded_example_is_read_by_tensorflow(user, recent, exclude, among):
    (encoded,) = encoded_examples(PredictRequests([user], [recent], [exclude]), [among])
    features = tf.train.Example.FromString(encoded).features.feature
    actual = {name: [value.decode() for value in feature.bytes_list.value] for name, feature in features.items()}
    # A user without an ID, as one without candidates, has no such feature at all.
    optional = {"user_id": [user] if user else None, "candidate_item_ids": [item for item in among if item] or None}
    assert actual == {
        "item_ids": [item for item in recent if item],
        "exclude_item_ids": [item for item in exclude if item],
        **{name: values for name, values in optional.items() if values},
    }


def test_encoding_does_not_import_tensorflow():

    code = "import sys, components.export.encoding; assert not {'tensorflow', 'tfx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
