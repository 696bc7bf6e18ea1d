"""The executions of a node within one run, in ML Metadata.

Kubeflow restarts a failed or evicted task with the same run ID. TFX's launcher then resumes the existing execution;
this module does the rest: clean up, skip, and report the result.
"""

from __future__ import annotations

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import outputs_utils
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2

from components.errors import UserError
from pipeline.kubeflow.nodes.node_ir import only_node


class NodeExecutions:
    """The executions of one node in one run."""

    def __init__(self, mlmd: metadata.Metadata, ir: pipeline_pb2.Pipeline) -> None:
        """Reads nothing yet.

        Args:
            mlmd: connection to ML Metadata.
            ir: restored IR of the node.
        """
        self._mlmd, self._ir = mlmd, ir
        self._node = only_node(ir)

    def executions(self) -> list[metadata_store_pb2.Execution]:
        """The executions, oldest first."""
        with self._mlmd as handle:
            contexts = context_lib.prepare_contexts(metadata_handle=handle, node_contexts=self._node.contexts)
            executions = execution_lib.get_executions_associated_with_all_contexts(handle, contexts)
        return sorted(executions, key=lambda execution: execution.id)

    def is_done(self) -> bool:
        """Whether an earlier attempt succeeded."""
        return any(execution_lib.is_execution_successful(execution) for execution in self.executions())

    def is_resolver(self) -> bool:
        """Whether the node is a resolver, which has no executor."""
        deployment = runner_utils.extract_local_deployment_config(self._ir)
        return runner_utils.extract_executor_spec(deployment, self._node.node_info.id) is None

    def clear(self) -> None:
        """Removes partial outputs of killed or failed attempts."""
        outputs = outputs_utils.OutputsResolver(self._node, self._ir.pipeline_info, self._ir.runtime_spec)
        for execution in self.executions():
            for artifacts in outputs.generate_output_artifacts(execution.id).values():
                for artifact in artifacts:
                    if fileio.exists(artifact.uri):
                        fileio.rmtree(artifact.uri)

    def close_abandoned(self) -> None:
        """Marks unfinished executions as failed; a resolver registers a new one at each attempt."""
        with self._mlmd as handle:
            for execution in self.executions():
                if execution_lib.is_execution_active(execution):
                    execution.last_known_state = metadata_store_pb2.Execution.FAILED
                    handle.store.put_executions([execution])

    def check_success(self) -> metadata_store_pb2.Execution:
        """The successful execution.

        TFX's launcher also returns normally if inputs could not be resolved.

        Raises:
            UserError: no execution succeeded; includes the reason that TFX recorded.
        """
        executions = self.executions()
        for execution in executions:
            if execution_lib.is_execution_successful(execution):
                return execution
        result = execution_lib.get_execution_result(executions[-1], ignore_parse_errors=True) if executions else None
        lines = result.result_message.strip().splitlines() if result else []
        reason = lines[-1] if lines else "TFX skipped it"
        upstream = ", ".join(self._node.upstream_nodes) or "no node"
        raise UserError(
            f"skipped: inputs could not be resolved ({reason}). "
            f"Hint: check that {upstream} succeeded in this run and used the same ML Metadata."
        )
