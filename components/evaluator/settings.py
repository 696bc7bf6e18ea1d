"""Settings of the Evaluator."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings import Settings


class EvaluatorSettings(Settings):
    """When a model is blessed (`components.evaluator.config`)."""

    metric: Literal["map", "ndcg_at_10", "recall_at_10", "hit_rate_at_10", "mrr", "next_item_ndcg_at_10"] = Field(
        "map", description="what the thresholds below are about"
    )
    min_value: float = Field(0.0, ge=0, le=1, description="not blessed below this")
    min_margin: float | None = Field(
        0.0, description="not blessed unless better than popularity by at least this (absolute); null: not asked"
    )
    min_change: float | None = Field(
        -0.01, description="not blessed unless the change against the last blessed model is at least this (absolute)"
    )
