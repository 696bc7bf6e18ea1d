"""A small line chart as SVG, so that a report needs neither a plotting library nor a network."""

from __future__ import annotations

from collections.abc import Sequence

_DIM, _HEIGHT = 420, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 26, 28


def line_chart(title: str, values: Sequence[float], color: str, marked: int | None = None) -> str:
    """Draws values over the epochs 1, 2, ...

    Args:
        title: is escaped already.
        values: at least one, finite.
        color: CSS.
        marked: index of the value to point out, such as the best.

    Returns:
        An `<svg>` element.
    """
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = low - margin, high + margin
    right, bottom = _DIM - _RIGHT, _HEIGHT - _BOTTOM

    def x(index: float) -> float:
        return _LEFT + (right - _LEFT) * (index / (len(values) - 1) if len(values) > 1 else 0.5)

    def y(value: float) -> float:
        return bottom - (bottom - _TOP) * (value - low) / (high - low)

    parts = [f'<svg viewBox="0 0 {_DIM} {_HEIGHT}" role="img" aria-label="{title}">']
    parts.append(f'<text x="{_LEFT}" y="14">{title}</text>')
    for step in range(4):
        value = low + (high - low) * (step + 0.5) / 4
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="var(--line)"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    every = -(-len(values) // 10)
    for index in range(0, len(values), every):
        parts.append(f'<text x="{x(index):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{index + 1}</text>')
    points = " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(values))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
    for index, value in enumerate(values):
        radius = 5 if index == marked else 2.5
        parts.append(
            f'<circle cx="{x(index):.1f}" cy="{y(value):.1f}" r="{radius}" fill="{color}">'
            f"<title>epoch {index + 1}: {value:.4f}</title></circle>"
        )
    return "".join([*parts, "</svg>"])
