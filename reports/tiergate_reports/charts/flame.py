"""A flame graph with the outermost call on top: the width of a box is the time that a call was on the stack.

After Gregg, "The flame graph", Communications of the ACM 59(6), 2016. Boxes are placed in percent, so that
the graph fills whatever width there is while its text keeps its size; the page's script zooms and searches,
and without it everything is there to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from tiergate_reports.charts.svg import element, tooltip

ROW = 20.0
"""Height of a call, pixels."""

LEAST = 0.15
"""Percent of the width below which a box is left out: it could not be seen or hit."""

_WORDS = 1.1
"""Percent from which on a box has a name; a narrower one shows it once it is zoomed to."""


@dataclass(frozen=True, slots=True)
class Box:
    """A call as it is drawn.

    Attributes:
        width: of the whole, 0..1.
        words: what a pointer shows, after the name.
        css: class of its colour.
        inner: gives what it calls, in the order in which it is drawn; asked for only where it is, as stacks
            can be deeper than a function may call itself.
    """

    name: str
    width: float
    words: str
    css: str
    inner: Callable[[], Sequence[Box]]


def flame(root: Box, title: str, description: str, uid: str) -> str:
    """The graph of a call and everything below it."""
    boxes = list(_placed(root, 0.0, 0))
    height = ROW * (1 + max(row for _, _, row in boxes))
    return element(
        "svg",
        element("title", escape(title), id=f"{uid}-t"),
        element("desc", escape(description), id=f"{uid}-d"),
        *(_drawn(box, x, row) for box, x, row in boxes),
        width="100%",
        height=height,
        role="img",
        aria_labelledby=f"{uid}-t",
        aria_describedby=f"{uid}-d",
        class_="flame",
        id=uid,
    )


def _placed(box: Box, x: float, row: int) -> Iterator[tuple[Box, float, int]]:
    """Each box with its left edge in percent and its row."""
    waiting = [(box, x, row)]
    while waiting:
        box, x, row = waiting.pop()
        yield box, x, row
        for inner in box.inner():
            if 100 * inner.width >= LEAST:
                waiting.append((inner, x, row + 1))
            x += 100 * inner.width


def _drawn(box: Box, x: float, row: int) -> str:
    width = 100 * box.width
    name = [element("text", escape(box.name), x="4", y="14")] if width >= _WORDS else []
    # A drawing inside a drawing cuts off what does not fit into it.
    return element(
        "svg",
        tooltip(f"{box.name}\n{box.words}"),
        element("rect", width="100%", height=ROW - 1, class_=box.css),
        *name,
        x=f"{x:.3f}%",
        y=ROW * row,
        width=f"{width:.3f}%",
        height=ROW,
        class_="call",
    )


def shade(change: float) -> str:
    """The class for a change, in shares of the whole: warm where it became slower, cool where faster."""
    steps = sum(abs(change) >= limit for limit in (0.0005, 0.002, 0.01, 0.03, 0.08))
    if not steps:
        return "calm"
    return f"{'slower' if change > 0 else 'faster'}{steps}"
