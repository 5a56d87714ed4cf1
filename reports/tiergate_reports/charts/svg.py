"""The few pieces of SVG that the charts are made of. Text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

SERIES = 8
"""Colours, dashes and shapes that can be told apart; a later series takes the first again."""

_SHAPES = ("circle", "square", "triangle", "diamond", "down", "cross", "plus", "bar")


def element(name: str, *children: str, **attributes: str | float | None) -> str:
    """An element. ``class_`` gives ``class``, ``stroke_width`` gives ``stroke-width``; None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(children)}</{name}>"


def text(words: str, x: float, y: float, css: str = "tick", anchor: str = "start") -> str:
    """A line of text."""
    return element("text", escape(words), x=x, y=y, class_=css, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=css)


def tooltip(words: str) -> str:
    """What a pointer shows over its parent."""
    return element("title", escape(words))


def chart(
    width: float, height: float, title: str, description: str, *children: str, uid: str, fits: bool = True
) -> str:
    """A whole drawing, with its name and what it shows for those who do not see it.

    Args:
        fits: whether it takes the width that there is; otherwise it has its own.
    """
    return element(
        "svg",
        element("title", escape(title), id=f"{uid}-t"),
        element("desc", escape(description), id=f"{uid}-d"),
        *children,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=None if fits else width,
        role="img",
        aria_labelledby=f"{uid}-t",
        aria_describedby=f"{uid}-d",
        class_="chart",
    )


def marker(index: int, x: float, y: float, size: float = 5.0, css: str = "mark") -> str:
    """A point, with the shape and colour of its series."""
    shape, r = _SHAPES[index % SERIES], size
    css = f"{css} s{index % SERIES}"
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=r, class_=css)
    corners: dict[str, Sequence[tuple[float, float]]] = {
        "square": ((-r, -r), (r, -r), (r, r), (-r, r)),
        "triangle": ((0, -1.25 * r), (1.15 * r, r), (-1.15 * r, r)),
        "diamond": ((0, -1.35 * r), (1.35 * r, 0), (0, 1.35 * r), (-1.35 * r, 0)),
        "down": ((0, 1.25 * r), (1.15 * r, -r), (-1.15 * r, -r)),
        "cross": _cross(r, turned=True),
        "plus": _cross(r, turned=False),
        "bar": ((-r, -0.5 * r), (r, -0.5 * r), (r, 0.5 * r), (-r, 0.5 * r)),
    }
    points = " ".join(f"{_value(x + dx)},{_value(y + dy)}" for dx, dy in corners[shape])
    return element("polygon", points=points, class_=css)


def swatch(index: int, *, bound: bool = False) -> str:
    """The key to a series: its line and its shape."""
    css = "mark bound" if bound else "mark"
    parts = line(1, 8, 31, 8, f"curve s{index % SERIES}"), marker(index, 16, 8, 4.5, css)
    return element("svg", *parts, viewBox="0 0 32 16", class_="swatch", aria_hidden="true")


def clip(words: str, most: int) -> str:
    """Words that fit: the tables have them in full."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _cross(r: float, *, turned: bool) -> list[tuple[float, float]]:
    a = 0.4 * r
    outline = [
        (-a, -r),
        (a, -r),
        (a, -a),
        (r, -a),
        (r, a),
        (a, a),
        (a, r),
        (-a, r),
        (-a, a),
        (-r, a),
        (-r, -a),
    ]
    outline.append((-a, -a))
    return [((x - y) * 0.85, (x + y) * 0.85) for x, y in outline] if turned else outline


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
