"""Checks of a refitted model."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts

from components.example_gen.raw_examples import serialize_example
from components.example_gen.shards import write_shard
from components.refit_trainer.settings import RefitSettings
from components.refit_validator.checks import RefitValidation, compare, non_finite_weight
from components.refit_validator.component import RefitValidator
from tests.support import small_servable

KNOWN = {b"a", b"b", b"c", b"d"}
ALL = KNOWN | {b"new"}
SETTINGS = RefitSettings(min_overlap=0.5, min_coverage=0.5)


def rows(*texts):
    return [[character.encode() for character in text] for text in texts]


def test_comparison_measures_overlap_coverage_and_new_items():
    refitted = [[b"a", b"new"], [b"c", b"d"]]
    result = compare(rows("ab", "cd"), refitted, KNOWN, ALL, SETTINGS)
    assert result == RefitValidation(
        True, "its top 10 has 0.75 of the evaluated model's", 2, 0.75, pytest.approx(4 / 5), 1.0, 1, 1
    )


def test_overlap_looks_at_the_top_10_only():
    evaluated = [[b"%d" % n for n in range(20)]]
    catalogue = set(evaluated[0])
    result = compare(evaluated, [evaluated[0][10:] + evaluated[0][:10]], catalogue, catalogue, SETTINGS)
    assert (result.overlap, result.blessed) == (0.0, False)


@pytest.mark.parametrize(
    ("refitted", "items", "reason"),
    [
        (rows("cd", "ab"), ALL, "its top 10 has 0.00 of the evaluated model's, below refit.min_overlap=0.5"),
        (rows("ab", "cd"), {b"a", b"b", b"c"}, "it lacks 1 of the 4 items of the evaluated model"),
    ],
)
def test_refusal_says_why(refitted, items, reason):
    result = compare(rows("ab", "cd"), refitted, KNOWN, items, SETTINGS)
    assert (result.blessed, result.reason) == (False, reason)


def test_model_that_recommends_the_same_to_everybody_is_refused():
    evaluated, refitted = rows("ab", "bc", "cd", "da"), rows("ab", "ab", "ab", "ab")
    catalogue = KNOWN | {b"%d" % n for n in range(96)}
    settings = RefitSettings(min_overlap=0, min_coverage=0.6)
    result = compare(evaluated, refitted, catalogue, catalogue, settings)
    assert result.reason == "its coverage@10 is 0.0200, and the evaluated model's 0.0400 (refit.min_coverage=0.6)"


def test_users_without_recommendations_are_left_out_of_the_overlap():
    result = compare([[], [b"a"]], [[], [b"a"]], KNOWN, KNOWN, RefitSettings(min_coverage=0))
    assert (result.overlap, result.users) == (1.0, 2)


class Node:
    """RefitValidator over real models; the evaluated one prefers i7."""

    def __init__(self, folder):
        self.folder = folder
        small_servable.save(folder / "evaluated" / "Format-Serving", "i7")
        users = [serialize_example(user.encode(), [b"i0"], [b"i1"]) for user in small_servable.USERS]
        write_shard(str(folder / "examples" / "Split-test"), "data", 0, 1, users)

    def run(self, refitted):
        inputs, outputs = {}, {}
        for name, kind, uri, place in (
            ("evaluated_model", standard_artifacts.Model, self.folder / "evaluated", inputs),
            ("model", standard_artifacts.Model, refitted, inputs),
            ("examples", standard_artifacts.Examples, self.folder / "examples", inputs),
            ("blessing", standard_artifacts.InfraBlessing, self.folder / "blessing", outputs),
            ("validation", standard_artifacts.ModelEvaluation, self.folder / "validation", outputs),
        ):
            artifact = kind()
            artifact.uri = str(uri)
            place[name] = [artifact]
        inputs["examples"][0].split_names = artifact_utils.encode_split_names(["test"])
        RefitValidator.EXECUTOR_SPEC.executor_class().Do(inputs, outputs, {"settings": "{}", "split": "test"})
        result = RefitValidation.read(str(self.folder / "validation"))
        assert bool(outputs["blessing"][0].get_int_custom_property("blessed")) == result.blessed
        return result


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    return Node(tmp_path_factory.mktemp("refit"))


def test_node_blesses_a_model_with_the_same_lists(node):
    result = node.run(node.folder / "evaluated")
    assert (result.blessed, result.overlap, result.users) == (True, 1.0, len(small_servable.USERS))


def test_node_refuses_what_was_not_trained(node, tmp_path):
    result = node.run(tmp_path)
    assert (result.blessed, "no refit" in result.reason) == (False, True)


def test_node_refuses_weights_that_are_not_finite(node, tmp_path):
    broken = tmp_path / "Format-Serving"
    shutil.copytree(node.folder / "evaluated" / "Format-Serving", broken)
    variables = str(broken / "variables" / "variables")
    checkpoint = tf.train.load_checkpoint(variables)
    assert non_finite_weight(str(broken)) is None
    values = {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}
    name = next(name for name, value in values.items() if value.dtype == np.float32 and value.ndim == 2)
    values[name] = np.where(np.arange(values[name].size).reshape(values[name].shape) == 0, np.nan, values[name])
    tf.raw_ops.SaveV2(
        prefix=variables, tensor_names=list(values), shape_and_slices=[""] * len(values), tensors=list(values.values())
    )
    result = node.run(tmp_path)
    assert (result.blessed, "not finite" in result.reason) == (False, True)
