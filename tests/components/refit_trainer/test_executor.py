"""When a model is refitted, and how it is told what to repeat."""

import pytest
from tfx.types import channel_utils, standard_artifacts

from components.features import ALL
from components.refit_trainer.component import RefitTrainer
from components.refit_trainer.executor import EVALUATED_MODEL
from components.trainer import executor
from components.trainer.settings import TrainerSettings

BLESSINGS = ("model_blessing", "baseline_blessing", "drift_blessing")


def node(**settings):
    channels = {
        "examples": standard_artifacts.Examples,
        "transform_graph": standard_artifacts.TransformGraph,
        "evaluated_model": standard_artifacts.Model,
        **dict.fromkeys(BLESSINGS, standard_artifacts.ModelBlessing),
    }
    return RefitTrainer(**{name: channel_utils.as_channel([kind()]) for name, kind in channels.items()}, **settings)


@pytest.mark.parametrize("refused", [None, *BLESSINGS])
def test_refit_needs_all_blessings(refused, monkeypatch):
    calls = []
    monkeypatch.setattr(executor.Executor, "Do", lambda *arguments: calls.append(arguments))
    inputs = {}
    for name in BLESSINGS:
        inputs[name] = [standard_artifacts.ModelBlessing()]
        inputs[name][0].set_int_custom_property("blessed", int(name != refused))
    node().executor_spec.executor_class().Do(inputs, {}, {})
    assert bool(calls) == (refused is None)


def test_refit_trains_on_complete_histories_and_knows_the_evaluated_model(tmp_path):
    refit = node(seed=7, trainer=TrainerSettings(epochs=3))
    artifacts = {"examples": standard_artifacts.Examples(), "transform_graph": standard_artifacts.TransformGraph()}
    artifacts["examples"].split_names = f'["{ALL}"]'
    artifacts |= {"evaluated_model": standard_artifacts.Model(), "model": standard_artifacts.Model()}
    artifacts["model_run"] = standard_artifacts.ModelRun()
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
    inputs = {name: [artifacts[name]] for name in ("examples", "transform_graph", "evaluated_model")}
    outputs = {name: [artifacts[name]] for name in ("model", "model_run")}
    fn_args = refit.executor_spec.executor_class()._GetFnArgs(inputs, outputs, dict(refit.exec_properties))
    assert fn_args.train_files == [str(tmp_path / "examples" / f"Split-{ALL}" / "*")]
    assert fn_args.custom_config[EVALUATED_MODEL] == str(tmp_path / "evaluated_model" / "Format-Serving")
    assert (fn_args.custom_config["seed"], fn_args.custom_config["trainer"]["epochs"]) == (7, 3)
    assert refit.exec_properties["run_fn"] == "components.refit_trainer.refit_fn.refit_fn"
