"""TFX's own Evaluator over real exported models, and what is read of its results."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tfx.components.evaluator import executor
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.evaluator.config import eval_config
from components.evaluator.results import read_evaluation
from components.evaluator.settings import EvaluatorSettings
from tests.support import small_servable

HISTORY, HELD_OUT = ["i0", "i1"], "i7"
# Of eight items two are seen, and the held-out one is the rarest: the sixth for popularity, and for a model that
# cannot tell items apart, since ties count against it.
LAST = 1 / 6
STRICT = EvaluatorSettings(min_value=0.5, min_margin=0.1, min_change=0.0)


def _artifact(kind, uri, number):
    artifact = kind()
    artifact.uri, artifact.id = str(uri), number
    return artifact


def _examples(folder):
    (folder / "Split-test").mkdir(parents=True)
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(folder / "Split-test" / "data_tfrecord-00000-of-00001.gz"), options) as writer:
        for user in (*small_servable.USERS, "stranger"):
            values = {"user_id": [user], "item_ids": HISTORY, "holdout": [HELD_OUT]}
            features = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode() for text in texts]))
                for name, texts in values.items()
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    examples = _artifact(standard_artifacts.Examples, folder, 1)
    examples.split_names = '["test"]'
    return examples


def _evaluate(folder, favourite, baseline_favourite=None):
    """Evaluates a model, against a baseline where one is given; returns the evaluation and TFX's own verdict."""
    models = {"model": favourite, "baseline_model": baseline_favourite}
    inputs = {"examples": [_examples(folder / "examples")]}
    for number, (name, item) in enumerate(models.items(), start=2):
        if item is not None:
            small_servable.save(folder / name / "Format-Serving", item)
            inputs[name] = [_artifact(standard_artifacts.Model, folder / name, number)]
    outputs = {
        "evaluation": [_artifact(standard_artifacts.ModelEvaluation, folder / "evaluation", 4)],
        "blessing": [_artifact(standard_artifacts.ModelBlessing, folder / "blessing", 5)],
    }
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner", "--direct_running_mode=in_memory"],
        tmp_dir=str(folder / "tmp"),
        unique_id="1",
    )
    executor.Executor(context).Do(
        inputs,
        outputs,
        {
            "eval_config": proto_utils.proto_to_json(eval_config(STRICT)),
            "example_splits": '["test"]',
            "fairness_indicator_thresholds": "null",
        },
    )
    blessed = model_utils.is_model_blessed(outputs["blessing"][0])
    return read_evaluation(str(folder / "evaluation"), STRICT), blessed


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return _evaluate(tmp_path_factory.mktemp("good"), HELD_OUT)


@pytest.fixture(scope="module")
def worse(tmp_path_factory):
    return _evaluate(tmp_path_factory.mktemp("worse"), "", baseline_favourite=HELD_OUT)


def test_evaluation_has_metrics_of_model_next_to_popularity(good):
    evaluation, _ = good
    assert evaluation.parts[""]["map"] == evaluation.parts[""]["next_item_mrr"] == 1
    assert evaluation.parts[""]["precision_at_5"] == pytest.approx(0.2)
    assert evaluation.parts["popularity_"]["map"] == pytest.approx(LAST)
    assert evaluation.parts["popularity_"]["hit_rate_at_5"] == 0
    # The five best unseen items of eight, the same for everybody.
    assert evaluation.parts[""]["coverage_at_5"] == pytest.approx(5 / 8)
    assert evaluation.parts[""]["users"] == 4


def test_evaluation_has_slices_of_users_next_to_items(good):
    actual = {(part.name, part.value): part for part in good[0].slices}
    assert actual.keys() == {("history length", "1 to 5"), ("item popularity", "tail (the rest)")}
    for part in actual.values():
        assert part.parts[""]["map"] == part.parts["caser_"]["map"] == 1
        assert part.parts["popularity_"]["map"] == pytest.approx(LAST)


def test_threshold_on_change_is_skipped_without_a_last_blessed_model(good):
    evaluation, blessed = good
    assert blessed is evaluation.blessed is True
    assert evaluation.reason == "map 1.0000, +0.8333 over popularity"


def test_blessing_reason_names_every_missed_threshold(worse):
    evaluation, blessed = worse
    assert blessed is evaluation.blessed is False
    assert evaluation.reason.split("; ") == [
        "map 0.1667 is below evaluator.min_value 0.5",
        "the margin over popularity, +0.0000 map, is below evaluator.min_margin 0.1",
        "the change from the last blessed model, -0.8333 map, is below evaluator.min_change 0",
    ]


def test_baseline_model_adds_no_metrics_to_the_evaluation(good, worse):
    names = good[0].parts["popularity_"]
    for evaluation in (good[0], worse[0]):
        # The model has no rules.
        assert evaluation.parts.keys() == {"", "caser_", "popularity_"}
        assert evaluation.parts[""].keys() == {*names, "users"}
    assert worse[0].parts[""]["map"] == pytest.approx(LAST)


@pytest.mark.parametrize("name", ["min_margin", "min_change"])
def test_threshold_set_to_null_is_not_checked(name):
    (specs,) = eval_config(EvaluatorSettings(**{name: None})).metrics_specs
    requested = {"min_margin": "map_margin" in specs.thresholds}
    requested["min_change"] = specs.thresholds["map"].HasField("change_threshold")
    assert [key for key, value in requested.items() if not value] == [name]
