"""Guards the data: statistics that do not fit the curated schema stop the run before training."""

from __future__ import annotations

from typing import Any

from tfx.components.example_validator import component, executor
from tfx.dsl.components.base import executor_spec

from components.errors import UserError


class _Executor(executor.Executor):
    """TFX's validation, with an anomaly as an error."""

    def _Validate(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:  # noqa: N802 -- named by TFX
        anomalies = super()._Validate(inputs, outputs)
        found = [
            f"  feature `{feature}`: {info.short_description} ({info.description})"
            for feature, info in sorted(anomalies.anomaly_info.items())
        ]
        if anomalies.HasField("dataset_anomaly_info"):
            found.append(f"  whole data set: {anomalies.dataset_anomaly_info.description}")
        if found:
            raise UserError(
                "The data does not fit the schema, so nothing was trained:\n"
                + "\n".join(found)
                + "\nMend the data, or pass a schema of your own that allows it."
            )
        return anomalies


class HistoryValidator(component.ExampleValidator):
    """`ExampleValidator` that fails where TFX's own only notes an anomaly.

    Inputs, outputs and parameters are those of `tfx.v1.components.ExampleValidator`. Let Transform run after it
    (`transform.add_upstream_node(validator)`), since no artifact connects the two.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)
