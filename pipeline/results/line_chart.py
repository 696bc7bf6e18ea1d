"""Geometry of a small line chart, drawn as SVG by a template: no plotting library, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 420, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 40
_Y_TICKS, _MAX_X_TICKS = 4, 10


class Tick(NamedTuple):
    """A labelled position on an axis, in pixels."""

    position: float
    label: str


class Point(NamedTuple):
    """A value of the chart: position in pixels, and a tooltip."""

    x: float
    y: float
    tooltip: str
    is_best: bool


class LineChart(NamedTuple):
    """A chart of one value per epoch, or per trial.

    Attributes:
        title: title of the chart, also the label of the y axis.
        unit: label of the x axis.
        color: name of a CSS variable.
        left: left end of the plot area, in pixels.
        right: right end of the plot area.
        bottom: lower end of the plot area.
        x_ticks: epochs.
        y_ticks: values.
        points: the values.
    """

    title: str
    unit: str
    color: str
    left: float
    right: float
    bottom: float
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    points: list[Point]


def line_chart(
    title: str, values: Sequence[float], color: str, best: int | None = None, unit: str = "epoch"
) -> LineChart:
    """Lays out a chart over the epochs 1, 2, ..., or over trials.

    Args:
        title: title of the chart.
        values: one finite value per epoch, at least one.
        color: name of a CSS variable.
        best: index of the best value, which is marked.
        unit: what the values belong to.

    Returns:
        The chart, in pixels of a WIDTH x HEIGHT image.
    """
    margin = (max(values) - min(values)) * 0.08 or abs(max(values)) * 0.1 or 1.0
    low, high = min(values) - margin, max(values) + margin
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def x(index: int) -> float:
        return round(_LEFT + (right - _LEFT) * (index / (len(values) - 1) if len(values) > 1 else 0.5), 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - _TOP) * (value - low) / (high - low), 1)

    y_values = [low + (high - low) * (step + 0.5) / _Y_TICKS for step in range(_Y_TICKS)]
    return LineChart(
        title,
        unit,
        color,
        _LEFT,
        right,
        bottom,
        [Tick(x(index), str(index + 1)) for index in range(0, len(values), -(-len(values) // _MAX_X_TICKS))],
        [Tick(y(value), f"{value:.3g}") for value in y_values],
        [
            Point(x(index), y(value), f"{unit} {index + 1}: {value:.4f}", index == best)
            for index, value in enumerate(values)
        ],
    )
