"""What the golden query finds in models that load."""

import subprocess
import sys

import pytest
import tensorflow as tf

from components import verify_model
from tests.components import small_servable

BY_NAME = ("serving_default", "serve_tf_example", "score", "evaluate")


class Answering(tf.Module):
    """Answers every query with the same items and scores."""

    def __init__(self, items, scores):
        super().__init__()
        self.items, self.scores = items, scores

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "user_id"),
            tf.TensorSpec([None, None], tf.string, "recent_item_ids"),
            tf.TensorSpec([None, None], tf.string, "exclude_item_ids"),
        ]
    )
    def ask(self, user_id, recent_item_ids, exclude_item_ids):
        return {"item_ids": tf.constant([self.items]), "scores": tf.constant([self.scores])}


def test_a_good_model_passes_where_tensorflow_alone_is_imported(tmp_path):
    model = small_servable.save(tmp_path / "model")
    code = f"""
import sys
from components import verify_model
assert verify_model.verify({model!r}) is None
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tfx", "tensorflow_transform", "tensorflow_model_analysis", "apache_beam"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("items", "scores", "found"),
    [
        (["", ""], [0.0, 0.0], "without items"),
        (["a", "a"], [1.0, 0.0], "the same item twice"),
        (["a", "b"], [1.0, float("nan")], "not finite"),
        (["a", "b"], [1.0, 0.0], "of the history was recommended again"),
    ],
)
def test_a_wrong_answer_is_named(tmp_path, items, scores, found):
    module = Answering(items, scores)
    tf.saved_model.save(module, str(tmp_path), signatures=dict.fromkeys(BY_NAME, module.ask))
    assert found in verify_model.verify(str(tmp_path))


def test_missing_signatures_are_named(tmp_path):
    module = Answering(["a"], [1.0])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.ask})
    assert verify_model.verify(str(tmp_path)) == "signatures are missing: evaluate, score, serve_tf_example"


def test_a_folder_without_a_model_does_not_load(tmp_path):
    assert verify_model.verify(str(tmp_path)).startswith("the golden query failed: ")
