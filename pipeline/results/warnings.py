"""What to know before the metrics: few users, items that cannot be hit, ties in time, ids such as NULL."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from components.baseline_validator.comparison import Comparison
from pipeline.config.config import Config

# Share of rows from which an id such as NULL is worth a warning.
_FREQUENT_NULLS = 0.001


def warnings(config: Config, counts: Mapping[str, Any], compared: Comparison) -> list[str]:
    """Finds what weakens the results, or hints at a mistake in the data.

    Args:
        config: configuration of the run.
        counts: counts of ExampleGen.
        compared: the comparison with baselines.

    Returns:
        One sentence each.
    """
    found = [compared.warning] if compared.warning else []
    rows = max(counts["rows_read"], 1)
    for id_, count in counts["null_words"].items():
        column, _, word = id_.partition("=")
        if count >= _FREQUENT_NULLS * rows:
            settings = shlex.join(
                ["--set", f"data.null_values=[{word}]", "--set", f"data.max_bad_row_fraction={_enough(count / rows)}"]
            )
            found.append(
                f"`{column}` is {word!r} in {count:,} of {rows:,} rows, which makes them one "
                f"{'user' if column == config.data.user_column else 'item'}. "
                f"Hint: if it means a missing value, leave these rows out with {settings}"
            )
    held_out = compared.held_out
    if held_out.reachable < held_out.total:
        blocked = f", {held_out.blocked:,} are on the blocklist" if held_out.blocked else ""
        found.append(
            f"{held_out.total - held_out.reachable:,} of {held_out.total:,} held-out items count as misses for every "
            f"model: {held_out.seen:,} are in the user's history, {held_out.unknown:,} are not in the train split"
            f"{blocked}"
        )
    if new := counts.get("new_users"):
        found.append(
            f"{new:,} of {counts['users']:,} users have no interaction in the train split; they are evaluated with the "
            "popular items that they would get"
        )
    if counts["ties"]:
        found.append(
            f"{counts['ties']:,} interactions have the time of the user's previous or next one; "
            "their order is that of the rows"
        )
    if (last := counts.get("last_time") or "").startswith("1970-"):
        found.append(
            f"numbers below 1e11 are taken for seconds since 1970, so the newest time is {last}. "
            "Hint: if they are dates such as 20200913, use --set data.time_format=%Y%m%d; mere counters are fine"
        )
    return found


def _enough(fraction: float) -> str:
    return f"{min(1.0, fraction * 1.05 + 1e-6):.2g}"
