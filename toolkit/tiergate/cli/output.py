"""What commands write: plain tables that fit the terminal, and pure JSON."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from textwrap import wrap

import click
import msgspec

NARROWEST_COLUMN = 20
"""A last column of fewer characters is no use, unless it fits; rows are then shown as blocks."""

_GAP = "  "
_INDENT = "    "


def write(*lines: str) -> None:
    """Write lines to standard output."""
    for line in lines:
        click.echo(line)


def write_json(value: object) -> None:
    """Write one JSON document to standard output. A command with ``--json`` writes nothing else there."""
    # As bytes: JSON is UTF-8, whatever the locale says.
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def printable(text: str) -> str:
    """Text of the command line with what is no character in it replaced, so that it can be written."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def output_width() -> int | None:
    """How many characters fit in a line of standard output; None where nothing limits them.

    A file or a pipe has no limit, unless ``COLUMNS`` states one.
    """
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return max(shutil.get_terminal_size().columns, 1)
    return None


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """The lines of a table whose last column is wrapped to fit.

    Where not even that fits, each row becomes a block: its first cell, then ``header: cell`` for the
    others that are not empty.

    Args:
        width: characters in a line; None for no limit.
    """
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)][:-1]
    before = sum(widths) + len(_GAP) * len(widths)
    longest = max(len(row[-1]) for row in [headers, *rows])
    if width is not None and width - before < min(NARROWEST_COLUMN, longest):
        return [line for row in rows for line in _block(headers, row, width)]
    lines = []
    for row in [headers, *rows]:
        last = [row[-1]] if width is None else wrap(row[-1], width - before) or [""]
        cells = [cell.ljust(size) for cell, size in zip(row[:-1], widths, strict=True)]
        lines.append(_GAP.join([*cells, last[0]]).rstrip())
        lines += [" " * before + rest for rest in last[1:]]
    return lines


def _block(headers: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    lines = wrap(row[0], width) or [""]
    for header, cell in zip(headers[1:], row[1:], strict=True):
        if cell:
            text = f"{header.lower()}: {cell}"
            lines += wrap(text, max(width, 12), initial_indent="  ", subsequent_indent=_INDENT)
    return lines
