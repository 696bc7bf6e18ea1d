"""The pods of a run, through the Kubernetes API where there is access to it.

Kubeflow's API says that a task failed, but not why, and that a task runs whose pod cannot start; both are known to
Kubernetes only.
"""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

_RUN_LABEL = "pipeline/runid"
# Kubeflow's name of the container that runs the step, in the pods of launchers; pods of drivers have it, too.
_CONTAINER = "main"
_TIMEOUT_SECONDS = 10
_TAIL_LINES = 300
# The last lines of a step (`pipeline.kubeflow.step`); Kubeflow's launcher prints more after them.
_ERROR = re.compile(r"^Error: (\w+): (.+)$", re.MULTILINE)
_STATE = re.compile(r"^(\w+): (done|cached|push is off)\s*$", re.MULTILINE)


class WaitingPod(NamedTuple):
    """A pod that has not started.

    Attributes:
        name: name of the pod.
        seconds: for how long.
        reason: why, in the words of Kubernetes.
    """

    name: str
    seconds: float
    reason: str


class Pods:
    """The pods of one run; every method returns nothing if the API cannot be reached or refuses."""

    def __init__(self, run_id: str, namespace: str, in_cluster: bool) -> None:
        """Reads the configuration of kubectl, or that of the pod.

        Args:
            run_id: ID of the run.
            namespace: namespace of the run.
            in_cluster: whether to use the service account of this pod.
        """
        self._run_id, self._namespace = run_id, namespace
        self._api = _api(in_cluster)

    def errors(self) -> dict[str, str]:
        """What failed steps said last, by node."""
        return {node: text for log in self._logs("Failed") for node, text in _ERROR.findall(log)}

    def states(self) -> dict[str, str]:
        """By node, how completed steps ended: "done", "cached" or "push is off"."""
        return {node: state for log in self._logs("Succeeded") for node, state in _STATE.findall(log)}

    def waiting(self) -> list[WaitingPod]:
        """Pods that have not started."""
        found = []
        now = datetime.datetime.now(datetime.timezone.utc)
        for pod in self._list():
            if pod.status.phase == "Pending" and (reason := _why_waiting(pod)):
                seconds = (now - pod.metadata.creation_timestamp).total_seconds()
                found.append(WaitingPod(pod.metadata.name, seconds, reason))
        return found

    def logs_command(self) -> str:
        """The command that shows the errors of the run's steps."""
        return (
            f"kubectl -n {self._namespace} logs -l {_RUN_LABEL}={self._run_id} -c {_CONTAINER} --tail=-1 --prefix "
            "| grep 'Error: '"
        )

    def pods_command(self) -> str:
        """The command that lists the pods of the run."""
        return f"kubectl -n {self._namespace} get pods -l {_RUN_LABEL}={self._run_id}"

    def _list(self) -> list[Any]:
        if self._api is None:
            return []
        try:
            selector = f"{_RUN_LABEL}={self._run_id}"
            pods = self._api.list_namespaced_pod(
                self._namespace, label_selector=selector, _request_timeout=_TIMEOUT_SECONDS
            )
        except Exception:  # any failure of a server, a proxy or an authentication plug-in: there is no access
            return []
        return list(pods.items)

    def _logs(self, phase: str) -> Iterator[str]:
        for pod in self._list():
            if pod.status.phase != phase or self._api is None:
                continue
            try:
                yield self._api.read_namespaced_pod_log(
                    pod.metadata.name,
                    self._namespace,
                    container=_CONTAINER,
                    tail_lines=_TAIL_LINES,
                    _request_timeout=_TIMEOUT_SECONDS,
                )
            except Exception:  # as above; logs may also be gone with their node
                continue


def _api(in_cluster: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from kubernetes import client, config
        if in_cluster:
            config.load_incluster_config()
            return client.CoreV1Api()
        return client.CoreV1Api(config.new_client_from_config())
    except Exception:  # no configuration, or one of another kind
        return None


def _why_waiting(pod: Any) -> str | None:
    """The reason that Kubernetes gives, if the pod does not just take its time."""
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"{condition.reason}: {condition.message}"
    for container in [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]:
        waiting = container.state.waiting if container.state else None
        if waiting and waiting.reason not in ("ContainerCreating", "PodInitializing"):
            return f"{waiting.reason}: {waiting.message or ''}".rstrip(": ")
    return None
