"""The routers: how well they choose (height) against how soon short requests are answered (width)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tiergate.record import Interval
from tiergate_reports.charts import svg
from tiergate_reports.charts.placing import Box, Spot, beside, place
from tiergate_reports.charts.scale import Scale, log_scale, tick_label
from tiergate_reports.figures import milliseconds, score

LEFT, RIGHT, TOP, BOTTOM, LANE = 44.0, 14.0, 50.0, 40.0, 24.0
FARTHEST = 3.0
"""An interval that ends farther from all points than this factor runs off the edge."""

LONGEST = 24
"""Letters of a name; the table has it in full."""


@dataclass(frozen=True, slots=True)
class Point:
    """A router: `x` in milliseconds, `y` from 0 to 1, or None where it chooses no tier.

    Attributes:
        bound: drawn hollow: not a contestant.
    """

    label: str
    index: int
    x: float
    y: float | None
    x_interval: Interval | None = None
    y_interval: Interval | None = None
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for: at most `x` milliseconds, at least `y`; and what no skill at all reaches."""

    x: float | None = None
    y: float | None = None
    no_skill: float | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    x: Scale
    y: Scale
    width: float
    floor: float
    bottom: float


def scatter(
    points: Sequence[Point], target: Target, *, uid: str, width: float = 720, height: float = 340
) -> str:
    """The plot, with a strip below it for the routers that choose no tier."""
    drawn = [point for point in points if math.isfinite(point.x) and math.isfinite(point.y or 0.0)]
    lanes = [point for point in drawn if point.y is None]
    strip = LANE * len(lanes) + 30 if lanes else 0.0
    bottom = height - BOTTOM
    floor = bottom - strip
    x = log_scale([*_shown(drawn), *([] if target.x is None else [target.x])], LEFT, width - RIGHT)
    frame = _Frame(x, Scale(0, 1, floor, TOP), width, floor, bottom)
    parts = [*_target(target, frame), *_axes(frame)]
    parts += [_no_tier(lanes, frame)] if lanes else []
    parts += _placed([point for point in drawn if point.y is not None], frame)
    if not drawn:
        parts.append(svg.text("no router was measured", width / 2, (TOP + floor) / 2, "none", "middle"))
    return svg.chart(
        width, height, "Tier accuracy and speed of the routers", _describe(drawn), *parts, uid=uid
    )


def _shown(points: Sequence[Point]) -> list[float]:
    """What the width must hold: every point, and of very wide intervals no more than a part."""
    middles = [point.x for point in points if point.x > 0]
    if not middles:
        return []
    low, high = min(middles) / FARTHEST, max(middles) * FARTHEST
    ends = [end for point in points for end in point.x_interval or ()]
    return [*middles, *(min(max(end, low), high) for end in ends)]


def _axes(frame: _Frame) -> list[str]:
    right, parts = frame.width - RIGHT, []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = frame.y(tick)
        parts += [
            svg.line(LEFT, at, right, at, "grid"),
            svg.text(tick_label(tick), LEFT - 6, at + 4, "tick", "end"),
        ]
    for tick in frame.x.ticks(8 if frame.width > 500 else 5):
        at = frame.x(tick)
        parts += [
            svg.line(at, TOP, at, frame.bottom, "grid"),
            svg.text(tick_label(tick), at, frame.bottom + 16, "tick", "middle"),
        ]
    parts += [
        svg.line(LEFT, frame.bottom, right, frame.bottom, "axis"),
        svg.text("balanced tier accuracy (0 to 1)", 0, 13, "axis-name"),
        svg.text(
            "p95 response of short requests (ms), left is better",
            right,
            frame.bottom + 34,
            "axis-name",
            "end",
        ),
    ]
    return parts


def _target(target: Target, frame: _Frame) -> list[str]:
    right, parts = frame.width - RIGHT, []
    if target.x is not None and target.y is not None:
        corner, top = frame.x(target.x), frame.y(1)
        parts.append(
            svg.element(
                "rect", x=LEFT, y=top, width=corner - LEFT, height=frame.y(target.y) - top, class_="target"
            )
        )
    if target.x is not None:
        parts.append(svg.line(frame.x(target.x), TOP, frame.x(target.x), frame.bottom, "limit"))
    if target.y is not None:
        parts.append(svg.line(LEFT, frame.y(target.y), right, frame.y(target.y), "limit"))
    if target.no_skill is not None and math.isfinite(target.no_skill):
        at = frame.y(target.no_skill)
        parts += [
            svg.line(LEFT, at, right, at, "control"),
            svg.text("best control (no skill)", LEFT + 6, at - 5, "tick"),
        ]
    return parts


def _no_tier(lanes: Sequence[Point], frame: _Frame) -> str:
    right, top = frame.width - RIGHT, frame.floor + 8
    parts = [
        svg.element("rect", x=LEFT, y=top, width=right - LEFT, height=frame.bottom - top, class_="lane"),
        svg.text("chooses no tier", LEFT + 6, top + 14, "tick"),
    ]
    for number, point in enumerate(lanes):
        at = top + 18 + LANE * (number + 0.5)
        ends = [frame.x(value) for value in (point.x, *(point.x_interval or ()))]
        words = svg.clip(point.label, LONGEST)
        spot = beside((min(ends), frame.x(point.x), max(ends)), at + 4, words, (LEFT, right))
        parts.append(_drawn(point, (frame.x(point.x), at), words, spot, frame))
    return "".join(parts)


def _placed(points: Sequence[Point], frame: _Frame) -> list[str]:
    spots = [(frame.x(point.x), frame.y(point.y or 0.0)) for point in points]
    words = [svg.clip(p.label, LONGEST) + (" (bound)" if p.bound else "") for p in points]
    bars = [
        _box(*ends) for point, spot in zip(points, spots, strict=True) for ends in _ends(point, *spot, frame)
    ]
    names = place(spots, words, (LEFT, 16.0, frame.width, frame.floor), bars)
    return [
        _drawn(point, spot, label, name, frame)
        for point, spot, label, name in zip(points, spots, words, names, strict=True)
    ]


def _drawn(point: Point, at: tuple[float, float], words: str, spot: Spot, frame: _Frame) -> str:
    return svg.element(
        "g",
        svg.tooltip(_words(point)),
        _bars(point, *at, frame),
        svg.marker(point.index, *at, 5.5, "mark bound" if point.bound else "mark"),
        svg.text(words, spot[0], spot[1], "lab", spot[2]),
    )


def _ends(point: Point, x: float, y: float, frame: _Frame) -> list[Box]:
    """Where each of its bars begins and ends: x, y, x, y."""
    ends: list[Box] = []
    if point.x_interval is not None:
        ends.append((frame.x(point.x_interval[0]), y, frame.x(point.x_interval[1]), y))
    if point.y_interval is not None:
        ends.append((x, frame.y(point.y_interval[0]), x, frame.y(point.y_interval[1])))
    return ends


def _box(x1: float, y1: float, x2: float, y2: float) -> Box:
    """What a bar covers, its width counted."""
    return min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1


def _bars(point: Point, x: float, y: float, frame: _Frame) -> str:
    css = f"bar s{point.index % svg.SERIES}"
    return "".join(svg.line(*ends, css) for ends in _ends(point, x, y, frame))


def _words(point: Point) -> str:
    chosen = "chooses no tier" if point.y is None else f"balanced accuracy {score(point.y)}"
    bound = " (a bound, not a contestant)" if point.bound else ""
    return f"{point.label}{bound}: {chosen}, short p95 {milliseconds(point.x)}"


def _describe(points: Sequence[Point]) -> str:
    return f"{'; '.join(map(_words, points))}." if points else "No router was measured."
