"""Writes `metrics.json`, the machine-readable results of a run.

test                    {"map": ..., "precision_at_1": ..., ...}: what is served
caser, popularity       the same keys for Caser alone and for popularity, on the same users
sequential_rules        the same keys for sequential rules, or null
neighbours              the same keys for the neighbourhood baseline, or null
notes                   by baseline, why it is null
ceiling                 the same keys for the oracle ranking; built-in sample only
slices                  {"history length": {"6 to 20": {"test": {"map": ..., ...}, "caser": ..., ...}, ...}, ...}
intervals               {"test": {"map": [lower, upper], ...}, ...}: 95 % confidence intervals of the same values
rule_weight             weight of the sequential rules in what is served; 0: Caser alone
counts                  counts of ExampleGen: rows, users, items, ...
blessed                 true or false
blessing_reason         the reason
drift, refit            {"passed": ..., "reason": ..., and what was measured}; only if enabled
unseen_items            number of items that the served model has never seen
warnings                what to know before the metrics, one sentence each
pushed_version          directory below serving/caser, or null
seconds                 seconds per node
states                  state per node: "done" or "cached"
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.export.signatures import CASER, POPULARITY, SEQUENTIAL_RULES
from components.files import write_text
from pipeline.results.summary import Metrics, RunSummary

# Keys of the parts of a model.
_PARTS = {"": "test", CASER: "caser", SEQUENTIAL_RULES: "sequential_rules", POPULARITY: "popularity"}


def write_metrics(summary: RunSummary, file: Path) -> None:
    """Writes the file atomically.

    Args:
        summary: results of the run.
        file: path of the file.
    """
    content: dict[str, Any] = {
        "test": summary.test,
        "caser": summary.caser,
        "sequential_rules": summary.sequential_rules,
        "neighbours": summary.neighbours,
        "popularity": summary.popularity,
        "notes": summary.notes,
    }
    if summary.ceiling is not None:
        content["ceiling"] = summary.ceiling
    content |= {
        "slices": _slices(summary),
        "intervals": summary.intervals,
        "rule_weight": summary.rule_weight,
        "counts": summary.counts,
        "blessed": summary.blessed,
        "blessing_reason": summary.blessing_reason,
        **{check.name: {"passed": check.passed, "reason": check.reason, **check.values} for check in summary.checks},
        "unseen_items": summary.unseen_items,
        "warnings": summary.warnings,
        "pushed_version": summary.pushed_version,
        "seconds": {node: round(seconds, 2) for node, seconds in summary.seconds.items()},
        "states": summary.states,
    }
    write_text(file, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _slices(summary: RunSummary) -> dict[str, dict[str, dict[str, Metrics]]]:
    slices: dict[str, dict[str, dict[str, Metrics]]] = {}
    for kind, value, parts in summary.slices:
        slices.setdefault(kind, {})[value] = {_PARTS[part]: metrics for part, metrics in parts.items()}
    return slices
