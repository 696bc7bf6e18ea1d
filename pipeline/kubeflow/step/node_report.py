"""Report of a node for Kubeflow's UI: a Markdown page, and metrics for the comparison of runs."""

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
# The result of a resolver is an internal output.
_OUTPUTS = (_Event.OUTPUT, _Event.DECLARED_OUTPUT, _Event.INTERNAL_OUTPUT)
_INPUTS = (_Event.INPUT, _Event.DECLARED_INPUT, _Event.INTERNAL_INPUT)


class NodeReport(NamedTuple):
    """Report of one node in one run.

    Attributes:
        node_id: node id.
        state: "done", "cached", or why the node was skipped.
        details: Markdown tables with results of the node.
        inputs: key, artifact id and URI of each input.
        outputs: key, artifact id and URI of each output.
        metrics: metrics by name, for Kubeflow's comparison of runs.
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
            node_id: node id.
            state: "done" or "cached".
            store: ML Metadata.
            execution: the finished execution.
            evaluator: `EvaluatorSettings` as JSON, for the Evaluator.
        """
        events = store.get_events_by_execution_ids([execution.id])
        artifacts = {artifact.id: artifact for artifact in store.get_artifacts_by_id([e.artifact_id for e in events])}

        def artifacts_of(kinds: tuple[int, ...]) -> list[tuple[str, metadata_store_pb2.Artifact]]:
            return sorted(
                ((event.path.steps[0].key, artifacts[event.artifact_id]) for event in events if event.type in kinds),
                key=lambda pair: (pair[0], pair[1].id),
            )

        inputs, outputs = artifacts_of(_INPUTS), artifacts_of(_OUTPUTS)
        details, metrics = _details(node_id, dict(outputs), evaluator)
        return NodeReport(node_id, state, details, _uris(inputs), _uris(outputs), metrics)

    def markdown(self) -> str:
        """The Markdown page."""
        parts = [f"# {self.node_id}\n\n**{self.state}**\n", self.details]
        for title, artifacts in (("Inputs", self.inputs), ("Outputs", self.outputs)):
            if artifacts:
                parts.append(f"## {title}\n\n{_table(('key', 'artifact', 'URI'), artifacts)}")
        return "\n".join(part for part in parts if part)


def write_report(report: NodeReport, file: str | None, executor_input: str | None) -> None:
    """Writes the report where Kubeflow reads it.

    Args:
        report: report of the node.
        file: path of the Markdown page; None: no page.
        executor_input: Kubeflow's ExecutorInput as JSON; names the file for metrics.
    """
    if file is not None:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        Path(file).write_text(report.markdown(), encoding="utf-8")
    if executor_input is not None and report.metrics:
        outputs = json.loads(executor_input)["outputs"]
        (artifact,) = outputs["artifacts"][METRICS]["artifacts"]
        output_metadata = {"artifacts": {METRICS: {"artifacts": [{**artifact, "metadata": report.metrics}]}}}
        os.makedirs(os.path.dirname(outputs["outputFile"]), exist_ok=True)
        Path(outputs["outputFile"]).write_text(json.dumps(output_metadata), encoding="utf-8")


def _details(
    node_id: str, outputs: Mapping[str, metadata_store_pb2.Artifact], evaluator: str | None
) -> tuple[str, dict[str, float]]:
    # Imported by need: TensorFlow and TFMA take seconds, and most nodes do not need them.
    if "pushed_model" in outputs:
        from components.pusher.executor import PUSHED_VERSION

        version = outputs["pushed_model"].custom_properties[PUSHED_VERSION].string_value
        pushed = f"Published version {version}." if version else "Not published: a blessing is missing."
        return f"{pushed}\n", {}
    if "model_run" in outputs:
        from tfx.dsl.io import fileio

        from components.trainer.run_fn import HISTORY_FILE

        if not fileio.exists(os.path.join(outputs["model_run"].uri, HISTORY_FILE)):
            return "Not trained: the evaluated model is not blessed.\n", {}
        history = json.loads(_text(outputs["model_run"], HISTORY_FILE))
        columns = ("epoch", "seconds", "loss", *TITLES)
        names = [name for name in columns if history and name in history[0]]
        return _table(names, ([_number(row[name]) for name in names] for row in history)), {}
    if "examples" in outputs:
        counts = json.loads(_text(outputs["examples"], COUNTS_FILE))
        totals = ((name, f"{value:,}") for name, value in counts.items() if isinstance(value, int))
        return _table(("count", "value"), totals), {}
    if "evaluation" in outputs and evaluator is not None:
        return _evaluation(outputs["evaluation"].uri, EvaluatorSettings.model_validate_json(evaluator))
    if "validation" in outputs:
        return _VALIDATIONS[node_id](outputs["validation"].uri), {}
    if "tuner_results" in outputs:
        return _tuning(outputs["tuner_results"].uri), {}
    if "rules" in outputs:
        from components.sequential_rules.artifact import read_choice

        rules = read_choice(outputs["rules"].uri)
        return f"{rules.note}\n\n{_table(('setting', 'value'), rules.settings.items())}".lstrip(), {}
    return "", {}


def _baselines(uri: str) -> str:
    from components.baseline_validator.result import read_result

    comparison, notes = read_result(uri)
    verdict = f"**{'Blessed' if comparison.blessed else 'Not blessed'}**: {comparison.reason}\n"
    columns = comparison.metrics
    rows = [
        (TITLES[name], *(_number(metrics.get(name, "")) for metrics in columns.values()))
        for name in TITLES
        if name in columns.get("test", {})
    ]
    skipped = "".join(f"{name.replace('_', ' ')}: {note}\n\n" for name, note in notes.items())
    return f"{verdict}\n{skipped}{_table(('metric', *(name.replace('_', ' ') for name in columns)), rows)}"


def _tuning(uri: str) -> str:
    from pipeline.results.tuning import read_trials

    tuning = read_trials(uri)
    best = sorted(tuning.trials, key=lambda trial: -trial.score)
    names = list(tuning.trials[0].parameters)
    rows = [(trial.number, _number(trial.score), *(trial.parameters[name] for name in names)) for trial in best]
    return f"{tuning.describe('Metric')}\n\n{_table(('trial', 'metric on valid', *names), rows)}"


def _drift(uri: str) -> str:
    from components.drift_validator.result import DriftValidation

    result = DriftValidation.read(uri)
    rows = ((name, measurement.text) for name, measurement in result.measurements.items())
    return (
        f"**{'Blessed' if result.blessed else 'Not blessed'}**: {result.reason}\n\n{result.hint}\n\n"
        f"{_table(('drift', 'value'), rows)}"
    )


def _refit(uri: str) -> str:
    from components.refit_validator.checks import RefitValidation

    values = RefitValidation.read(uri)._asdict()
    verdict = f"**{'Blessed' if values.pop('blessed') else 'Not blessed'}**: {values.pop('reason')}\n"
    rows = ((name.replace("_", " "), _number(value)) for name, value in values.items())
    return f"{verdict}\n{_table(('check', 'value'), rows)}"


_VALIDATIONS = {"BaselineValidator": _baselines, "DriftValidator": _drift, "RefitValidator": _refit}


def _evaluation(uri: str, settings: EvaluatorSettings) -> tuple[str, dict[str, float]]:
    from components.evaluator.results import read_evaluation

    evaluation = read_evaluation(uri, settings)
    served, popularity = evaluation.parts[""], evaluation.parts.get("popularity_", {})
    names = [name for name in TITLES if name in served]
    rows = [(TITLES[name], _number(served[name]), _number(popularity.get(name, ""))) for name in names]
    verdict = f"**{'Blessed' if evaluation.blessed else 'Not blessed'}**: {evaluation.reason}\n"
    return f"{verdict}\n{_table(('metric', 'served', 'popularity'), rows)}", {name: served[name] for name in names}


def _uris(artifacts: Iterable[tuple[str, metadata_store_pb2.Artifact]]) -> list[tuple[str, int, str]]:
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
