"""Text of sessions as a terminal can show it, cut so that it fits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tiergate.cli.output import table
from tiergate.terminal_text import JOINERS, visible, visible_lines

__all__ = ["columns", "cut", "excerpt", "visible", "visible_lines", "width_of"]

NARROWEST_CUT = 8
"""A column is cut to no fewer cells than this."""

_ELLIPSIS = "…"
_GAP = "  "


def excerpt(text: str, cells: int) -> str:
    """The beginning of a text that may be long, with white space joined."""
    head = text[: 8 * cells]
    more = _ELLIPSIS if len(text) > len(head) else ""
    return cut(visible(" ".join(head.split()) + more), cells)


def width_of(text: str) -> int:
    """How many cells of a terminal the text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, cells: int) -> str:
    """The text, or as much of its beginning as fits before an ellipsis."""
    if width_of(text) <= cells:
        return text
    taken, kept = 0, []
    for sign in text:
        taken += _cells(sign)
        if taken > cells - 1:
            break
        kept.append(sign)
    return "".join(kept) + _ELLIPSIS


def columns(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    *,
    right: Sequence[int] = (),
    cuts: Sequence[int] = (),
) -> list[str]:
    """The lines of a table with one line a row.

    Where it does not fit even with its columns cut, each row becomes a block, as in `output.table`.

    Args:
        width: cells in a line; None for no limit.
        right: columns of numbers.
        cuts: columns that may be cut to fit, the one that is cut first before the others.
    """
    sizes = [max(map(width_of, column)) for column in zip(headers, *rows, strict=True)]
    if width is not None:
        over = sum(sizes) + len(_GAP) * (len(sizes) - 1) - width
        for index in cuts:
            spare = sizes[index] - max(NARROWEST_CUT, width_of(headers[index]))
            taken = max(0, min(over, spare))
            sizes[index] -= taken
            over -= taken
        if over > 0:
            return table(headers, rows, width)
    return [_line(row, sizes, right) for row in [headers, *rows]]


def _line(row: Sequence[str], sizes: Sequence[int], right: Sequence[int]) -> str:
    cells = []
    for index, (text, size) in enumerate(zip(row, sizes, strict=True)):
        shown = cut(text, size)
        padding = " " * (size - width_of(shown))
        cells.append(padding + shown if index in right else shown + padding)
    return _GAP.join(cells).rstrip()


def _cells(sign: str) -> int:
    if unicodedata.combining(sign) or sign in JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
