"""What a real exported model does not know of real Examples."""

import pytest
from tfx.types import standard_artifacts

from components.drift_validator.component import DriftValidator
from components.drift_validator.executor import unknown_to
from components.drift_validator.result import DriftValidation
from components.example_gen.raw_examples import serialize_example
from components.example_gen.shards import write_shard
from tests.support import small_servable


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_servable.save(tmp_path_factory.mktemp("model") / "Format-Serving")


def split(folder, **histories):
    records = [
        serialize_example(user.encode(), [item.encode() for item in items], []) for user, items in histories.items()
    ]
    write_shard(str(folder / "Split-all"), "data", 0, 1, records)
    return str(folder / "Split-all")


def test_unknown_shares_count_users_with_two_interactions_and_all_interactions(model, tmp_path):
    # u9 is new; u8 is new, too, but has one interaction, as users that a vocabulary leaves out.
    users = split(tmp_path, u0=["i0", "i1"], u1=["i2", "new"], u9=["i3", "new", "new"], u8=["i1"])
    unknown = unknown_to(model, users)
    assert (unknown.users, unknown.items) == (pytest.approx(1 / 3), pytest.approx(3 / 8))


def test_node_without_an_earlier_model_blesses(tmp_path):
    outputs = {"blessing": [standard_artifacts.ModelBlessing()], "validation": [standard_artifacts.ExampleAnomalies()]}
    for name, (artifact,) in outputs.items():
        artifact.uri = str(tmp_path / name)
    inputs = {
        "model": [standard_artifacts.Model()],
        "examples": [standard_artifacts.Examples()],
        "statistics": [standard_artifacts.ExampleStatistics()],
    }
    DriftValidator.EXECUTOR_SPEC.executor_class().Do(inputs, outputs, {"settings": "{}"})
    assert outputs["blessing"][0].get_int_custom_property("blessed") == 1
    assert DriftValidation.read(str(tmp_path / "validation")).measurements == {}
