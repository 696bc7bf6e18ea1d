"""Finds the output artifacts of the last run in ML Metadata, including reused ones."""

from __future__ import annotations

from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


def last_outputs(database: Path, pipeline_name: str) -> dict[tuple[str, str], metadata_store_pb2.Artifact]:
    """The output artifacts of the last run.

    Args:
        database: SQLite file of ML Metadata.
        pipeline_name: name of the pipeline.

    Returns:
        Artifacts by node id and output key, such as `("CaserTrainer", "model")`.
    """
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    store = mlmd.MetadataStore(config)

    run = max(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
    executions = {execution.id for execution in store.get_executions_by_context(run.id)}
    outputs: dict[tuple[str, str], metadata_store_pb2.Artifact] = {}
    for node in store.get_contexts_by_type("node"):
        name, _, node_id = node.name.partition(".")
        node_executions = executions & {execution.id for execution in store.get_executions_by_context(node.id)}
        if name != pipeline_name or not node_executions:
            continue
        events = [
            event for event in store.get_events_by_execution_ids([max(node_executions)]) if event.type in _OUTPUTS
        ]
        for event in events:
            (artifact,) = store.get_artifacts_by_id([event.artifact_id])
            outputs[node_id, event.path.steps[0].key] = artifact
    return outputs
