"""Finds what the newest run used and made, also where a node's outputs were reused from an earlier run."""

from __future__ import annotations

from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


def newest_outputs(database: Path, pipeline_name: str) -> dict[tuple[str, str], metadata_store_pb2.Artifact]:
    """The output artifacts of the newest run in an MLMD store.

    Args:
        database: SQLite file of ML Metadata.
        pipeline_name: of the run's pipeline.

    Returns:
        The artifacts by node id and output key, such as `("CaserTrainer", "model")`.
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
        mine = executions & {execution.id for execution in store.get_executions_by_context(node.id)}
        if name != pipeline_name or not mine:
            continue
        events = [event for event in store.get_events_by_execution_ids([max(mine)]) if event.type in _OUTPUTS]
        for event in events:
            (artifact,) = store.get_artifacts_by_id([event.artifact_id])
            outputs[node_id, event.path.steps[0].key] = artifact
    return outputs
