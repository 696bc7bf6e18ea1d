"""What Kubeflow's UI shows of a node: a Markdown page, and for the evaluation also numbers to compare runs by."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from components.evaluator.settings import EvaluatorSettings
from components.example_gen.counts import COUNTS_FILE
from pipeline.kubeflow.nodes.task_names import METRICS
from pipeline.results.summary import TITLES

_Event = metadata_store_pb2.Event
# A resolver makes nothing: what it found is an internal output.
_OUTPUTS = (_Event.OUTPUT, _Event.DECLARED_OUTPUT, _Event.INTERNAL_OUTPUT)
_INPUTS = (_Event.INPUT, _Event.DECLARED_INPUT, _Event.INTERNAL_INPUT)


class NodeReport(NamedTuple):
    """One node in one run.

    Attributes:
        node_id: of the node.
        state: "done", "cached", or why nothing was done.
        details: Markdown: tables of what the node found.
        inputs: key, artifact id and place.
        outputs: key, artifact id and place.
        metrics: by name, for Kubeflow's comparison of runs.
    """

    node_id: str
    state: str
    details: str = ""
    inputs: list[tuple[str, int, str]] = []
    outputs: list[tuple[str, int, str]] = []
    metrics: dict[str, float] = {}

    @staticmethod
    def of(
        node_id: str,
        state: str,
        store: mlmd.MetadataStore,
        execution: metadata_store_pb2.Execution,
        evaluator: str | None,
    ) -> NodeReport:
        """Reads a finished execution and its artifacts.

        Args:
            node_id: of the node.
            state: "done" or "cached".
            store: of ML Metadata.
            execution: is complete.
            evaluator: `EvaluatorSettings` as JSON, where the node evaluated.
        """
        events = store.get_events_by_execution_ids([execution.id])
        artifacts = {artifact.id: artifact for artifact in store.get_artifacts_by_id([e.artifact_id for e in events])}

        def those(kinds: tuple[int, ...]) -> list[tuple[str, metadata_store_pb2.Artifact]]:
            return sorted(
                ((event.path.steps[0].key, artifacts[event.artifact_id]) for event in events if event.type in kinds),
                key=lambda pair: (pair[0], pair[1].id),
            )

        inputs, outputs = those(_INPUTS), those(_OUTPUTS)
        details, metrics = _details(dict(outputs), evaluator)
        return NodeReport(node_id, state, details, _places(inputs), _places(outputs), metrics)

    def markdown(self) -> str:
        """The page."""
        parts = [f"# {self.node_id}\n\n**{self.state}**\n", self.details]
        for title, places in (("Inputs", self.inputs), ("Outputs", self.outputs)):
            if places:
                parts.append(f"## {title}\n\n{_table(('key', 'artifact', 'place'), places)}")
        return "\n".join(part for part in parts if part)


def write_report(report: NodeReport, file: str | None, executor_input: str | None) -> None:
    """Leaves the report where Kubeflow looks for it.

    Args:
        report: of the node.
        file: for the Markdown; None: nobody looks.
        executor_input: Kubeflow's description of the task as JSON; names the file through which metrics are told.
    """
    if file is not None:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        Path(file).write_text(report.markdown(), encoding="utf-8")
    if executor_input is not None and report.metrics:
        outputs = json.loads(executor_input)["outputs"]
        (artifact,) = outputs["artifacts"][METRICS]["artifacts"]
        told = {"artifacts": {METRICS: {"artifacts": [{**artifact, "metadata": report.metrics}]}}}
        os.makedirs(os.path.dirname(outputs["outputFile"]), exist_ok=True)
        Path(outputs["outputFile"]).write_text(json.dumps(told), encoding="utf-8")


def _details(outputs: Mapping[str, metadata_store_pb2.Artifact], evaluator: str | None) -> tuple[str, dict[str, float]]:
    # Imported by need: TensorFlow and TFMA take seconds, and most nodes do not use them.
    if "pushed_model" in outputs:
        from components.pusher.executor import PUSHED_VERSION

        version = outputs["pushed_model"].custom_properties[PUSHED_VERSION].string_value
        pushed = f"Version {version} is in place." if version else "The model is not blessed: nothing was pushed."
        return f"{pushed}\n", {}
    if "model_run" in outputs:
        from components.trainer.run_fn import HISTORY_FILE

        history = json.loads(_text(outputs["model_run"], HISTORY_FILE))
        shown = ("epoch", "seconds", "loss", *TITLES)
        names = [name for name in shown if history and name in history[0]]
        return _table(names, ([_number(row[name]) for name in names] for row in history)), {}
    if "examples" in outputs:
        counts = json.loads(_text(outputs["examples"], COUNTS_FILE))
        plain = ((name, f"{value:,}") for name, value in counts.items() if isinstance(value, int))
        return _table(("count", "value"), plain), {}
    if "evaluation" in outputs and evaluator is not None:
        return _evaluation(outputs["evaluation"].uri, EvaluatorSettings.model_validate_json(evaluator))
    if "evaluation" in outputs:
        from components.sequential_rules.result import read_result

        rules = read_result(outputs["evaluation"].uri)
        found = rules.metrics or {}
        rows = ((TITLES[name], _number(found[name])) for name in TITLES if name in found)
        return f"{rules.note or ''}\n\n{_table(('metric', 'counting'), rows)}".lstrip(), {}
    return "", {}


def _evaluation(uri: str, settings: EvaluatorSettings) -> tuple[str, dict[str, float]]:
    from components.evaluator.results import read_evaluation

    found = read_evaluation(uri, settings)
    names = [name for name in TITLES if name in found.model]
    rows = [(TITLES[name], _number(found.model[name]), _number(found.popularity.get(name, ""))) for name in names]
    verdict = f"**{'Blessed' if found.blessed else 'Not blessed'}**: {found.reason}\n"
    return f"{verdict}\n{_table(('metric', 'Caser', 'popularity'), rows)}", {n: found.model[n] for n in names}


def _places(artifacts: Iterable[tuple[str, metadata_store_pb2.Artifact]]) -> list[tuple[str, int, str]]:
    return [(key, artifact.id, artifact.uri) for key, artifact in artifacts]


def _text(artifact: metadata_store_pb2.Artifact, name: str) -> str:
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(artifact.uri, name), "r") as file:
        return file.read()


def _table(titles: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
