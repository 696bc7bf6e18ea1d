"""What TFMA is asked, and what it answered."""

from __future__ import annotations

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.settings import EvaluatorSettings
from components.evaluator.tfma_metrics import MARGIN, CaserRanking
from components.export.signatures import EVALUATE
from components.features import HOLDOUT

CANDIDATE, BASELINE = "candidate", "baseline"

# Bounds are inclusive: what equals them but for rounding passes.
_EPSILON = 1e-9


def eval_config(settings: EvaluatorSettings) -> config_pb2.EvalConfig:
    """The configuration of TFX's Evaluator.

    Args:
        settings: thresholds.

    Returns:
        One candidate and, where there is one, the last blessed model as baseline; TFX leaves out thresholds on the
        change where there is none.
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
