"""EvalConfig for TFX's Evaluator, with the thresholds for blessing."""

from __future__ import annotations

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.settings import EvaluatorSettings
from components.evaluator.tfma_metrics import MARGIN, CaserRanking
from components.export.signatures import EVALUATE
from components.features import HOLDOUT

CANDIDATE, BASELINE = "candidate", "baseline"

# Bounds are inclusive, up to rounding.
_EPSILON = 1e-9


def eval_config(settings: EvaluatorSettings) -> config_pb2.EvalConfig:
    """Creates the configuration of TFX's Evaluator.

    Args:
        settings: thresholds.

    Returns:
        A candidate and the last blessed model as baseline; TFX drops the baseline and its thresholds if there is none.
    """
    value = config_pb2.MetricThreshold(
        value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": settings.min_value - _EPSILON})
    )
    if settings.min_change is not None:
        value.change_threshold.direction = config_pb2.MetricDirection.HIGHER_IS_BETTER
        value.change_threshold.absolute.value = settings.min_change - _EPSILON
    thresholds: dict[str, config_pb2.MetricThreshold] = {settings.metric: value}
    if settings.min_margin is not None:
        thresholds[settings.metric + MARGIN] = config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": settings.min_margin - _EPSILON})
        )
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(name=CANDIDATE, signature_name=EVALUATE, label_key=HOLDOUT),
            config_pb2.ModelSpec(name=BASELINE, signature_name=EVALUATE, label_key=HOLDOUT, is_baseline=True),
        ],
        slicing_specs=[config_pb2.SlicingSpec()],
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=[config_pb2.MetricConfig(class_name=CaserRanking.__name__, module=CaserRanking.__module__)],
                thresholds=thresholds,
            )
        ],
    )
