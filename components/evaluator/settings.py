"""Settings of the Evaluator."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings import Settings


class EvaluatorSettings(Settings):
    """Thresholds for blessing a model (`components.evaluator`)."""

    metric: Literal["map", "ndcg_at_10", "recall_at_10", "hit_rate_at_10", "mrr", "next_item_ndcg_at_10"] = Field(
        "map", description="metric that the thresholds below apply to"
    )
    min_value: float = Field(0.0, ge=0, le=1, description="minimum value of the metric")
    min_margin: float | None = Field(0.0, description="minimum margin over popularity (absolute); null: not checked")
    min_change: float | None = Field(
        -0.01, description="minimum change from the last blessed model (absolute); null: not checked"
    )
    max_loss: float | None = Field(
        0.02,
        ge=0,
        le=1,
        description="maximum loss against the strongest baseline, relative to it; null: only the confidence interval "
        "decides",
    )
