"""Hand-written encoding of Examples against TensorFlow's own messages."""

import subprocess
import sys

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.export.encoding import encoded_examples
from components.export.signatures import PredictRequests

ids = st.text(max_size=200).filter(lambda text: "\0" not in text)


@given(st.text(max_size=300), st.lists(ids, max_size=30), st.lists(ids, max_size=3))
def test_encoded_example_is_read_by_tensorflow(user, recent, exclude):
    (encoded,) = encoded_examples(PredictRequests([user], [recent], [exclude]))
    features = tf.train.Example.FromString(encoded).features.feature
    actual = {name: [value.decode() for value in feature.bytes_list.value] for name, feature in features.items()}
    assert actual == {
        "user_id": [user] if user else [],
        "item_ids": [item for item in recent if item],
        "exclude_item_ids": [item for item in exclude if item],
    }


def test_encoding_does_not_import_tensorflow():

    code = "import sys, components.export.encoding; assert not {'tensorflow', 'tfx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
