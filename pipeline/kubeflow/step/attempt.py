"""A node's executions within one run: what an earlier attempt left, and how the present one ended.

Kubeflow starts a failed or evicted task again with the same run id. TFX's launcher then goes on with the execution that
is there already; what it does not do itself is here.
"""

from __future__ import annotations

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.orchestration import metadata
from tfx.orchestration.portable import outputs_utils
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2

from components.errors import UserError
from pipeline.kubeflow.nodes.node_ir import only_node


class NodeExecutions:
    """One node in one run."""

    def __init__(self, mlmd: metadata.Metadata, ir: pipeline_pb2.Pipeline) -> None:
        """Looks at nothing yet.

        Args:
            mlmd: connection to ML Metadata.
            ir: of the node, restored.
        """
        self._mlmd, self._ir = mlmd, ir
        self._node = only_node(ir)

    def executions(self) -> list[metadata_store_pb2.Execution]:
        """Of this node in this run, oldest first."""
        with self._mlmd as handle:
            contexts = context_lib.prepare_contexts(metadata_handle=handle, node_contexts=self._node.contexts)
            found = execution_lib.get_executions_associated_with_all_contexts(handle, contexts)
        return sorted(found, key=lambda execution: execution.id)

    def is_done(self) -> bool:
        """Whether an earlier attempt got through; then there is nothing left to do."""
        return any(execution_lib.is_execution_successful(execution) for execution in self.executions())

    def clear(self) -> None:
        """Removes what an attempt that was killed or failed left half-written."""
        outputs = outputs_utils.OutputsResolver(self._node, self._ir.pipeline_info, self._ir.runtime_spec)
        for execution in self.executions():
            for artifacts in outputs.generate_output_artifacts(execution.id).values():
                for artifact in artifacts:
                    if fileio.exists(artifact.uri):
                        fileio.rmtree(artifact.uri)

    def close_abandoned(self) -> None:
        """Marks executions as failed that nothing will go on with: a resolver registers a new one at each attempt."""
        with self._mlmd as handle:
            for execution in self.executions():
                if execution_lib.is_execution_active(execution):
                    execution.last_known_state = metadata_store_pb2.Execution.FAILED
                    handle.store.put_executions([execution])

    def check_success(self) -> metadata_store_pb2.Execution:
        """The execution that got through.

        The launcher returns as if all were well where inputs could not be resolved.

        Raises:
            UserError: none did, with the reason that TFX recorded.
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
            f"it did not run, since its inputs could not be resolved: {reason}. Hint: see that {upstream} ended well "
            "in this run and wrote to the same ML Metadata."
        )
