"""The components in somebody else's pipeline, beside TFX's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from tfx import v1 as tfx
from tfx.proto import transform_pb2

from components.example_gen.component import InteractionExampleGen
from components.example_gen.settings import SplitSettings
from components.export.signatures import SIGNATURES
from components.model.settings import ModelSettings
from components.trainer.component import CaserTrainer
from components.trainer.settings import TrainerSettings
from schemas import schema_path


@pytest.mark.long
def test_components_work_beside_stock_components(log, tmp_path):
    example_gen = InteractionExampleGen(path=str(log), split=SplitSettings(strategy="leave_last"))
    examples = example_gen.outputs["examples"]
    statistics = tfx.components.StatisticsGen(examples=examples)
    schema = tfx.components.ImportSchemaGen(schema_file=schema_path("interactions"))
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=examples,
        schema=schema.outputs["schema"],
        preprocessing_fn="components.transform.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=["train"]),
        disable_statistics=True,
    )
    trainer = CaserTrainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model=ModelSettings(d=4),
        trainer=TrainerSettings(epochs=1),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(tmp_path / "serving"))
        ),
    )
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="theirs",
            pipeline_root=str(tmp_path / "root"),
            components=[example_gen, statistics, schema, validator, transform, trainer, pusher],
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(tmp_path / "metadata.sqlite")
            ),
            beam_pipeline_args=["--runner=FnApiRunner", "--direct_running_mode=in_memory"],
        )
    )
    # TFX reloads the module of a `run_fn` to run it; the next pipeline of this process uses the class from before.
    CaserTrainer(
        examples=transform.outputs["transformed_examples"], transform_graph=transform.outputs["transform_graph"]
    )
    (version,) = Path(tmp_path / "serving").iterdir()
    assert set(tf.saved_model.load(str(version)).signatures) == SIGNATURES.keys()
