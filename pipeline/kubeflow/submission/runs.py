"""Starts runs on a cluster, once or on a schedule, and follows them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.errors import UserError
from pipeline.kubeflow.compiler.parameter_values import param_values
from pipeline.kubeflow.compiler.spec_file import read_spec
from pipeline.kubeflow.nodes.task_names import node_id
from pipeline.kubeflow.submission.api import Access, connection, upload

if TYPE_CHECKING:
    import kfp

    from pipeline.console.live_display import RunConsole

SUCCEEDED, FAILED = 0, 1
_RUNNING = ("RUNTIME_STATE_UNSPECIFIED", "PENDING", "RUNNING", "PAUSED", "CANCELING", None)
_CRON_FIELDS = 6


class SubmitRequest(NamedTuple):
    """Arguments of `caser kubeflow submit` and `schedule`.

    Attributes:
        pipeline: the compiled pipeline.
        access: how to reach the API.
        params: run parameters, `name=value` each.
        experiment: experiment of the run in Kubeflow's UI.
        service_account: service account of the tasks; None: Kubeflow's default.
        poll_seconds: polling interval.
    """

    pipeline: Path
    access: Access
    params: tuple[str, ...] = ()
    experiment: str = "caser"
    service_account: str | None = None
    poll_seconds: float = 5.0


def submit(request: SubmitRequest, wait: bool, console: RunConsole) -> int:
    """Starts a run.

    Args:
        request: arguments of the command.
        wait: whether to follow the run until it ends.
        console: shows the nodes.

    Returns:
        The exit status: 0, or 1 if the run was followed and failed.

    Raises:
        UserError: the file or a parameter is invalid, or the cluster refuses the request.
    """
    with _prepare(request) as prepared:
        run = prepared.client.run_pipeline(
            job_name=f"{prepared.name} {time.strftime('%Y-%m-%d %H:%M:%S')}", **prepared.arguments
        )
        link = f"{request.access.host.rstrip('/')}/#/runs/details/{run.run_id}"
        console.console.print(f"\nrun {run.run_id}\n{link}", markup=False, soft_wrap=True)
        if not wait:
            return SUCCEEDED
        return _follow(prepared.client, run.run_id, prepared.tasks, console, request.poll_seconds)


def schedule(request: SubmitRequest, cron: str) -> str:
    """Creates a recurring run; with a `{SPAN}` pattern, each run reads the latest span.

    Args:
        request: arguments of the command.
        cron: Kubeflow's six cron fields, seconds first; with five fields, seconds are 0.

    Returns:
        The ID of the recurring run.

    Raises:
        UserError: the schedule, the file or a parameter is invalid, or the cluster refuses the request.
    """
    fields = cron.split()
    if len(fields) == _CRON_FIELDS - 1:
        fields = ["0", *fields]
    if len(fields) != _CRON_FIELDS:
        raise UserError(f"--cron should have five or six fields, such as '0 3 * * *' for 3 o'clock. Received: {cron!r}")
    with _prepare(request) as prepared:
        recurring = prepared.client.create_recurring_run(
            job_name=f"{prepared.name} {' '.join(fields)}",
            cron_expression=" ".join(fields),
            max_concurrency=1,
            no_catchup=True,
            **prepared.arguments,
        )
        return str(recurring.recurring_run_id)


class _Prepared(NamedTuple):
    """A client and the arguments shared by single and recurring runs."""

    client: kfp.Client
    name: str
    tasks: Collection[str]
    arguments: dict[str, Any]


@contextlib.contextmanager
def _prepare(request: SubmitRequest) -> Iterator[_Prepared]:
    pipeline = read_spec(request.pipeline).pipeline
    name, values = pipeline["pipelineInfo"]["name"], param_values(pipeline, request.params)
    with connection(request.access) as client:
        version = upload(client, request.pipeline, name, request.access.namespace)
        experiment = client.create_experiment(request.experiment, namespace=request.access.namespace)
        arguments = {
            "experiment_id": experiment.experiment_id,
            "params": values,
            "pipeline_id": version.pipeline_id,
            "version_id": version.version_id,
            "service_account": request.service_account,
        }
        yield _Prepared(client, name, pipeline["root"]["dag"]["tasks"], arguments)


def _follow(client: kfp.Client, run_id: str, tasks: Collection[str], console: RunConsole, poll_seconds: float) -> int:
    """Shows each node when it starts and ends; durations are those of the cluster."""
    started: set[str] = set()
    ended: set[str] = set()
    while True:
        run = client.get_run(run_id)
        details = run.run_details.task_details or [] if run.run_details else []
        for detail in details:
            task = detail.display_name
            if task not in tasks or task in ended or not detail.start_time:
                continue
            if task not in started:
                started.add(task)
                console.on_node_start(node_id(task))
            if detail.state in _RUNNING:
                continue
            ended.add(task)
            seconds = (detail.end_time - detail.start_time).total_seconds() if detail.end_time else 0.0
            if detail.state in ("SUCCEEDED", "SKIPPED"):
                console.on_node_end(node_id(task), "done", seconds)
            else:
                reason = detail.error.message if detail.error else detail.state
                console.on_node_failed(node_id(task), RuntimeError(reason), seconds)
        if run.state not in _RUNNING:
            console.console.print(f"\nRun {run.state}.", markup=False)
            return SUCCEEDED if run.state == "SUCCEEDED" else FAILED
        time.sleep(poll_seconds)
