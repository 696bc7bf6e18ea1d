"""Starts runs on a cluster, once or on a schedule."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.errors import UserError
from pipeline.kubeflow.compiler.parameter_values import param_values
from pipeline.kubeflow.compiler.spec_file import read_spec
from pipeline.kubeflow.submission.api import Access, connection, quietly, required_id, upload
from pipeline.kubeflow.submission.follow import SUCCEEDED, FollowRequest, follow

if TYPE_CHECKING:
    import kfp

    from pipeline.console.live_display import RunConsole

_CRON_FIELDS = 6


class SubmitRequest(NamedTuple):
    """Arguments of `caser kubeflow submit` and `schedule`.

    Attributes:
        pipeline: the compiled pipeline.
        access: how to reach the API.
        params: run parameters, `name=value` each.
        experiment: experiment of the run in Kubeflow's UI.
        service_account: service account of the tasks; None: Kubeflow's default.
        pending_after: seconds after which a pod that has not started is shown, with `wait`.
    """

    pipeline: Path
    access: Access
    params: tuple[str, ...] = ()
    experiment: str = "caser"
    service_account: str | None = None
    pending_after: float = 120.0


def submit(request: SubmitRequest, wait: bool, console: RunConsole) -> int:
    """Starts a run.

    Args:
        request: arguments of the command.
        wait: whether to follow the run until it ends.
        console: shows the nodes.

    Returns:
        The exit status: 0, or that of `follow`.

    Raises:
        UserError: the file or a parameter is invalid, or the cluster refuses the request.
    """
    with _prepare(request) as prepared:
        run = quietly(
            prepared.client.run_pipeline,
            job_name=f"{prepared.name} {time.strftime('%Y-%m-%d %H:%M:%S')}",
            **prepared.arguments,
        )
        run_id = required_id(getattr(run, "run_id", None))
        link = f"{request.access.host.rstrip('/')}/#/runs/details/{run_id}"
        console.console.print(f"\nrun {run_id}\n{link}", markup=False, soft_wrap=True)
        if not wait:
            return SUCCEEDED
        following = FollowRequest(request.access, run_id, request.pending_after)
        return follow(prepared.client, following, console)


def follow_run(request: FollowRequest, console: RunConsole) -> int:
    """Follows a run that was started before.

    Args:
        request: arguments of the command.
        console: shows the nodes.

    Returns:
        The exit status of `follow`.

    Raises:
        UserError: there is no such run, or the cluster refuses the request.
    """
    with connection(request.access) as client:
        return follow(client, request, console)


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
        recurring = quietly(
            prepared.client.create_recurring_run,
            job_name=f"{prepared.name} {' '.join(fields)}",
            cron_expression=" ".join(fields),
            max_concurrency=1,
            no_catchup=True,
            **prepared.arguments,
        )
        return required_id(getattr(recurring, "recurring_run_id", None))


class _Prepared(NamedTuple):
    """A client and the arguments shared by single and recurring runs."""

    client: kfp.Client
    name: str
    arguments: dict[str, Any]


@contextlib.contextmanager
def _prepare(request: SubmitRequest) -> Iterator[_Prepared]:
    pipeline = read_spec(request.pipeline).pipeline
    name, values = pipeline["pipelineInfo"]["name"], param_values(pipeline, request.params)
    with connection(request.access) as client:
        version = upload(client, request.pipeline, name, request.access.namespace)
        experiment = quietly(client.create_experiment, request.experiment, namespace=request.access.namespace)
        arguments = {
            "experiment_id": required_id(getattr(experiment, "experiment_id", None)),
            "params": values,
            "pipeline_id": version.pipeline_id,
            "version_id": version.version_id,
            "service_account": request.service_account,
        }
        yield _Prepared(client, name, arguments)
