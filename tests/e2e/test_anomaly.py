"""Data that do not fit the schema stop a pipeline before training."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tfx import v1 as tfx

from components.example_validator.component import HistoryValidator
from pipeline.console.root_cause import root_cause
from pipeline.local.runner import run
from pipeline.pipeline import LOCAL_BEAM_ARGS
from schemas import schema_path


class Nodes:
    """Remembers which nodes began."""

    def __init__(self):
        self.began = []

    def on_node_start(self, node_id):
        self.began.append(node_id)

    def on_node_end(self, node_id, state, seconds):
        pass

    def on_node_failed(self, node_id, error, seconds):
        pass


def test_anomaly_stops_the_pipeline_before_transform(tmp_path):
    (tmp_path / "data").mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / "data" / "examples")) as writer:
        for user in (b"ann", b"bob"):
            features = {
                "user_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[user])),
                "item_ids": tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    example_gen = tfx.components.ImportExampleGen(input_base=str(tmp_path / "data"))
    statistics = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema = tfx.components.ImportSchemaGen(schema_file=schema_path("interactions"))
    validator = HistoryValidator(statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"])
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="components.transform.preprocessing.preprocessing_fn",
    )
    transform.add_upstream_node(validator)
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="guarded",
        pipeline_root=str(tmp_path / "root"),
        components=[example_gen, statistics, schema, validator, transform],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(tmp_path / "metadata.sqlite")
        ),
        beam_pipeline_args=list(LOCAL_BEAM_ARGS),
    )
    nodes = Nodes()
    with pytest.raises(Exception, match="item_ids") as raised:
        run(pipeline, nodes)
    failure = root_cause(raised.value)
    assert failure.is_user_error
    assert "feature `item_ids`: Unexpected data type" in failure.text
    assert nodes.began[-1] == "HistoryValidator"
