"""The node over a real exported model."""

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.util import model_utils
from tfx.types import channel_utils, standard_artifacts

from components.baseline_validator.comparison import HeldOutItems
from components.baseline_validator.component import BaselineValidator
from components.baseline_validator.executor import count_held_out
from components.baseline_validator.result import read_result
from components.evaluator.settings import EvaluatorSettings
from components.example_gen.raw_examples import serialize_example
from components.neighbours.artifact import write_result as write_neighbours
from components.ranking.choice import Choice
from components.ranking.evaluation import Ranking
from components.ranking.recommendable import Recommendable
from components.sequential_rules.artifact import SequentialRulesArtifact, write_rules
from components.sequential_rules.tables import RuleTables
from components.transform.vocabulary import Vocabulary
from tests.support import small_servable

N_ITEMS = len(small_servable.ITEMS)
HISTORY, HELD_OUT = ["i0", "i1"], "i7"
KINDS = {
    "model": standard_artifacts.Model,
    "examples": standard_artifacts.Examples,
    "transform_graph": standard_artifacts.TransformGraph,
    "rules": SequentialRulesArtifact,
    "neighbours": standard_artifacts.ModelEvaluation,
    "blessing": standard_artifacts.ModelBlessing,
    "validation": standard_artifacts.ModelEvaluation,
}


def rules_to(item):
    follower = np.full(N_ITEMS, int(item[1:]), np.int32)
    return RuleTables(np.arange(N_ITEMS + 1), follower, np.ones(N_ITEMS, np.float32), 1, 0.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model whose favourite is the held-out item, users and a vocabulary."""
    folder = tmp_path_factory.mktemp("base")
    small_servable.save(folder / "model" / "Format-Serving", HELD_OUT)
    (folder / "examples" / "Split-test").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "examples" / "Split-test" / "data-00000-of-00001.gz"), "GZIP") as writer:
        for user in small_servable.USERS:
            writer.write(serialize_example(user.encode(), [item.encode() for item in HISTORY], [HELD_OUT.encode()]))
    assets = folder / "transform_graph" / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    (assets / "items").write_text("".join(item + "\n" for item in small_servable.ITEMS))
    (folder / "transform_graph" / "transformed_metadata").mkdir()
    (folder / "transform_graph" / "transformed_metadata" / "schema.pbtxt").write_text("")
    return folder


def run(base, folder, rules=None, neighbours=None):
    artifacts = {name: kind() for name, kind in KINDS.items()}
    for name, artifact in artifacts.items():
        artifact.uri = str((base if (base / name).exists() else folder) / name)
    artifacts["model"].id = 7
    artifacts["examples"].split_names = '["test"]'
    if rules:
        write_rules(artifacts["rules"].uri, *rules)
    if neighbours:
        write_neighbours(artifacts["neighbours"].uri, *neighbours)
    given = ["model", "examples", "transform_graph", *(["rules"] * bool(rules)), *(["neighbours"] * bool(neighbours))]
    inputs = {name: [artifacts[name]] for name in given}
    node = BaselineValidator(
        **{name: channel_utils.as_channel(values) for name, values in inputs.items()},
        settings=EvaluatorSettings(metric="mrr"),
    )
    outputs = {name: [artifacts[name]] for name in ("blessing", "validation")}
    node.executor_spec.executor_class().Do(inputs, outputs, node.exec_properties)
    return read_result(artifacts["validation"].uri), artifacts["blessing"]


def test_model_that_equals_its_baselines_is_blessed(base, tmp_path):
    users = len(small_servable.USERS)
    others = Ranking(np.full([users, 1], 4), np.zeros([users, 20], int))
    (comparison, notes), blessing = run(base, tmp_path, (Choice(), rules_to(HELD_OUT)), (Choice(), others))
    assert comparison.users == users
    assert {name: part["mrr"] for name, part in comparison.metrics.items()} == pytest.approx(
        {"test": 1, "caser": 1, "sequential_rules": 1, "neighbours": 1 / 4, "popularity": 1 / 6}
    )
    assert (comparison.baseline, comparison.blessed, notes) == ("sequential_rules", True, {})
    assert model_utils.is_model_blessed(blessing)
    # As TFX's Evaluator marks it, for resolvers.
    assert blessing.get_int_custom_property("current_model_id") == 7
    assert (tmp_path / "blessing" / "BLESSED").exists()


def test_model_below_its_baselines_is_not_blessed(base, tmp_path):
    small_servable.save(tmp_path / "model" / "Format-Serving", "i5")
    other = tmp_path / "other"
    for name in ("examples", "transform_graph"):
        (tmp_path / name).symlink_to(base / name)
    (comparison, _), blessing = run(tmp_path, other, (Choice(), rules_to(HELD_OUT)))
    assert comparison.metrics["test"]["mrr"] < comparison.metrics["sequential_rules"]["mrr"] == 1
    assert comparison.baseline == "sequential_rules"
    assert "not above popularity" in comparison.reason
    assert not model_utils.is_model_blessed(blessing)
    assert (other / "blessing" / "NOT_BLESSED").exists()


def test_skipped_baselines_leave_popularity_with_their_notes(base, tmp_path):
    (comparison, notes), _ = run(base, tmp_path, (Choice("skipped: large"), None), (Choice("no"), None))
    assert comparison.baseline == "popularity"
    assert notes == {"sequential_rules": "skipped: large", "neighbours": "no"}


def test_empty_split_is_not_blessed(base, tmp_path):
    for name in ("model", "transform_graph"):
        (tmp_path / name).symlink_to(base / name)
    (tmp_path / "examples" / "Split-test").mkdir(parents=True)
    tf.io.TFRecordWriter(str(tmp_path / "examples" / "Split-test" / "data-00000-of-00001.gz"), "GZIP").close()
    (comparison, _), blessing = run(tmp_path, tmp_path / "other", (Choice(), rules_to(HELD_OUT)))
    assert "no held-out items" in comparison.reason
    assert not model_utils.is_model_blessed(blessing)


def test_held_out_items_that_cannot_be_hit_are_counted(base):
    users = [(["i0", "i1"], ["i7", "i7"]), (["i0"], ["i0", "new", "i2"]), ([], ["new"])]
    serialized = tf.constant(
        [
            serialize_example(b"u", [item.encode() for item in history], [item.encode() for item in held_out])
            for history, held_out in users
        ]
    )
    items = Vocabulary(str(base / "transform_graph" / "transform_fn" / "assets" / "items"), N_ITEMS)
    assert count_held_out(serialized, items, Recommendable()) == HeldOutItems(total=5, seen=1, unknown=2)
    repeating = Recommendable(exclude_seen=False)
    assert count_held_out(serialized, items, repeating) == HeldOutItems(total=5, seen=0, unknown=2)
