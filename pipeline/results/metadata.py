"""Reads ML Metadata: the output artifacts of a run, including reused ones."""

from __future__ import annotations

from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


def open_store(database: Path) -> mlmd.MetadataStore:
    """Opens a database for reading.

    Args:
        database: SQLite file of ML Metadata.
    """
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    return mlmd.MetadataStore(config)


def last_outputs(database: Path, pipeline_name: str) -> dict[tuple[str, str], metadata_store_pb2.Artifact]:
    """The output artifacts of the last run.

    Args:
        database: SQLite file of ML Metadata.
        pipeline_name: name of the pipeline.

    Returns:
        Artifacts by node id and output key, such as `("CaserTrainer", "model")`.
    """
    store = open_store(database)
    run = max(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
    return outputs_of(store, run, pipeline_name)


def outputs_of(
    store: mlmd.MetadataStore, run: metadata_store_pb2.Context, pipeline_name: str
) -> dict[tuple[str, str], metadata_store_pb2.Artifact]:
    """The output artifacts of a run.

    Args:
        store: an open database.
        run: context of the run.
        pipeline_name: name of the pipeline.

    Returns:
        See `last_outputs`.
    """
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
