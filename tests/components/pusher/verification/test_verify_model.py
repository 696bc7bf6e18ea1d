"""Each thing that keeps a server from answering has its own message."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from components.export.golden import GOLDEN_FILE, read_golden
from components.export.warmup import WARMUP_FILE, write_warmup
from components.pusher.verification import verify_model
from tests.support import small_servable


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return small_servable.save(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def edited(good, tmp_path):
    """A function that copies the good model and edits its graph."""

    def edit(change):
        folder = shutil.copytree(good, tmp_path / "model")
        saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        change(saved.meta_graphs[0])
        (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
        return str(folder)

    return edit


def test_valid_model_passes_with_only_tensorflow_imported(good):
    code = f"""
import sys
from components.pusher.verification import verify_model
assert verify_model.verify({good!r}) is None
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tfx", "tensorflow_transform", "tensorflow_model_analysis", "apache_beam"} & set(done.stdout.split())


def use(op):
    def change(graph):
        graph.graph_def.library.function[0].node_def[0].op = op

    return change


def rename_output(graph):
    outputs = graph.signature_def["score"].outputs
    outputs["p_bytes"].CopyFrom(outputs["probabilities"])
    del outputs["probabilities"]


def drop_input(graph):
    del graph.signature_def["serving_default"].inputs["exclude_item_ids"]


def integers(graph):
    graph.signature_def["serving_default"].outputs["scores"].dtype = types_pb2.DT_INT64


def one_row(graph):
    graph.signature_def["serving_default"].inputs["user_id"].tensor_shape.dim[0].size = 1


def flat(graph):
    del graph.signature_def["serving_default"].inputs["recent_item_ids"].tensor_shape.dim[1]


def ragged(graph):
    graph.signature_def["serving_default"].outputs["item_ids"].composite_tensor.SetInParent()


def drop_signature(graph):
    del graph.signature_def["score"]


def untag(graph):
    del graph.meta_info_def.tags[:]


@pytest.mark.parametrize(
    ("change", "actual"),
    [
        (use("PyFunc"), "the graph calls back into Python, which servers do not have: PyFunc"),
        (use("ReadFile"), "reach files, the network or other processes: ReadFile"),
        (use("WriteFile"), "reach files, the network or other processes: WriteFile"),
        (use("MatchingFiles"), "reach files, the network or other processes: MatchingFiles"),
        (use("TFRecordDatasetV2"), "reach files, the network or other processes: TFRecordDatasetV2"),
        (use("DataServiceDatasetV4"), "reach files, the network or other processes: DataServiceDatasetV4"),
        (use("RpcCall"), "reach files, the network or other processes: RpcCall"),
        (use("WriteSummary"), "reach files, the network or other processes: WriteSummary"),
        (use("DebugIdentityV3"), "reach files, the network or other processes: DebugIdentityV3"),
        (use("SentencepieceTokenizeOp"), "ops that are not part of TensorFlow: SentencepieceTokenizeOp"),
        (rename_output, "an output of `score` ends in `_bytes`: p_bytes"),
        (
            drop_input,
            "the inputs of `serving_default` should be exclude_item_ids, recent_item_ids, user_id. "
            "Received: recent_item_ids, user_id",
        ),
        (integers, "`scores` of the outputs of `serving_default` should be float. Received: DT_INT64"),
        (
            one_row,
            "`user_id` of the inputs of `serving_default` should have a batch dimension of any size. "
            "Received shape: [1]",
        ),
        (flat, "`recent_item_ids` of the inputs of `serving_default` should have 2 dimension(s). Received shape: [-1]"),
        (ragged, "`item_ids` of the outputs of `serving_default` is ragged or sparse"),
        (drop_signature, "signatures are missing: score"),
        (untag, "expected one graph with the tag `serve`, found 0"),
    ],
)
def test_invalid_graph_is_reported(edited, change, actual):
    assert actual in verify_model.verify(edited(change))


def test_traced_python_function_is_reported(tmp_path):
    module = tf.Module()
    module.ask = tf.function(
        lambda x: {"y": tf.py_function(lambda value: value, [x], tf.string)},
        input_signature=[tf.TensorSpec([None], tf.string, "x")],
    )
    tf.saved_model.save(module, str(tmp_path), signatures=module.ask)
    assert "calls back into Python" in verify_model.verify(str(tmp_path))


@pytest.mark.parametrize("read", [tf.io.read_file, lambda name: tf.io.matching_files(name)[0]])
def test_signature_that_reads_a_file_is_reported(tmp_path, read):
    module = tf.Module()
    module.ask = tf.function(
        lambda x: {"y": tf.fill(tf.shape(x), read(x[0]))}, input_signature=[tf.TensorSpec([None], tf.string, "x")]
    )
    tf.saved_model.save(module, str(tmp_path), signatures=module.ask)
    assert "reach files, the network or other processes" in verify_model.verify(str(tmp_path))


def test_signature_that_restores_a_checkpoint_is_reported(tmp_path):
    # The same op loads the variables of every model, but no request reaches that one.
    module = tf.Module()
    module.ask = tf.function(
        lambda x: {
            "y": tf.raw_ops.RestoreV2(prefix=x[0], tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.string])[0]
        },
        input_signature=[tf.TensorSpec([None], tf.string, "x")],
    )
    tf.saved_model.save(module, str(tmp_path), signatures=module.ask)
    assert "other processes: RestoreV2" in verify_model.verify(str(tmp_path))


def test_missing_warmup_requests_are_reported_unless_allowed(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "model")
    (folder / WARMUP_FILE).unlink()
    assert "no warm-up requests" in verify_model.verify(str(folder))
    assert verify_model.verify(str(folder), allow_no_warmup=True) is None


def test_truncated_warmup_requests_are_reported(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "model")
    whole = (folder / WARMUP_FILE).read_bytes()
    (folder / WARMUP_FILE).write_bytes(whole[: len(whole) - 9])
    assert verify_model.verify(str(folder)).startswith("the warm-up requests cannot be read: ")


def test_warmup_request_that_fails_is_reported(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "model")
    requests = read_golden(good).requests
    write_warmup(str(folder), requests._replace(recent_item_ids=[["i1", "i2", "i1"], *[["i2", "i3", "i4"]] * 3]), [4])
    assert verify_model.verify(str(folder)).startswith("a warm-up request failed: ")


def test_wrong_weights_are_reported(good, tmp_path):
    other = small_servable.save(tmp_path / "other", favourite="i5")
    folder = shutil.copytree(good, tmp_path / "model")
    shutil.rmtree(folder / "variables")
    shutil.copytree(f"{other}/variables", folder / "variables")
    assert "expected 0" in verify_model.verify(str(folder))


def test_missing_variables_are_reported(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "model")
    shutil.rmtree(folder / "variables")
    problem = verify_model.verify(str(folder))
    assert problem.startswith("the golden request failed: The passed save_path is not a valid checkpoint")


def leave_a_variable_unrestored(graph):
    (restore,) = [fn for fn in graph.graph_def.library.function if "traced_restore" in fn.signature.name]
    node = next(node for node in restore.node_def if node.op == "AssignVariableOp")
    node.op = "NoOp"
    del node.input[:]
    node.attr.clear()


def test_variable_without_a_restore_op_is_reported(edited):
    # Which of its reads fails first differs from run to run, and each has its own message.
    problem = verify_model.verify(edited(leave_a_variable_unrestored))
    assert re.search("^the golden request failed: (Could not find variable|Resource .* does not exist)", problem)


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_signature_of_an_absent_tensor_is_reported(edited, side):
    def change(graph):
        for tensor in getattr(graph.signature_def["serving_default"], side).values():
            tensor.name = "absent:0"

    problem = verify_model.verify(edited(change))
    assert problem.startswith("the golden request failed: ")
    assert "absent:0" in problem


def test_missing_golden_request_is_reported(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "model")
    (folder / GOLDEN_FILE).write_text(json.dumps({"requests": {}}))
    assert "golden request cannot be read" in verify_model.verify(str(folder))
    (folder / GOLDEN_FILE).unlink()
    assert "golden request cannot be read" in verify_model.verify(str(folder))


def test_incomplete_saved_model_is_reported(good, tmp_path):
    assert verify_model.verify(str(tmp_path)) == "not a SavedModel: saved_model.pb: No such file or directory"
    folder = shutil.copytree(good, tmp_path / "model")
    whole = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(whole[: len(whole) // 2])
    assert verify_model.verify(str(folder)) == "saved_model.pb is truncated or not a SavedModel"
