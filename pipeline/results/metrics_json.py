"""Writes `metrics.json`, the machine-readable results of a run.

test, popularity        {"map": ..., "precision_at_1": ..., ...}: Caser and popularity on the same users
sequential_rules        the same keys for sequential rules, or null
sequential_rules_note   why sequential_rules is null; absent otherwise
ceiling                 the same keys for the oracle ranking; built-in sample only
counts                  counts of ExampleGen: rows, users, items, ...
blessed                 true or false
blessing_reason         the reason
pushed_version          directory below serving/caser, or null
seconds                 seconds per node
states                  state per node: "done" or "cached"
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.files import write_text
from pipeline.results.summary import RunSummary


def write_metrics(summary: RunSummary, file: Path) -> None:
    """Writes the file atomically.

    Args:
        summary: results of the run.
        file: path of the file.
    """
    content: dict[str, Any] = {
        "test": summary.test,
        "popularity": summary.popularity,
        "sequential_rules": summary.sequential_rules,
    }
    if summary.sequential_rules is None:
        content["sequential_rules_note"] = summary.sequential_rules_note
    if summary.ceiling is not None:
        content["ceiling"] = summary.ceiling
    content |= {
        "counts": summary.counts,
        "blessed": summary.blessed,
        "blessing_reason": summary.blessing_reason,
        "pushed_version": summary.pushed_version,
        "seconds": {node: round(seconds, 2) for node, seconds in summary.seconds.items()},
        "states": summary.states,
    }
    write_text(file, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
