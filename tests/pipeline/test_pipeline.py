import apache_beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.utils.dependency_utils import make_beam_dependency_flags

from pipeline.config.config import Config
from pipeline.pipeline import create_pipeline


def test_no_local_node_packs_tfx_for_workers_that_there_are_not():
    args = create_pipeline(Config(), "data.csv", "out").beam_pipeline_args
    assert make_beam_dependency_flags(args) == args


def test_local_nodes_run_where_no_binary_has_to_be_fetched():
    args = create_pipeline(Config(), "data.csv", "out").beam_pipeline_args
    assert type(apache_beam.Pipeline(argv=args).runner) is FnApiRunner


def test_on_another_runner_tfx_may_pack_itself_for_the_workers():
    args = create_pipeline(Config(), "data.csv", "out", ["--runner=FlinkRunner"]).beam_pipeline_args
    assert args[-1] == "--runner=FlinkRunner"
    assert not any("image" in arg for arg in args)
