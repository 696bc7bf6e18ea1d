"""Which run the data is compared with, in real runs of a small pipeline."""

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from components.drift_validator.baseline_resolver import LastBlessedRunStrategy


@component
def Gen(examples: OutputArtifact[standard_artifacts.Examples], data: Parameter[str]):  # noqa: N802 -- names of nodes
    examples.set_string_custom_property("data", data)


@component
def Statistics(  # noqa: N802 -- names of nodes
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: OutputArtifact[standard_artifacts.ExampleStatistics],
):
    statistics.set_string_custom_property("data", examples.get_string_custom_property("data"))


@component
def Train(  # noqa: N802 -- names of nodes
    raw_examples: InputArtifact[standard_artifacts.Examples],
    model: OutputArtifact[standard_artifacts.Model],
    setting: Parameter[str],
):
    model.set_string_custom_property("data", raw_examples.get_string_custom_property("data"))
    model.set_string_custom_property("setting", setting)


@component
def Compare(  # noqa: N802 -- names of nodes
    model: InputArtifact[standard_artifacts.Model],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
    baseline_statistics: InputArtifact[standard_artifacts.ExampleStatistics] = None,
):
    """Refuses what is broken, and writes down what it was compared with."""
    data = model.get_string_custom_property("data")
    others = [one.get_string_custom_property("data") if one else None for one in (baseline_model, baseline_statistics)]
    blessing.set_int_custom_property("current_model_id", model.id)
    blessing.set_int_custom_property("blessed", int("broken" not in data))
    blessing.set_string_custom_property("comparison", f"{data}: {others[0]}, {others[1]}")


def run(folder, data, setting="a"):
    """Runs the pipeline; returns all comparisons until now, oldest first."""
    gen = Gen(data=data)
    statistics = Statistics(examples=gen.outputs["examples"])
    train = Train(raw_examples=gen.outputs["examples"], setting=setting)
    resolver = tfx.dsl.Resolver(
        strategy_class=LastBlessedRunStrategy,
        model=tfx.dsl.Channel(type=standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=standard_artifacts.ModelBlessing),
        statistics=tfx.dsl.Channel(type=standard_artifacts.ExampleStatistics),
        candidate=statistics.outputs["statistics"],
    ).with_id("LastBlessedRun")
    compare = Compare(
        model=train.outputs["model"],
        baseline_model=resolver.outputs["model"],
        baseline_statistics=resolver.outputs["statistics"],
    )
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="drift",
            pipeline_root=str(folder),
            components=[gen, statistics, train, resolver, compare],
            enable_cache=True,
            metadata_connection_config=connection,
        )
    )
    with metadata.Metadata(connection) as handle:
        blessings = handle.store.get_artifacts_by_type("ModelBlessing")
    ordered = sorted(blessings, key=lambda blessing: blessing.id)
    return [blessing.custom_properties["comparison"].string_value for blessing in ordered]


def test_data_is_compared_with_that_of_the_last_blessed_model(tmp_path):
    expected = ["may: None, None"]
    assert run(tmp_path, "may") == expected
    # A second run on the same data is compared with nothing again: all nodes are reused.
    assert run(tmp_path, "may") == expected
    expected.append("june: may, may")
    assert run(tmp_path, "june") == expected
    # Other settings on the same data: the models of this data are no baseline.
    expected.append("june: may, may")
    assert run(tmp_path, "june", setting="b") == expected
    expected.append("broken july: june, june")
    assert run(tmp_path, "broken july") == expected
    expected.append("july: june, june")
    assert run(tmp_path, "july") == expected
