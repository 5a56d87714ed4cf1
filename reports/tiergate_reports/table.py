"""What templates show: tables of written figures, and charts with their captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tiergate.record import Interval
from tiergate_reports import figures


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: the figure or words.
        note: a second, smaller line, such as an interval.
        tone: a CSS class.
    """

    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        help: the sentence below the table that says what it means and what is good.
        term: what the sentence is about, where that is not the label alone.
    """

    label: str
    unit: str = ""
    help: str = ""
    numeric: bool = True
    term: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row is its heading.

    Attributes:
        empty: shown in place of a table without rows.
        stacked: whether rows become blocks on narrow screens.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str = ""
    stacked: bool = False

    @property
    def helps(self) -> list[Column]:
        """The columns that need a sentence."""
        return [column for column in self.columns if column.help]


@dataclass(frozen=True, slots=True)
class Figure:
    """One or more charts under one caption.

    Attributes:
        charts: SVG from `charts`, which escapes its text; side by side where there is room.
        narrow: SVG to show instead on narrow screens.
    """

    caption: str
    charts: Sequence[str]
    narrow: Sequence[str] = field(default=())


def text_column(label: str, help_text: str = "") -> Column:
    """A column of words."""
    return Column(label, help=help_text, numeric=False)


def missing(reason: str) -> Cell:
    """A figure that does not exist, and why."""
    return Cell(figures.NOT_AVAILABLE, reason, "missing")


def cell(
    value: float | None,
    write: Callable[[float], str],
    *,
    interval: Interval | None = None,
    reason: str = "not measured",
) -> Cell:
    """A figure with its interval below, or why there is none."""
    if value is None:
        return missing(reason)
    text = write(value)
    return (
        missing(reason)
        if text == figures.NOT_AVAILABLE
        else Cell(text, figures.compact_span(interval, write))
    )
