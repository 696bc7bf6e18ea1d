"""Runs one TFX node in a pod, with TFX's portable launcher.

    python -m pipeline.kubeflow.step --node IR --run-id ID --metadata HOST:PORT --volume DIR ...

`pipeline.kubeflow.compiler.spec` writes these arguments. The exit status is 0 if the execution is complete or cached,
else 1, and the last line of the output gives the reason.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import NamedTuple

from ml_metadata.proto import metadata_store_pb2

from components.errors import UserError
from components.files import exclusive_lock
from pipeline.kubeflow.metadata.client import connect
from pipeline.kubeflow.nodes import run_parameters
from pipeline.kubeflow.nodes.node_file import read_node
from pipeline.kubeflow.nodes.node_ir import decode, only_node, restore
from pipeline.kubeflow.step.attempt import NodeExecutions
from pipeline.kubeflow.step.node_report import NodeReport, write_report
from pipeline.node_launcher import launch_node

_log = logging.getLogger(__name__)

DONE, CACHED, PUSH_OFF = "done", "cached", "push is off"


class StepArguments(NamedTuple):
    """The arguments of a step, as text.

    Attributes:
        node: encoded IR (`node_ir`), or a reference to a payload file (`node_file`).
        run_id: ID of the run.
        metadata: host:port of ML Metadata.
        metadata_timeout: seconds to wait for ML Metadata.
        volume: path of the mounted volume.
        artifacts: directory or URI of TFX's artifacts.
        data: run parameter; None for nodes that do not use it.
        epochs: run parameter.
        push: run parameter.
        report: path of the Markdown file for Kubeflow's UI.
        executor_input: Kubeflow's ExecutorInput as JSON, for the node with metrics.
        evaluator: `EvaluatorSettings` as JSON, for the Evaluator.
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


def run_step(arguments: StepArguments) -> str:
    """Runs the node.

    Args:
        arguments: arguments of the step.

    Returns:
        "done", "cached" or "push is off".

    Raises:
        UserError: a mistake in arguments, data or cluster.
        Exception: whatever the node raised.
    """
    if "{{" in arguments.run_id or not arguments.run_id:
        raise UserError(
            f"The run ID placeholder was not resolved (got {arguments.run_id!r}). "
            "Hint: Kubeflow Pipelines 2.5 or later is required."
        )
    _check_volume(arguments.volume)
    ir = decode(read_node(arguments.node, arguments.volume))
    if arguments.push is not None and not run_parameters.is_true("push", arguments.push):
        _write_report(arguments, NodeReport(only_node(ir).node_info.id, PUSH_OFF))
        return PUSH_OFF
    restore(ir, arguments.volume, arguments.artifacts, arguments.run_id)
    if arguments.data is not None:
        run_parameters.set_data(ir, arguments.data, arguments.volume)
    if arguments.epochs is not None:
        run_parameters.set_epochs(ir, arguments.epochs)

    mlmd = connect(arguments.metadata, arguments.metadata_timeout)
    executions = NodeExecutions(mlmd, ir)
    # One push at a time: a push removes the staging directories of others as leftovers.
    is_pusher = arguments.push is not None
    with exclusive_lock(os.path.join(arguments.volume, ".push.lock")) if is_pusher else contextlib.nullcontext():
        if executions.is_done():
            _log.info("an earlier attempt of this run succeeded")
        else:
            executions.clear()
            if executions.is_resolver():
                executions.close_abandoned()
            launch_node(ir, only_node(ir), mlmd)
    execution = executions.check_success()
    state = CACHED if execution.last_known_state == metadata_store_pb2.Execution.CACHED else DONE
    with mlmd as handle:
        report = NodeReport.of(only_node(ir).node_info.id, state, handle.store, execution, arguments.evaluator)
    _write_report(arguments, report)
    return state


def _check_volume(volume: str) -> None:
    if not os.path.isdir(volume):
        raise UserError(
            f"No volume is mounted at {volume}. "
            "Hint: check that the claim is bound (kubectl get pvc) and that the task mounts it there."
        )
    if not os.access(volume, os.W_OK):
        raise UserError(
            f"The volume at {volume} is not writable for user {os.getuid()}. "
            "Hint: run the job caser-prepare-volume of kubeflow/base, or give the directory to the group of that user."
        )


def _write_report(arguments: StepArguments, report: NodeReport) -> None:
    write_report(report, arguments.report, arguments.executor_input)
