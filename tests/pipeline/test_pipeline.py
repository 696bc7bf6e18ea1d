import apache_beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.utils.dependency_utils import make_beam_dependency_flags

from pipeline.config.config import Config
from pipeline.pipeline import create_pipeline


def test_local_nodes_do_not_package_tfx():
    args = create_pipeline(Config(), "data.csv", "out").beam_pipeline_args
    assert make_beam_dependency_flags(args) == args


def test_local_nodes_use_the_fn_api_runner():
    args = create_pipeline(Config(), "data.csv", "out").beam_pipeline_args
    assert type(apache_beam.Pipeline(argv=args).runner) is FnApiRunner


def test_other_runner_may_package_tfx():
    args = create_pipeline(Config(), "data.csv", "out", ["--runner=FlinkRunner"]).beam_pipeline_args
    assert args[-1] == "--runner=FlinkRunner"
    assert not any("image" in arg for arg in args)


def test_user_code_is_imported_from_the_package():
    nodes = {node.id: node.exec_properties for node in create_pipeline(Config(), "data.csv", "out").components}
    assert not [name for name, properties in nodes.items() if properties.get("module_file")]
    assert nodes["Transform"]["preprocessing_fn"] == "components.transform.preprocessing.preprocessing_fn"


def test_base_model_is_resolved_for_a_warm_start_only():
    def trainer_inputs(warm_start):
        config = Config(trainer={"warm_start": warm_start})
        nodes = {node.id: node for node in create_pipeline(config, "data.csv", "out").components}
        return "BaseModel" in nodes, "base_model" in nodes["CaserTrainer"].inputs

    assert [trainer_inputs(True), trainer_inputs(False)] == [(True, True), (False, False)]


def test_trainers_take_tuned_hyperparameters_if_there_is_a_search():
    def nodes(enabled):
        config = Config(tuner={"enabled": enabled}, refit={"enabled": True})
        return {node.id: node for node in create_pipeline(config, "data.csv", "out").components}

    assert "CaserTuner" not in nodes(False)
    tuned = nodes(True)
    for trainer in ("CaserTrainer", "RefitTrainer"):
        assert "hyperparameters" not in nodes(False)[trainer].inputs
        (channel,) = (tuned[trainer].inputs["hyperparameters"],)
        assert channel.producer_component_id == "CaserTuner"


def test_pipeline_until_a_node_has_nothing_behind_it():
    config = Config(tuner={"enabled": True})
    nodes = [node.id for node in create_pipeline(config, "data.csv", "out", until="CaserTuner").components]
    assert set(nodes) == {
        "InteractionExampleGen",
        "StatisticsGen",
        "ImportSchemaGen",
        "HistoryValidator",
        "Transform",
        "SequentialRules",
        "CaserTuner",
    }
