"""HistoryValidator: an ExampleValidator that fails on an anomaly, before anything is trained."""

from __future__ import annotations

from typing import Any

from tfx.components.example_validator import component, executor
from tfx.dsl.components.base import executor_spec

from components.errors import UserError


class _Executor(executor.Executor):
    """Raises an error for the anomalies that TFX's executor finds."""

    def _Validate(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:  # noqa: N802 -- named by TFX
        anomalies = super()._Validate(inputs, outputs)
        problems = [
            f"  feature `{feature}`: {info.short_description} ({info.description})"
            for feature, info in sorted(anomalies.anomaly_info.items())
        ]
        if anomalies.HasField("dataset_anomaly_info"):
            problems.append(f"  dataset: {anomalies.dataset_anomaly_info.description}")
        if problems:
            raise UserError(
                "The data violates the schema; training was not started:\n"
                + "\n".join(problems)
                + "\nHint: fix the data, or use a schema that allows it."
            )
        return anomalies


class HistoryValidator(component.ExampleValidator):
    """`ExampleValidator` that fails on an anomaly instead of only recording it.

    Inputs, outputs and parameters are those of `tfx.v1.components.ExampleValidator`. Make Transform run after it
    with `transform.add_upstream_node(validator)`, since no artifact connects the two.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)
