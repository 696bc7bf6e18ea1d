"""Writes `metrics.json`: the run in numbers, for programs.

test, popularity   {"map": ..., "precision_at_1": ..., ...}: Caser and the baseline on the same rows
sequential_rules   the same keys for the sequential-rules baseline, or null
sequential_rules_note        why it is null; absent otherwise
ceiling            the same keys; only for the built-in sample
counts             what ExampleGen counted: rows, users, items, ...
blessed            true or false
blessing_reason    why
pushed_version     the folder below serving/caser, or null
seconds            per node
states             per node: "done", or "cached" where an earlier run's outputs were reused
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.files import write_text
from pipeline.results.summary import Summary


def write_metrics(summary: Summary, file: Path) -> None:
    """Writes the file at once: a reader sees the old one or the new one, never a part.

    Args:
        summary: of the run.
        file: is replaced.
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
