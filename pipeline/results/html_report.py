"""Writes `report.html`: one file that shows the run to people, readable without a network."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from pipeline.config.config import Config, to_yaml
from pipeline.files import write_text
from pipeline.results.line_chart import line_chart
from pipeline.results.summary import TITLES, Example, Summary

_COLORS = {
    "Caser": "--caser",
    "sequential rules": "--sequential-rules",
    "popularity": "--popularity",
    "ceiling": "--ceiling",
}

_SHOWN_FILES, _SHOWN_HELD_OUT = 5, 8


def write_report(summary: Summary, config: Config, data: str, file: Path) -> None:
    """Writes the file at once.

    Args:
        summary: of the run.
        config: of the run.
        data: what was read, in the user's words.
        file: is replaced.
    """
    template = Template((resources.files("pipeline.results") / "templates/report.html").read_text(encoding="utf-8"))
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    text = template.substitute(
        title=f"Caser on {escape(Path(data).name)}",
        subtitle=f"<code>{escape(data)}</code>, {escape(now)}",
        verdict=_verdict(summary),
        tiles=_tiles(summary),
        quality_note=_quality_note(summary),
        metrics=_metrics(summary),
        slices=_slices(summary, config.evaluator.metric),
        training=_training(summary, config.trainer.monitor),
        examples=_examples(summary.examples),
        counts=_table(["what", "count"], [(_words(name), _number(value)) for name, value in _flat(summary.counts)]),
        nodes=_table(
            ["node", "seconds", "state"],
            [(escape(node), f"{s:.1f}", escape(summary.states[node])) for node, s in summary.seconds.items()],
        ),
        settings=escape(to_yaml(config)),
    )
    write_text(file, text)


def _verdict(summary: Summary) -> str:
    word = "Blessed" if summary.blessed else "Not blessed"
    pushed = f" Pushed as version <code>{escape(summary.pushed_version)}</code>." if summary.pushed_version else ""
    style = "verdict" if summary.blessed else "verdict bad"
    return f'<div class="{style}"><b>{word}:</b> {escape(summary.blessing_reason)}.{pushed}</div>'


def _tiles(summary: Summary) -> str:
    tiles = [(TITLES[name], f"{summary.test[name]:.4f}") for name in ("map", "ndcg_at_10") if name in summary.test]
    if summary.popularity.get("map"):
        tiles.append(("MAP against popularity", f"{summary.test['map'] / summary.popularity['map']:.1f} ×"))
    tiles += [(_words(name), _number(summary.counts[name])) for name in ("users", "items") if name in summary.counts]
    tiles.append(("seconds in all", f"{sum(summary.seconds.values()):.0f}"))
    return "".join(f'<div class="tile"><b>{value}</b><span>{escape(title)}</span></div>' for title, value in tiles)


def _quality_note(summary: Summary) -> str:
    note = "Every held-out item is ranked among all items that the user had not met before; no candidates are sampled."
    if summary.sequential_rules is not None:
        note += " Markov counts how often, and how soon, an item followed those that the user met last."
    elif summary.sequential_rules_note:
        note += f" Markov counts: {escape(summary.sequential_rules_note)}."
    if summary.ceiling:
        note += " The ceiling is the ranking by the probabilities that the sample was drawn from: nothing can beat it."
    return note


def _metrics(summary: Summary) -> str:
    first = summary.main_metrics()
    others = [
        name for name in sorted(summary.test, key=_natural) if name not in first and not summary.is_repeated(name)
    ]
    table = _metrics_table(summary, first)
    if others:
        table += f"<details><summary>All metrics</summary>{_metrics_table(summary, others)}</details>"
    return table


def _metrics_table(summary: Summary, names: Sequence[str]) -> str:
    columns = summary.columns()
    rows = []
    for name in names:
        scale = max((values.get(name, 0.0) for _, values in columns), default=0.0) or 1.0
        bars = "".join(
            f'<div class="bar" style="width:{100 * values.get(name, 0.0) / scale:.1f}%;'
            f'background:var({_COLORS[title]});margin:2px 0"></div>'
            for title, values in columns
        )
        numbers = [f"{values[name]:.4f}" if name in values else "" for _, values in columns]
        rows.append((escape(TITLES.get(name, _words(name))), *numbers, f'<div style="min-width:8rem">{bars}</div>'))
    return _table(["metric", *(title for title, _ in columns), ""], rows)


def _slices(summary: Summary, metric: str) -> str:
    if not summary.slices:
        return '<p class="quiet">No slices were evaluated.</p>'
    title = TITLES.get(metric, metric)
    rows = [
        (
            escape(_words(part.name)),
            escape(part.value),
            _number(part.test.get(metric)),
            _number(part.popularity.get(metric)),
        )
        for part in summary.slices
    ]
    return _table(["slice", "value", f"{title}, Caser", f"{title}, popularity"], rows)


def _training(summary: Summary, metric: str) -> str:
    if not summary.history:
        return '<p class="quiet">No training curve was kept.</p>'
    charts = [line_chart("loss per epoch", [row["loss"] for row in summary.history], "var(--popularity)")]
    note = f"{len(summary.history)} epochs of {summary.history[0]['objective']}."
    if all(metric in row for row in summary.history):
        values = [row[metric] for row in summary.history]
        best = values.index(max(values))
        title = TITLES.get(metric, metric)
        charts.append(line_chart(f"{title} on valid per epoch", values, "var(--caser)", marked=best))
        note += f" The weights of epoch {best + 1} were kept: the best {title} on the valid split."
    return f'<p class="quiet">{escape(note)}</p><div class="charts">{"".join(charts)}</div>'


def _examples(examples: Sequence[Example]) -> str:
    if not examples:
        return '<p class="quiet">No recommendations were made.</p>'
    rows = [
        (
            escape(example.user),
            _items(example.history),
            _items(example.recommended, set(example.held_out)),
            _items(example.held_out[:_SHOWN_HELD_OUT]),
        )
        for example in examples
    ]
    return _table(["user", "recent items", "recommended, best first", "went on to"], rows)


def _items(items: Iterable[str], hits: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    return "".join(f'<span class="item{" hit" if item in hits else ""}">{escape(item)}</span>' for item in items)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rows = list(rows)

    def style(column: int) -> str:
        cells = [row[column] for row in rows if row[column]]
        return ' class="number"' if cells and all(cell[0].isdigit() or cell[0] == "-" for cell in cells) else ""

    styles = [style(column) for column in range(len(titles))]
    head = "".join(f"<th{css}>{escape(title)}</th>" for title, css in zip(titles, styles, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{css}>{cell}</td>" for cell, css in zip(row, styles, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _flat(counts: dict[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    for name, value in counts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield prefix + name, value


def _natural(name: str) -> tuple[str, int]:
    """Sorts `recall_at_5` before `recall_at_10`."""
    stem, _, cutoff = name.rpartition("_")
    return (stem, int(cutoff)) if cutoff.isdigit() else (name, 0)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else ""
    if isinstance(value, list):
        return "<br>".join(map(_number, value[:_SHOWN_FILES])) + (" ..." if len(value) > _SHOWN_FILES else "")
    return escape(str(value)) if value is not None else ""
