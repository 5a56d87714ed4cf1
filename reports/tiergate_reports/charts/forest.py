"""A forest plot: ratios with their intervals around the line of no difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tiergate.record import Interval
from tiergate_reports.charts import svg
from tiergate_reports.charts.scale import Scale, log_scale, tick_label
from tiergate_reports.figures import number

WIDTH, ROW = 340.0, 34.0
LEFT, RIGHT, TOP, BOTTOM = 8.0, 8.0, 24.0, 38.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """One row of the plot; `index` is the colour of its series, and a bound is drawn hollow."""

    label: str
    index: int
    ratio: float
    interval: Interval
    bound: bool = False


def forest(title: str, rows: Sequence[Ratio], *, uid: str, less: str = "lower", more: str = "higher") -> str:
    """Ratios on a logarithmic axis, with a line at 1.

    Args:
        less: what a ratio below 1 means, written at the left end of the axis; `more`: likewise above 1.
    """
    rows = [row for row in rows if all(math.isfinite(v) for v in (row.ratio, *row.interval))]
    height = TOP + max(len(rows), 1) * ROW + BOTTOM
    bottom, right = height - BOTTOM, WIDTH - RIGHT
    values = [value for row in rows for value in (row.ratio, *row.interval)]
    x = log_scale(values, LEFT, right, around=1.0)
    parts = [svg.text(svg.clip(title, 48), 0, 13, "panel")]
    for tick in x.ticks(6):
        parts += [
            svg.line(x(tick), TOP, x(tick), bottom, "grid"),
            svg.text(f"×{tick_label(tick)}", x(tick), bottom + 14, "tick", "middle"),
        ]
    parts += [svg.line(x(1), TOP, x(1), bottom, "one"), svg.line(LEFT, bottom, right, bottom, "axis")]
    parts += [_row(row, x, TOP + (number + 0.5) * ROW) for number, row in enumerate(rows)]
    parts += [
        svg.text(f"← {less}", 0, height - 6, "axis-name"),
        svg.text(f"{more} →", WIDTH, height - 6, "axis-name", "end"),
    ]
    if not rows:
        parts.append(svg.text("nothing was compared", WIDTH / 2, TOP + ROW / 2 + 4, "none", "middle"))
    return svg.chart(WIDTH, height, title, _describe(rows), *parts, uid=uid)


def _row(row: Ratio, x: Scale, y: float) -> str:
    series = f"s{row.index % svg.SERIES}"
    words = f"{svg.clip(row.label, 28)}  {_figures(row)}"
    return svg.element(
        "g",
        svg.tooltip(f"{row.label}: {_figures(row)}"),
        svg.text(words, LEFT, y - 4, "lab"),
        svg.line(x(row.interval[0]), y + 7, x(row.interval[1]), y + 7, f"bar {series}"),
        svg.marker(row.index, x(row.ratio), y + 7, 4.5, "mark bound" if row.bound else "mark"),
    )


def _figures(row: Ratio) -> str:
    return f"×{number(row.ratio)} ({number(row.interval[0])} to {number(row.interval[1])})"


def _describe(rows: Sequence[Ratio]) -> str:
    if not rows:
        return "Nothing was compared."
    return f"Ratios; 1 is no difference. {'; '.join(f'{row.label} {_figures(row)}' for row in rows)}."
