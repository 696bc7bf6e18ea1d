"""The runs of an output directory, from ML Metadata: when, on what, with which settings, and how good."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.baseline_validator.comparison import SERVED
from components.baseline_validator.result import read_result
from components.errors import UserError
from components.example_gen.counts import COUNTS_FILE
from components.files import read_text
from components.pusher.executor import PUSHED_VERSION
from pipeline.results.metadata import open_store, outputs_of

_State = metadata_store_pb2.Execution
_DONE = {_State.COMPLETE, _State.CACHED}
# Sections of the configuration whose settings are an execution property of a node.
_SECTIONS = {
    "Neighbours": "neighbours",
    "SequentialRules": "sequential_rules",
    "BaselineValidator": "evaluator",
    "DriftValidator": "drift",
    "RefitValidator": "refit",
    "BatchRecommender": "batch",
    "CaserPusher": "pusher",
    "CaserTuner": "tuner",
    "MlflowTracker": "mlflow",
}


class Run(NamedTuple):
    """One run.

    Attributes:
        number: from 1, in the order of time.
        started: time of the start, UTC.
        is_complete: whether every node succeeded.
        failed: nodes that failed.
        files: input files; empty if ExampleGen did not succeed.
        interactions: remaining interactions, or None.
        settings: by dotted key; those of nodes that ran.
        metrics: of what is served, on the evaluated split; empty if it was not evaluated.
        blessed: whether the model was blessed; None if that was not decided.
        version: the version that was pushed, or None.
    """

    number: int
    started: datetime.datetime
    is_complete: bool
    failed: list[str]
    files: list[str]
    interactions: int | None
    settings: dict[str, Any]
    metrics: dict[str, float]
    blessed: bool | None
    version: str | None


def read_runs(database: Path, pipeline_name: str) -> list[Run]:
    """All runs, oldest first.

    Args:
        database: SQLite file of ML Metadata.
        pipeline_name: name of the pipeline.

    Raises:
        UserError: there is no database.
    """
    if not database.is_file():
        raise UserError(f"{database.parent} is no output of a run: it has no {database.name}. Hint: pass --output DIR.")
    store = open_store(database)
    contexts = sorted(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id)
    return [_run(store, context, number, pipeline_name) for number, context in enumerate(contexts, start=1)]


def differences(one: Run, other: Run) -> dict[str, tuple[Any, Any]]:
    """What differs between two runs: data, settings and metrics, by name.

    Args:
        one: a run.
        other: another run.

    Returns:
        Both values; None where a run has none.
    """
    sides = [{"data": " ".join(run.files), "interactions": run.interactions, **run.settings} for run in (one, other)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    pairs = {name: (sides[0].get(name), sides[1].get(name)) for name in names}
    different = {name: values for name, values in pairs.items() if values[0] != values[1]}
    metrics = dict.fromkeys([*one.metrics, *other.metrics])
    return different | {name: (one.metrics.get(name), other.metrics.get(name)) for name in metrics}


def _run(store: mlmd.MetadataStore, context: metadata_store_pb2.Context, number: int, pipeline_name: str) -> Run:
    executions = store.get_executions_by_context(context.id)
    outputs = {key: artifact for key, artifact in outputs_of(store, context, pipeline_name).items() if artifact.uri}
    nodes = dict(_nodes(store, executions))
    failed = [node for node, execution in nodes.items() if execution.last_known_state not in _DONE]
    counts = _counts(outputs)
    comparison = _comparison(outputs)
    pushed = outputs.get(("CaserPusher", "pushed_model"))
    return Run(
        number,
        datetime.datetime.fromtimestamp(context.create_time_since_epoch / 1e3, datetime.timezone.utc),
        bool(nodes) and not failed and comparison is not None,
        failed,
        list(counts.get("files", [])),
        counts.get("interactions"),
        dict(_settings(nodes)),
        dict(comparison.metrics.get(SERVED, {})) if comparison else {},
        _blessed(outputs),
        pushed.custom_properties[PUSHED_VERSION].string_value or None if pushed else None,
    )


def _nodes(
    store: mlmd.MetadataStore, executions: list[metadata_store_pb2.Execution]
) -> Iterator[tuple[str, metadata_store_pb2.Execution]]:
    for execution in sorted(executions, key=lambda execution: execution.id):
        for context in store.get_contexts_by_execution(execution.id):
            if context.type == "node":
                yield context.name.partition(".")[2], execution


def _settings(nodes: Mapping[str, metadata_store_pb2.Execution]) -> Iterator[tuple[str, Any]]:
    for node, execution in nodes.items():
        properties = {name: value.string_value for name, value in execution.custom_properties.items()}
        if section := _SECTIONS.get(node):
            yield from _flat(json.loads(properties.get("settings") or "{}"), section)
        if custom := json.loads(properties.get("custom_config") or "null"):
            # ExampleGen's are a message of protobuf in JSON.
            if "value" in (message := custom.get("custom_config", {})):
                custom = json.loads(message["value"])
            for name, values in custom.items():
                yield from _flat(values, name) if isinstance(values, dict) else [(name, values)]


def _flat(values: Mapping[str, Any], section: str) -> Iterator[tuple[str, Any]]:
    return ((f"{section}.{name}", value) for name, value in values.items())


def _counts(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> dict[str, Any]:
    examples = outputs.get(("InteractionExampleGen", "examples"))
    try:
        return dict(json.loads(read_text(f"{examples.uri}/{COUNTS_FILE}"))) if examples else {}
    except OSError:  # removed since
        return {}


def _comparison(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> Any:
    validation = outputs.get(("BaselineValidator", "validation"))
    try:
        return read_result(validation.uri).comparison if validation else None
    except (OSError, KeyError, TypeError):  # removed since, or written by another version
        return None


def _blessed(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> bool | None:
    verdicts = {node: outputs.get((node, "blessing")) for node in ("Evaluator", "BaselineValidator", "DriftValidator")}
    if verdicts["Evaluator"] is None or verdicts["BaselineValidator"] is None:
        return None
    return all(verdict.custom_properties["blessed"].int_value for verdict in verdicts.values() if verdict)
