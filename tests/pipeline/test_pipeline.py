from tfx.utils.dependency_utils import make_beam_dependency_flags

from pipeline.config import Config
from pipeline.pipeline import create_pipeline


def test_no_local_node_packs_tfx_for_workers_that_there_are_not():
    args = create_pipeline(Config(), "data.csv", "out").beam_pipeline_args
    assert make_beam_dependency_flags(args) == args


def test_on_another_runner_tfx_may_pack_itself_for_the_workers():
    args = create_pipeline(Config(), "data.csv", "out", ["--runner=FlinkRunner"]).beam_pipeline_args
    assert args[-1] == "--runner=FlinkRunner"
    assert not any("image" in arg for arg in args)
