"""Which model a candidate is compared with, in real runs of a pipeline by both local runners."""

import pytest
from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata
from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner
from tfx.types import standard_artifacts

from components.evaluator.baseline_resolver import PreviousBlessedModelStrategy


@component
def Train(model: OutputArtifact[standard_artifacts.Model], setting: Parameter[str]):  # noqa: N802 -- names of nodes
    model.set_string_custom_property("setting", setting)


@component
def Bless(  # noqa: N802 -- names of nodes
    model: InputArtifact[standard_artifacts.Model],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    baseline: InputArtifact[standard_artifacts.Model] = None,
):
    """As TFX's Evaluator does; a setting of which the name says so is not blessed."""
    setting = model.get_string_custom_property("setting")
    blessing.set_int_custom_property("current_model_id", model.id)
    blessing.set_int_custom_property("blessed", int("bad" not in setting))
    blessing.set_string_custom_property("comparison", f"{setting} after {baseline.id if baseline else 'nothing'}")


def run(runner, folder, setting):
    """Runs the pipeline; returns what was compared in it and in the runs before, oldest first."""
    train = Train(setting=setting)
    resolver = tfx.dsl.Resolver(
        strategy_class=PreviousBlessedModelStrategy,
        model=tfx.dsl.Channel(type=standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=standard_artifacts.ModelBlessing),
        candidate=train.outputs["model"],
    )
    bless = Bless(model=train.outputs["model"], baseline=resolver.outputs["model"])
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    runner().run(
        tfx.dsl.Pipeline(
            pipeline_name="comparison",
            pipeline_root=str(folder),
            components=[train, resolver, bless],
            enable_cache=True,
            metadata_connection_config=connection,
        )
    )
    with metadata.Metadata(connection) as handle:
        names = {
            model.id: model.custom_properties["setting"].string_value
            for model in handle.store.get_artifacts_by_type("Model")
        }
        blessings = handle.store.get_artifacts_by_type("ModelBlessing")
    actual = []
    for blessing in sorted(blessings, key=lambda artifact: artifact.id):
        setting, baseline = blessing.custom_properties["comparison"].string_value.split(" after ")
        actual.append((setting, names[int(baseline)] if baseline.isdigit() else None))
    return actual


@pytest.mark.parametrize("runner", [tfx.orchestration.LocalDagRunner, BeamDagRunner])
def test_resolver_returns_the_last_blessed_model_before_the_candidate(runner, tmp_path):
    assert run(runner, tmp_path, "first") == [("first", None)]
    # The model of the first run is blessed now, and yet not its own baseline: all nodes are reused.
    assert run(runner, tmp_path, "first") == [("first", None)]
    compared = [("first", None), ("bad", "first")]
    assert run(runner, tmp_path, "bad") == compared
    assert run(runner, tmp_path, "third") == [*compared, ("third", "first")]
    # Settings of long ago: their comparisons stand.
    assert run(runner, tmp_path, "first") == [*compared, ("third", "first")]


def test_model_that_one_of_two_nodes_refuses_is_not_a_baseline():
    model, candidate = standard_artifacts.Model(), standard_artifacts.Model()
    model.id, candidate.id = 1, 2
    blessings = [standard_artifacts.ModelBlessing(), standard_artifacts.ModelBlessing()]
    for number, blessing in enumerate(blessings, start=3):
        blessing.id = number
        blessing.set_int_custom_property("current_model_id", 1)
        blessing.set_int_custom_property("blessed", 1)

    def baselines():
        inputs = {"model": [model, candidate], "model_blessing": blessings, "candidate": [candidate]}
        return PreviousBlessedModelStrategy().resolve_artifacts(None, inputs)["model"]

    assert baselines() == [model]
    blessings[0].set_int_custom_property("blessed", 0)
    assert baselines() == []


def test_last_word_of_a_node_on_a_model_counts():
    model, candidate = standard_artifacts.Model(), standard_artifacts.Model()
    model.id, candidate.id = 1, 9
    blessings = []
    for id_, validator, blessed in ((3, None, 1), (4, "DriftValidator", 0), (5, "BaselineValidator", 1)):
        blessing = standard_artifacts.ModelBlessing()
        blessing.id = id_
        blessing.set_int_custom_property("current_model_id", 1)
        blessing.set_int_custom_property("blessed", blessed)
        if validator:
            blessing.set_string_custom_property("validator", validator)
        blessings.append(blessing)

    def baselines():
        inputs = {"model": [model, candidate], "model_blessing": blessings, "candidate": [candidate]}
        return PreviousBlessedModelStrategy().resolve_artifacts(None, inputs)["model"]

    assert baselines() == []
    # The same data is accepted by a run with other thresholds: a cached model, judged again.
    accepted = standard_artifacts.ModelBlessing()
    accepted.id = 6
    accepted.set_int_custom_property("current_model_id", 1)
    accepted.set_int_custom_property("blessed", 1)
    accepted.set_string_custom_property("validator", "DriftValidator")
    blessings.insert(0, accepted)
    assert baselines() == [model]
