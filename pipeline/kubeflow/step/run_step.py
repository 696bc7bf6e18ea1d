"""What a task's container runs: one TFX node, by TFX's portable launcher, as `LocalDagRunner` runs it in one process.

    python -m pipeline.kubeflow.step --node IR --run-id ID --metadata HOST:PORT --volume DIR ...

`pipeline.kubeflow.compiler.spec` writes these arguments. The exit status is 0 where the node's execution is complete or
its outputs were found in the cache, else 1, and the last line says why.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from typing import NamedTuple

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher
from tfx.proto.orchestration import pipeline_pb2

from components.errors import UserError
from pipeline.kubeflow.metadata.client import connect
from pipeline.kubeflow.nodes import run_parameters
from pipeline.kubeflow.nodes.node_file import read_node
from pipeline.kubeflow.nodes.node_ir import decode, only_node, restore
from pipeline.kubeflow.step.attempt import NodeExecutions
from pipeline.kubeflow.step.node_report import NodeReport, write_report

_log = logging.getLogger(__name__)

DONE, CACHED, PUSH_OFF = "done", "cached", "push is off"


class Request(NamedTuple):
    """The arguments of a step; text, as Kubeflow passes it.

    Attributes:
        node: IR, from `node_ir.encode`, or a reference to a file that has it (`node_file`).
        run_id: of the run.
        metadata: host:port of ML Metadata.
        metadata_timeout: seconds to wait for it.
        volume: folder of the mounted volume.
        artifacts: folder or object store for TFX's artifacts.
        data: run parameter; None for nodes that it does not concern.
        epochs: run parameter.
        push: run parameter.
        report: Markdown file for Kubeflow's UI.
        executor_input: Kubeflow's description of the task as JSON, where the node has metrics to tell it.
        evaluator: `EvaluatorSettings` as JSON, for the node that evaluates.
    """

    node: str
    run_id: str
    metadata: str
    metadata_timeout: int
    volume: str
    artifacts: str
    data: str | None = None
    epochs: str | None = None
    push: str | None = None
    report: str | None = None
    executor_input: str | None = None
    evaluator: str | None = None


def run_step(request: Request) -> str:
    """Runs the node.

    Args:
        request: the arguments.

    Returns:
        "done", "cached" or "push is off".

    Raises:
        UserError: an ordinary mistake.
        Exception: whatever the node raised.
    """
    if "{{" in request.run_id or not request.run_id:
        raise UserError(
            f"The run has no id (received {request.run_id!r}): this Kubeflow does not fill it in. Hint: Kubeflow "
            "Pipelines 2.5 or later."
        )
    _check_volume(request.volume)
    ir = decode(read_node(request.node, request.volume))
    if request.push is not None and not run_parameters.is_true("push", request.push):
        _write_report(request, NodeReport(only_node(ir).node_info.id, PUSH_OFF))
        return PUSH_OFF
    restore(ir, request.volume, request.artifacts, request.run_id)
    if request.data is not None:
        run_parameters.read_data_from(ir, request.data, request.volume)
    if request.epochs is not None:
        run_parameters.train_epochs(ir, request.epochs)

    mlmd = connect(request.metadata, request.metadata_timeout)
    attempt = NodeExecutions(mlmd, ir)
    with _alone(request.volume) if request.push is not None else contextlib.nullcontext():
        if attempt.is_done():
            _log.info("an earlier attempt of this run got through; nothing is left to do")
        else:
            attempt.clear()
            _launch(ir, mlmd, attempt)
    execution = attempt.check_success()
    state = CACHED if execution.last_known_state == metadata_store_pb2.Execution.CACHED else DONE
    with mlmd as handle:
        report = NodeReport.of(only_node(ir).node_info.id, state, handle.store, execution, request.evaluator)
    _write_report(request, report)
    return state


def _launch(ir: pipeline_pb2.Pipeline, mlmd: metadata.Metadata, attempt: NodeExecutions) -> None:
    node = only_node(ir)
    deployment = runner_utils.extract_local_deployment_config(ir)
    executor_spec = runner_utils.extract_executor_spec(deployment, node.node_info.id)
    if executor_spec is None:
        attempt.close_abandoned()
    launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=mlmd,
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=executor_spec,
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node.node_info.id),
    ).launch()


def _check_volume(volume: str) -> None:
    if not os.path.isdir(volume):
        raise UserError(
            f"There is no volume at {volume}. Hint: see that the claim is bound (kubectl get pvc) and that the task "
            "mounts it there."
        )
    if not os.access(volume, os.W_OK):
        raise UserError(
            f"The volume at {volume} cannot be written by user {os.getuid()}. Hint: run the job caser-volume of "
            "kubeflow/base, or give the folder to the group of that user."
        )


@contextlib.contextmanager
def _alone(volume: str) -> Iterator[None]:
    """One push at a time: two runs on one volume would take each other's staged copies for leftovers."""
    with open(os.path.join(volume, ".push.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_report(request: Request, report: NodeReport) -> None:
    write_report(report, request.report, request.executor_input)
