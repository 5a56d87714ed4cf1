"""Where the names of points go: none covers another name or point, nor a bar where it can be helped."""

from __future__ import annotations

from collections.abc import Sequence

Spot = tuple[float, float, str]
"""Left or right end of a line of text, its base line, and which end it is (`start` or `end`)."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_REACH = 6.0
_SIDES = (
    (10.0, -6.0, "start"),
    (-10.0, -6.0, "end"),
    (10.0, -22.0, "start"),
    (10.0, 15.0, "start"),
    (-10.0, 15.0, "end"),
    (-10.0, -22.0, "end"),
    (10.0, 31.0, "start"),
    (-10.0, 31.0, "end"),
)


def width_of(words: str) -> float:
    """About how wide words are at the size of the charts' names."""
    return 7.0 * len(words)


def place(
    points: Sequence[tuple[float, float]], words: Sequence[str], room: Box, bars: Sequence[Box] = ()
) -> list[Spot]:
    """A place for the name of each point: the first side that is free, also of bars, where there is such a
    side; else the first that is free of names and points; or else the first side.
    """
    taken: list[Box] = [(x - _REACH, y - _REACH, x + _REACH, y + _REACH) for x, y in points]
    spots = []
    for (x, y), name in zip(points, words, strict=True):
        choices = [(x + dx, y + dy, side) for dx, dy, side in _SIDES]
        free = [spot for spot in choices if _fits(_box(spot, name), taken, room)]
        clear = (spot for spot in free if not any(_overlap(_box(spot, name), bar) for bar in bars))
        spot = next(clear, free[0] if free else choices[0])
        taken.append(_box(spot, name))
        spots.append(spot)
    return spots


def beside(bar: tuple[float, float, float], y: float, words: str, room: tuple[float, float]) -> Spot:
    """A place on the line of a bar: after it, before it, or else upon it beside its middle."""
    wide = width_of(words) + 10
    low, middle, high = bar
    for end in (high, middle):
        if end + wide <= room[1]:
            return end + 10, y, "start"
        before = low if end == high else middle
        if before - wide >= room[0]:
            return before - 10, y, "end"
    return room[0], y, "start"


def _box(spot: Spot, words: str) -> Box:
    x, y, side = spot
    left = x - width_of(words) if side == "end" else x
    return left, y - 11, left + width_of(words), y + 3


def _fits(box: Box, taken: Sequence[Box], room: Box) -> bool:
    inside = box[0] >= room[0] and box[1] >= room[1] and box[2] <= room[2] and box[3] <= room[3]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
