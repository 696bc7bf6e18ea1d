"""Metrics, slices and the blessing reason, read back from the Evaluator's artifacts."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import validation_result_pb2

from components.evaluator.config import BASELINE
from components.evaluator.settings import EvaluatorSettings
from components.evaluator.slices import SliceMetrics
from components.evaluator.tfma_metrics import MARGIN, SLICE_SEPARATOR, USERS
from components.export.signatures import PARTS


class Evaluation(NamedTuple):
    """By each of `PARTS` the metrics by name; slices; and whether and why the model is blessed."""

    parts: dict[str, dict[str, float]]
    slices: list[SliceMetrics]
    blessed: bool
    reason: str


def read_evaluation(uri: str, settings: EvaluatorSettings) -> Evaluation:
    """Reads the results of the Evaluator.

    Args:
        uri: URI of the ModelEvaluation artifact.
        settings: the settings the Evaluator ran with.

    Returns:
        All results.
    """
    values, changes = _values(uri)
    blessed, reason = _blessing(tfma.load_validation_result(uri), values, changes, settings)
    return Evaluation(*_by_part(values), blessed, reason)


def read_metrics(uri: str) -> tuple[dict[str, float], list[SliceMetrics]]:
    """Reads the metrics of what is served.

    Args:
        uri: URI of the ModelEvaluation artifact.

    Returns:
        Overall values by name, and the metrics of all slices.
    """
    parts, slices = _by_part(_values(uri)[0])
    return parts[""], slices


def _values(uri: str) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics, and their changes from the last blessed model, by name."""
    values: dict[str, float] = {}
    changes: dict[str, float] = {}
    for part in tfma.load_metrics(uri):
        for metric in part.metric_keys_and_values:
            key = metric.key
            if key.model_name != BASELINE:
                (changes if key.is_diff else values)[key.name] = metric.value.double_value.value
    return values, changes


def _by_part(values: dict[str, float]) -> tuple[dict[str, dict[str, float]], list[SliceMetrics]]:
    parts: dict[str, dict[str, float]] = {"": {}}
    slices: dict[tuple[str, str], SliceMetrics] = {}
    for name in sorted(values):
        target, metric = parts, name
        if SLICE_SEPARATOR in name:
            kind, value, metric = name.split(SLICE_SEPARATOR)
            target = slices.setdefault((kind, value), SliceMetrics(kind, value, {})).parts
        # The longest prefix: every name starts with that of what is served, "".
        part = max((part for part in PARTS if metric.startswith(part)), key=len)
        if not metric.endswith(MARGIN):
            target.setdefault(part, {})[metric.removeprefix(part)] = values[name]
    return parts, sorted(slices.values(), key=lambda part: (part.name, _number(part.value), part.value))


def _number(text: str) -> int:
    digits = text.split(" ")[0]
    return int(digits) if digits.isdigit() else 0


def _blessing(
    validation: validation_result_pb2.ValidationResult,
    values: dict[str, float],
    changes: dict[str, float],
    settings: EvaluatorSettings,
) -> tuple[bool, str]:
    """TFMA's verdict and its reason. `changes` from the last blessed model are empty if there is none."""
    failed = {
        (failure.metric_key.name, failure.metric_key.is_diff)
        for part in validation.metric_validations_per_slice
        for failure in part.failures
    }
    metric = settings.metric
    if metric not in values or not values[USERS]:
        return False, f"{metric} could not be evaluated: there are no held-out items"
    value, margin, change = values[metric], values[metric + MARGIN], changes.get(metric)
    if validation.validation_ok:
        against = "" if change is None else f", {change:+.4f} over the last blessed model"
        return True, f"{metric} {value:.4f}, {margin:+.4f} over popularity{against}"
    reasons = []
    if (metric, False) in failed:
        reasons.append(f"{metric} {value:.4f} is below evaluator.min_value {settings.min_value:g}")
    if (metric + MARGIN, False) in failed:
        reasons.append(
            f"the margin over popularity, {margin:+.4f} {metric}, is below evaluator.min_margin {settings.min_margin:g}"
        )
    if (metric, True) in failed:
        reasons.append(
            f"the change from the last blessed model, {change:+.4f} {metric}, "
            f"is below evaluator.min_change {settings.min_change:g}"
        )
    return False, "; ".join(reasons)
