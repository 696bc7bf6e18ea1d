"""The exit task of a run: `python -m pipeline.kubeflow.step.report_run` reports it to a webhook if something is wrong.

What happened is read from ML Metadata, which knows it in every release of Kubeflow. The report is a JSON object with a
`text`, as chat services expect it. A run whose model was pushed is not reported.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click
import ml_metadata as mlmd
import urllib3
from ml_metadata.proto import metadata_store_pb2

from components.errors import UserError
from pipeline.kubeflow.compiler.exit_task import WEBHOOK
from pipeline.kubeflow.metadata.client import connect
from pipeline.pipeline import PIPELINE_NAME

_Execution = metadata_store_pb2.Execution
_DONE = (_Execution.COMPLETE, _Execution.CACHED)
_PUSHER = "CaserPusher"
FAILED, NOT_BLESSED, UNKNOWN = "failed", "not blessed", "unknown"


class Report(NamedTuple):
    """What is wrong with a run.

    Attributes:
        run_id: ID of the run.
        state: "failed", "not blessed" or "unknown".
        nodes: nodes that failed, and those that did not run because of it.
        text: one sentence.
    """

    run_id: str
    state: str
    nodes: list[str]
    text: str


def report_of(store: mlmd.MetadataStore, run_id: str, nodes: Sequence[str], push: bool) -> Report | None:
    """Finds out what is wrong with a run.

    Args:
        store: ML Metadata.
        run_id: ID of the run.
        nodes: all nodes of the pipeline.
        push: whether blessed models are pushed in this run.

    Returns:
        The report; None if all is well.
    """
    context = store.get_context_by_type_and_name("pipeline_run", run_id)
    executions = store.get_executions_by_context(context.id) if context else []
    done = {_node(store, execution) for execution in executions if execution.last_known_state in _DONE}
    missing = [node for node in nodes if node not in done and (push or node != _PUSHER)]
    if missing:
        failed = [
            node for node in missing if any(_node(store, execution) == node for execution in executions)
        ] or missing[:1]
        return Report(run_id, FAILED, missing, f"Run {run_id} of {PIPELINE_NAME} failed: {', '.join(failed)}.")
    if push and not _pushed(store, executions):
        return Report(
            run_id, NOT_BLESSED, [], f"Run {run_id} of {PIPELINE_NAME}: the model is not blessed, and was not pushed."
        )
    return None


def _node(store: mlmd.MetadataStore, execution: Any) -> str:
    """The node of an execution, from its context `PIPELINE.NODE`."""
    names = [context.name for context in store.get_contexts_by_execution(execution.id) if context.type == "node"]
    return names[0].rpartition(".")[2] if names else ""


def _pushed(store: mlmd.MetadataStore, executions: Sequence[Any]) -> bool:
    pushers = [execution.id for execution in executions if _node(store, execution) == _PUSHER]
    events = store.get_events_by_execution_ids(pushers)
    artifacts = store.get_artifacts_by_id([event.artifact_id for event in events])
    return any(artifact.custom_properties["pushed"].int_value for artifact in artifacts)


def send(report: Report, url: str) -> None:
    """Posts a report.

    Args:
        report: the report.
        url: URL of the webhook.

    Raises:
        UserError: the webhook cannot be reached, or refuses.
    """
    retries = urllib3.Retry(total=5, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None)
    body = json.dumps(report._asdict()).encode()
    headers = {"Content-Type": "application/json"}
    try:
        response = urllib3.PoolManager().request(
            "POST", url, body=body, headers=headers, retries=retries, timeout=30, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        # The URL itself may be a secret.
        raise UserError(f"The webhook cannot be reached: {type(error).__name__}. Hint: check `webhook`.") from None
    if response.status >= 300:
        raise UserError(f"The webhook refused the report: HTTP {response.status}. Hint: check `webhook`.")


@click.command()
@click.option("--run-id", required=True)
@click.option("--push", required=True)
@click.option("--metadata", required=True)
@click.option("--metadata-timeout", required=True, type=int)
@click.option("--nodes", required=True)
def main(run_id: str, push: str, metadata: str, metadata_timeout: int, nodes: str) -> None:
    """Report a run to the webhook in the environment if something is wrong with it."""
    try:
        try:
            with connect(metadata, metadata_timeout) as handle:
                report = report_of(handle.store, run_id, nodes.split(","), push.lower() == "true")
        except UserError as error:
            report = Report(run_id, UNKNOWN, [], f"Run {run_id} of {PIPELINE_NAME}: its state is unknown. {error}")
        if report is not None:
            send(report, os.environ[WEBHOOK])
    except UserError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    click.echo(report.text if report else "nothing to report")


if __name__ == "__main__":
    main()
