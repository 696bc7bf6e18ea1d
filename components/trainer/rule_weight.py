"""The weight of the sequential rules in the served model, chosen on the valid split."""

from __future__ import annotations

import logging

import tensorflow as tf

from components.export.servable import ServableCaser
from components.ranking.evaluation import Scorer, Users, best_settings
from components.sequential_rules.scorer import Rules, RuleScorer

_log = logging.getLogger(__name__)

# Without a valid split. The best weight was 0.5 to 2 on all data sets that were tried, and the optimum is flat.
DEFAULT_WEIGHT = 1.0
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0)


def choose_rules(
    servable: ServableCaser, scorer: RuleScorer, weight: float | str, valid: Users | None, metric: str
) -> Rules | None:
    """Decides how much the rules count.

    Args:
        servable: the trained model, without rules.
        scorer: the rules.
        weight: "auto", "none", or the weight.
        valid: users of the valid split, or None.
        metric: metric of the valid split that decides.

    Returns:
        The rules with their weight; None if Caser is better alone.
    """
    if weight == "auto":
        weight = DEFAULT_WEIGHT if valid is None else _best_weight(servable, scorer, valid, metric)
    return Rules(scorer, float(weight)) if weight not in ("none", 0) else None


def _best_weight(servable: ServableCaser, scorer: RuleScorer, valid: Users, metric: str) -> float:
    score = tf.function(
        lambda users, history, weight: servable.scores_by_caser(users, history) + weight * scorer.evidence(history)
    )

    def combined(weight: float) -> Scorer:
        return lambda users: score(users.user_id, users.history, tf.constant(weight))

    best, values = best_settings(_WEIGHTS, combined, valid, servable.items.size, metric)
    _log.info("weight of sequential rules %g: valid %s %s", best, metric, dict(zip(_WEIGHTS, values, strict=True)))
    return best
