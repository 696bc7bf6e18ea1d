"""Follows a run on a cluster: its nodes, why one failed, and which pod cannot start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pipeline.kubeflow.nodes.task_names import EXIT_TASK, NODES_TASK, node_id
from pipeline.kubeflow.submission.api import Access, with_connection_retries
from pipeline.kubeflow.submission.pods import Pods

if TYPE_CHECKING:
    import kfp

    from pipeline.console.live_display import RunConsole

SUCCEEDED, FAILED, INTERRUPTED = 0, 1, 130
_RUNNING = ("RUNTIME_STATE_UNSPECIFIED", "PENDING", "RUNNING", "PAUSED", "CANCELING", None)
# Kubeflow runs a single-user deployment's pods beside itself.
_NAMESPACE = "kubeflow"
# Kubeflow lists its own tasks, too: drivers, DAGs and executors.
_OWN = ("root", "executor", NODES_TASK, EXIT_TASK)


class FollowRequest(NamedTuple):
    """Arguments of `caser kubeflow follow`.

    Attributes:
        access: how to reach the API.
        run_id: ID of the run.
        pending_after: seconds after which a pod that has not started is shown with the reason.
        poll_seconds: polling interval.
    """

    access: Access
    run_id: str
    pending_after: float = 120.0
    poll_seconds: float = 5.0


def follow(client: kfp.Client, request: FollowRequest, console: RunConsole) -> int:
    """Shows each node when it starts and ends; durations are those of the cluster.

    Args:
        client: Kubeflow client.
        request: the run.
        console: shows the nodes.

    Returns:
        The exit status: 0, 1 if the run failed, 130 on Ctrl-C, which leaves the run going.
    """
    try:
        return _Follower(client, request, console).follow()
    except KeyboardInterrupt:
        access = request.access
        namespace = f" --namespace {access.namespace}" if access.namespace else ""
        command = f"caser kubeflow follow {request.run_id} --host {access.host}{namespace}"
        _print(console, f"\nThe run goes on. Follow it again: {command}")
        return INTERRUPTED


class _Follower:
    def __init__(self, client: kfp.Client, request: FollowRequest, console: RunConsole) -> None:
        self._client, self._request, self._console = client, request, console
        self._pods = Pods(request.run_id, request.access.namespace or _NAMESPACE, request.access.in_cluster)
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._shown_waiting: set[str] = set()
        self._last_change = time.monotonic()
        self._hinted = False

    def follow(self) -> int:
        while True:
            run = with_connection_retries(lambda: self._client.get_run(self._request.run_id), self._say_lost)
            self._show_tasks(list(_tasks(run)))
            if run.state not in _RUNNING:
                _print(self._console, f"\nRun {run.state}.")
                return SUCCEEDED if run.state == "SUCCEEDED" else FAILED
            self._show_waiting()
            time.sleep(self._request.poll_seconds)

    def _show_tasks(self, details: list[Any]) -> None:
        new = [detail for detail in details if detail.display_name not in self._ended and detail.start_time]
        ended = [detail for detail in new if detail.state not in _RUNNING]
        # Read once for all tasks that have ended since.
        failed = any(detail.state not in ("SUCCEEDED", "SKIPPED") for detail in ended)
        states = self._pods.states() if ended else {}
        errors = self._pods.errors() if failed else {}
        for detail in new:
            task, node = detail.display_name, node_id(detail.display_name)
            if task not in self._started:
                self._started.add(task)
                self._last_change = time.monotonic()
                self._console.on_node_start(node)
        for detail in ended:
            task, node = detail.display_name, node_id(detail.display_name)
            self._ended.add(task)
            self._last_change = time.monotonic()
            seconds = (detail.end_time - detail.start_time).total_seconds() if detail.end_time else 0.0
            if detail.state in ("SUCCEEDED", "SKIPPED"):
                state: Literal["done", "cached"] = "cached" if states.get(node) == "cached" else "done"
                self._console.on_node_end(node, state, seconds)
                continue
            reason = errors.get(node)
            self._console.on_node_failed(node, RuntimeError(reason or detail.state), seconds)
            if reason:
                _print(self._console, f"    Error: {reason}")
            else:
                _print(self._console, f"    its log tells why:\n    {self._pods.logs_command()}")

    def _show_waiting(self) -> None:
        for pod in self._pods.waiting():
            if pod.seconds >= self._request.pending_after and pod.name not in self._shown_waiting:
                self._shown_waiting.add(pod.name)
                _print(self._console, f"    pod {pod.name} has not started for {pod.seconds:.0f} s: {pod.reason}")
        quiet = time.monotonic() - self._last_change
        if not self._started - self._ended and quiet >= self._request.pending_after and not self._hinted:
            self._hinted = True
            if not self._shown_waiting:
                _print(
                    self._console, f"    no task has started for {quiet:.0f} s; see\n    {self._pods.pods_command()}"
                )

    def _say_lost(self, reason: str) -> None:
        _print(self._console, f"    connection to Kubeflow lost ({reason}); trying again")


def _tasks(run: Any) -> Iterator[Any]:
    """The tasks that are nodes."""
    details = run.run_details.task_details if run.run_details else None
    for detail in details or []:
        name = detail.display_name or ""
        if name and name not in _OWN and not name.endswith("-driver"):
            yield detail


def _print(console: RunConsole, text: str) -> None:
    console.console.print(text, markup=False, soft_wrap=True)
