"""Curves over a horizontal axis: percentiles, or time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tiergate_reports.charts import svg
from tiergate_reports.charts.scale import Scale, log_scale, tick_label

WIDTH, HEIGHT = 340.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 26.0, 40.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line of (x, y); `index` picks its colour and dash, and a faint one stands back."""

    label: str
    index: int
    points: Sequence[tuple[float, float]]
    faint: bool = False


def curves(
    title: str,
    lines: Sequence[Curve],
    *,
    uid: str,
    x_ticks: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
    x_position: Callable[[float], float] = float,
    y_range: Sequence[float] = (),
) -> str:
    """Lines on a logarithmic height.

    Args:
        x_ticks: values and words of the ticks; the first and last are the ends of the axis.
        x_position: where on the axis a value is, for axes that are not even.
        y_range: values that must be on the scale too, so that neighbouring charts can share it.
    """
    drawn = [replace(c, points=[p for p in c.points if _finite(p)]) for c in lines]
    drawn = [curve for curve in drawn if curve.points]
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    ends = [x_position(value) for value, _ in (x_ticks[0], x_ticks[-1])]
    x = Scale(ends[0], ends[1], LEFT, right)
    y = log_scale([*(p[1] for c in drawn for p in c.points), *y_range], bottom, TOP)
    parts = [svg.text(svg.clip(title, 48), 0, 13, "panel")]
    for tick in y.ticks(5):
        parts += [
            svg.line(LEFT, y(tick), right, y(tick), "grid"),
            svg.text(tick_label(tick), LEFT - 6, y(tick) + 4, "tick", "end"),
        ]
    for value, words in x_ticks:
        at = x(x_position(value))
        anchor = "end" if at > right - 4 else "middle"
        parts += [
            svg.line(at, bottom, at, bottom + 4, "axis"),
            svg.text(words, at, bottom + 16, "tick", anchor),
        ]
    parts += [svg.line(LEFT, bottom, right, bottom, "axis")]
    parts += [svg.text(x_label, right, HEIGHT - 6, "axis-name", "end")]
    parts += [svg.text(y_label, 0, HEIGHT - 6, "axis-name")]
    parts += [_draw(curve, x, y, x_position) for curve in drawn]
    if not drawn:
        parts.append(
            svg.text("nothing was measured", (LEFT + right) / 2, (TOP + bottom) / 2, "none", "middle")
        )
    return svg.chart(WIDTH, HEIGHT, title, _describe(drawn, y_label), *parts, uid=uid)


def _draw(curve: Curve, x: Scale, y: Scale, x_position: Callable[[float], float]) -> str:
    spots = [(x(x_position(at)), y(value)) for at, value in curve.points]
    css = f"curve s{curve.index % svg.SERIES}{' faint' if curve.faint else ''}"
    if len(spots) == 1:
        shape = svg.marker(curve.index, *spots[0], 3.5)
    else:
        path = " ".join(f"{'L' if number else 'M'}{px:.1f} {py:.1f}" for number, (px, py) in enumerate(spots))
        shape = svg.element("path", d=path, class_=css)
    return svg.element("g", svg.tooltip(curve.label), shape)


def _describe(drawn: Sequence[Curve], unit: str) -> str:
    if not drawn:
        return "Nothing was measured."
    ends = (
        f"{curve.label} from {tick_label(curve.points[0][1])} to {tick_label(curve.points[-1][1])}"
        for curve in drawn
    )
    return f"In {unit}, first to last: {'; '.join(ends)}."


def _finite(point: tuple[float, float]) -> bool:
    return all(math.isfinite(value) for value in point)
