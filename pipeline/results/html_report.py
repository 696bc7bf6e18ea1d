"""Writes `report.html`: a self-contained HTML report of a run, readable without a network."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2

from components.export.signatures import CASER, POPULARITY, SEQUENTIAL_RULES
from components.files import write_text
from pipeline.config.config import Config, to_yaml
from pipeline.results import line_chart
from pipeline.results.summary import BEYOND_ACCURACY, TITLES, RunSummary
from pipeline.results.tuning import BEST, Tuning

_FILES, _HELD_OUT_ITEMS = 5, 8


def write_report(summary: RunSummary, config: Config, data: str, file: Path) -> None:
    """Writes the report atomically.

    Args:
        summary: results of the run.
        config: configuration of the run.
        data: input of the run, as the user named it.
        file: path of the report.
    """
    metric = TITLES.get(config.evaluator.metric, config.evaluator.metric)
    text = _render(
        "report.html",
        title=f"Caser on {Path(data).name}",
        data=data,
        summary=summary,
        tuning=_tuning(summary.tuning, config.trainer.monitor) if summary.tuning else None,
        exclude_seen=config.recommend.exclude_seen,
        tiles=_tiles(summary),
        columns=summary.columns(),
        main_metrics=_metric_rows(summary, summary.main_metrics()),
        other_metrics=_metric_rows(summary, _other_metrics(summary)),
        slice_metric=config.evaluator.metric,
        slice_title=metric,
        slice_parts=_slice_parts(summary),
        training_note=_training_note(summary, config.trainer.monitor),
        charts=_charts(summary, config.trainer.monitor),
        held_out_items=_HELD_OUT_ITEMS,
        model_card=json.loads(summary.model_card) if summary.model_card else None,
        explorer=summary.explorer.to_json(summary.titles) if summary.explorer else "",
        counts=list(_flatten(summary.counts)),
        settings=to_yaml(config),
    )
    write_text(file, text)


def write_tuning_report(tuning: Tuning, config: Config, data: str, best: str, file: Path) -> None:
    """Writes the report of a hyperparameter search atomically.

    Args:
        tuning: the trials.
        config: configuration of the search.
        data: input of the run, as the user named it.
        best: the best settings, as YAML.
        file: path of the report.
    """
    text = _render(
        "tuning.html",
        title=f"Hyperparameters of Caser on {Path(data).name}",
        data=data,
        tuning=_tuning(tuning, config.trainer.monitor),
        settings=best,
        best_file=BEST,
    )
    write_text(file, text)


def _render(template: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.results"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": _number, "words": _words}
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return environment.get_template(template).render(
        now=now, chart_size=(line_chart.WIDTH, line_chart.HEIGHT), **values
    )


def _tuning(tuning: Tuning, monitor: str) -> dict[str, Any]:
    """What the template shows of a search."""
    metric, best = TITLES.get(monitor, monitor), tuning.best
    scores = [trial.score for trial in tuning.trials]
    return {
        "metric": metric,
        "trials": sorted(tuning.trials, key=lambda trial: -trial.score),
        "parameters": list(best.parameters),
        "chart": line_chart.line_chart(f"{metric} on valid", scores, "test", tuning.trials.index(best), "trial"),
        "note": tuning.describe(metric),
    }


def _tiles(summary: RunSummary) -> list[tuple[str, str]]:
    """The key figures at the top: title and value."""
    tiles = [(TITLES[name], f"{summary.test[name]:.4f}") for name in ("map", "ndcg_at_10") if name in summary.test]
    if summary.popularity.get("map"):
        tiles.append(("MAP / MAP of popularity", f"{summary.test['map'] / summary.popularity['map']:.1f}"))
    tiles += [(name, _number(summary.counts[name])) for name in ("users", "items") if name in summary.counts]
    return [*tiles, ("total seconds", f"{sum(summary.seconds.values()):.0f}")]


def _metric_rows(summary: RunSummary, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a metrics table: name, title, and per column the value, its interval and the bar's width in percent."""
    rows = []
    for name in names:
        values = {column.key: column.metrics.get(name) for column in summary.columns()}
        scale = max((value for value in values.values() if value), default=1.0)
        widths = {key: round(100 * (value or 0.0) / scale, 1) for key, value in values.items()}
        intervals = {key: summary.intervals.get(key, {}).get(name) for key in values}
        title = {**TITLES, **BEYOND_ACCURACY}.get(name, _words(name))
        rows.append({"name": name, "title": title, "values": values, "intervals": intervals, "widths": widths})
    return rows


def _slice_parts(summary: RunSummary) -> dict[str, str]:
    """Titles of the parts with metrics by segment."""
    titles = {"": "served", CASER: "Caser", SEQUENTIAL_RULES: "sequential rules", POPULARITY: "popularity"}
    if not summary.rule_weight:
        titles = {"": "Caser", POPULARITY: "popularity"}
    return titles


def _other_metrics(summary: RunSummary) -> list[str]:
    """All metrics that are not main metrics, with cutoffs in numeric order."""

    def order(name: str) -> tuple[str, int]:
        stem, _, cutoff = name.rpartition("_")
        return (stem, int(cutoff)) if cutoff.isdigit() else (name, 0)

    main = summary.main_metrics()
    return [name for name in sorted(summary.test, key=order) if name not in main and not summary.is_repeated(name)]


def _best_epoch(summary: RunSummary, metric: str) -> int | None:
    """Index of the epoch with the best validation metric; None without a valid split."""
    if not summary.history or any(metric not in row for row in summary.history):
        return None
    return max(range(len(summary.history)), key=lambda epoch: summary.history[epoch][metric])


def _training_note(summary: RunSummary, metric: str) -> str:
    if not summary.history:
        return "There is no training curve."
    last = summary.history[-1]
    note = f"{last['epoch']} epochs of {last['objective']}; peak memory of the process {last['peak_memory_gb']:.1f} GB."
    note = " ".join([note, *last["notes"]])
    best = _best_epoch(summary, metric)
    if best is None:
        return note + " There is no valid split; the weights of the last epoch were exported."
    return f"{note} The weights of epoch {best + 1} were exported: the best {TITLES.get(metric, metric)} on valid."


def _charts(summary: RunSummary, metric: str) -> list[line_chart.LineChart]:
    if not summary.history:
        return []
    best = _best_epoch(summary, metric)
    charts = [line_chart.line_chart("training loss", [row["loss"] for row in summary.history], "loss", best)]
    if best is not None:
        values = [row[metric] for row in summary.history]
        charts.append(line_chart.line_chart(f"{TITLES.get(metric, metric)} on valid", values, "test", best))
    return charts


def _flatten(counts: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in counts.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name} ")
        elif isinstance(value, list):
            more = [f"... and {len(value) - _FILES} more"] if len(value) > _FILES else []
            yield prefix + name, [*value[:_FILES], *more]
        else:
            yield prefix + name, value


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else ""
    return "" if value is None else str(value)
