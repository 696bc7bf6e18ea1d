"""Runs a compiled pipeline on this machine, one process per task, with only what a pod would have.

Stand-ins:

* pod: a process with the command and arguments of the file, an empty working directory, and the environment of a pod;
* volume: a directory, whose path replaces the mount path in arguments; node payload files are copied to it;
* ML Metadata: the same gRPC service as in the cluster, whose address replaces the name of the service;
* Kubeflow's driver and launcher: `placeholders`.

Not covered: images, scheduling, quotas, network policies, user IDs and permissions on volumes, object stores, and
Kubeflow's own compiler.
"""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.errors import UserError
from components.files import refuse_glob_characters
from pipeline.kubeflow.compiler.parameter_values import defined_parameters, param_values
from pipeline.kubeflow.compiler.spec_file import SpecFile, read_spec, tasks_of
from pipeline.kubeflow.emulator.faults import Metadata, faults_of
from pipeline.kubeflow.emulator.placeholders import executor_input, fill, resolve_inputs
from pipeline.kubeflow.emulator.pod import Fault, Pod, PodError, Retries, RetryPolicy
from pipeline.kubeflow.nodes.node_file import copy_nodes, references
from pipeline.kubeflow.nodes.task_names import EXIT_TASK, node_id

if TYPE_CHECKING:
    from pipeline.console.live_display import RunConsole

SUCCEEDED, FAILED = 0, 1
_METADATA_OPTION = "--metadata"


class EmulateRequest(NamedTuple):
    """Arguments of `caser kubeflow emulate`.

    Attributes:
        pipeline: the compiled pipeline.
        output: output directory; `volume/` in it stands in for the volume.
        params: run parameters, `name=value` each.
        python: Python interpreter that stands in for the image.
        metadata: host:port of a running ML Metadata service; None: start one for this run.
        jobs: maximum number of concurrent tasks.
        retry_policy: retry policy of Argo's workflow controller.
        faults: what happens to tasks, `KIND:NODE@SECONDS` each, see `faults`.
    """

    pipeline: Path
    output: Path
    params: tuple[str, ...] = ()
    python: Path = Path(sys.executable)
    metadata: str | None = None
    jobs: int = 2
    retry_policy: RetryPolicy = "OnError"
    faults: tuple[str, ...] = ()


def emulate(request: EmulateRequest, console: RunConsole) -> int:
    """Runs all tasks in the order of their dependencies.

    Args:
        request: arguments of the command.
        console: shows the tasks.

    Returns:
        The exit status: 0, or 1 if a task failed.

    Raises:
        UserError: the file, a parameter or the output directory is invalid.
    """
    spec = read_spec(request.pipeline)
    defaults = {name: declared["defaultValue"] for name, declared in defined_parameters(spec.pipeline).items()}
    values = defaults | param_values(spec.pipeline, request.params)
    refuse_glob_characters(request.output.absolute(), "--output")
    volume = _volume(request.output, str(values["data"]))
    copy_nodes(references(spec.pipeline), request.pipeline.parent, volume)
    run_id = str(uuid.uuid4())
    folder = request.output.absolute() / "runs" / run_id
    print_line = partial(console.console.print, markup=False, soft_wrap=True)
    print_line(f"\n{request.pipeline} → run {run_id}", style="bold")
    with _metadata(request) as metadata:
        tasks = tasks_of(spec.pipeline)
        faults = faults_of(request.faults, [node_id(task) for task in tasks.nodes], metadata)
        machine = _Machine(spec, values, run_id, folder, volume, metadata.address, request, faults)
        pods = {task: _pod(machine, task, task_spec) for task, task_spec in tasks.nodes.items()}
        failures = _run(tasks.nodes, pods, request.jobs, console)
        if tasks.exit_task:
            failures += _run({EXIT_TASK: {}}, {EXIT_TASK: _pod(machine, EXIT_TASK, tasks.exit_task)}, 1, console)
    for failure in failures:
        print_line(f"\nError: {failure}")
    print_line(f"\n  logs      {folder}/TASK/log.txt")
    print_line(f"  reports   {folder}/TASK/outputs/report")
    return FAILED if failures else SUCCEEDED


def _volume(output: Path, data: str) -> Path:
    volume = output.absolute() / "volume"
    if not volume.is_dir():
        raise UserError(
            f"Directory {volume}, which stands in for the volume, does not exist. "
            f"Hint: create it, and copy the interactions to {volume / data}."
        )
    return volume


def _run(tasks: Mapping[str, Any], pods: dict[str, Pod], jobs: int, console: RunConsole) -> list[PodError]:
    """Starts tasks whose dependencies are done; after a failure, starts no more tasks."""
    done: set[str] = set()
    running: dict[Future[None], str] = {}
    failures: list[PodError] = []
    with ThreadPoolExecutor(jobs) as pool, _killed_on_interrupt(pods.values()):
        while len(done) < len(tasks):
            for task in tasks:
                ready = set(tasks[task].get("dependentTasks", [])) <= done
                if ready and task not in done and task not in running.values() and not failures:
                    running[pool.submit(pods[task].run, console, node_id(task))] = task
            if not running:
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                task = running.pop(future)
                try:
                    future.result()
                    done.add(task)
                except PodError as failure:
                    failures.append(failure)
    return failures


class _Machine(NamedTuple):
    """What the pods of a run have in common."""

    spec: SpecFile
    values: Mapping[str, Any]
    run_id: str
    folder: Path
    volume: Path
    metadata: str
    request: EmulateRequest
    faults: Mapping[str, list[Fault]]


def _pod(machine: _Machine, task: str, task_spec: dict[str, Any]) -> Pod:
    spec, folder, request = machine.spec, machine.folder / task, machine.request
    component = spec.pipeline["components"][task_spec["componentRef"]["name"]]
    container = spec.pipeline["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    mounts = spec.executors.get(component["executorLabel"], {}).get("pvcMount", [])
    outputs = component.get("outputDefinitions", {}).get("artifacts", {})
    inputs = resolve_inputs(task_spec, machine.values, machine.run_id)
    task_input = executor_input(inputs, outputs, folder / "outputs")
    command = [fill(part, task_input) for part in (*container["command"], *container["args"])]
    for mount in mounts:
        command = [_mounted(part, mount["mountPath"], machine.volume) for part in command]
    if _METADATA_OPTION in command:
        command[command.index(_METADATA_OPTION) + 1] = machine.metadata
    environment = {entry["name"]: entry["value"] for entry in container.get("env", [])}
    retries = Retries(task_spec.get("retryPolicy", {}).get("maxRetryCount", 0), request.retry_policy)
    return Pod(task, command, environment, folder, request.python, retries, machine.faults.get(node_id(task), []))


def _mounted(argument: str, mount_path: str, volume: Path) -> str:
    if argument == mount_path or argument.startswith(f"{mount_path}/"):
        return str(volume) + argument[len(mount_path) :]
    return argument


@contextlib.contextmanager
def _metadata(request: EmulateRequest) -> Iterator[Metadata]:
    """ML Metadata, which is started in a separate process unless an address was given."""
    metadata = Metadata(request.metadata, request.output, request.python)
    try:
        metadata.start()
        yield metadata
    finally:
        metadata.stop()


@contextlib.contextmanager
def _killed_on_interrupt(pods: Iterable[Pod]) -> Iterator[None]:
    """Kills all tasks if the command is interrupted."""
    try:
        yield
    except BaseException:
        for pod in pods:
            pod.kill()
        raise
