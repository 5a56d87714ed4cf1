"""What benchmarks measured, area by area, and which targets they reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiergate.record import BenchRecord, BenchRow, Environment
from tiergate_reports import figures
from tiergate_reports.plain import plain
from tiergate_reports.table import Cell, Column, Table, text_column

_UNITS = {"x": "", "share": "", "us": "µs"}
"""Units that are written otherwise, or not at all."""


def build(records: Sequence[BenchRecord]) -> dict[str, object]:
    """Everything that the page shows."""
    judged = [row for record in records for row in record.rows if row.reached is not None]
    reached = sum(row.reached is True for row in judged)
    return {
        "kind": "same" if not judged else "pass" if reached == len(judged) else "fail",
        "word": f"{reached} of {len(judged)} reached" if judged else "Nothing judged",
        "meaning": meaning(judged, reached),
        "heading": f"Benchmarks: {figures.joined([plain(record.area) for record in records])}",
        "areas": [_area(record) for record in records],
        "warnings": list(warnings(records)),
    }


def meaning(judged: Sequence[BenchRow], reached: int) -> str:
    """The verdict in one sentence."""
    if not judged:
        return "No row has a target; what was measured stands below."
    if reached == len(judged):
        return "Every row that has a target reaches it."
    missed = dict.fromkeys(plain(row.name) for row in judged if row.reached is False)
    return f"Missed: {'; '.join(missed)}."


def warnings(records: Sequence[BenchRecord]) -> Iterator[str]:
    """Why the areas may not belong on one page."""
    first = records[0].environment
    for record in records[1:]:
        for what, before, after in _compared(first, record.environment):
            if before != after:
                yield (
                    f"{plain(record.area)} was measured with another {what} than {plain(records[0].area)}:"
                    f" {plain(after)}, not {plain(before)}."
                )


def _compared(one: Environment, other: Environment) -> Iterator[tuple[str, str, str]]:
    yield "processor", one.cpu, other.cpu
    yield "number of cores", str(one.cores), str(other.cores)
    yield "Python", one.python, other.python


def _area(record: BenchRecord) -> dict[str, object]:
    environment = record.environment
    return {
        "name": plain(record.area),
        "id": f"area-{plain(record.area)}",
        "made": f"{record.created_at}, {figures.seconds(record.duration_s)}, {plain(environment.cpu)},"
        f" {figures.plural(environment.cores, 'core')}, Python {environment.python}",
        "table": rows_table(record),
        "details": details_table(record),
        "remarks": [plain(remark) for remark in record.remarks],
    }


def rows_table(record: BenchRecord) -> Table:
    """Every row, in the order in which it was measured."""
    return Table(
        caption=f"Measured: {plain(record.area)}",
        columns=(
            text_column("What"),
            Column(
                "Value",
                help="The figure, and below it the range that holds the true one with 95 % confidence. With ×"
                " it is a ratio to the peer in the same run.",
            ),
            Column("Target"),
            text_column("Verdict", "By the value; a row without a target only informs."),
        ),
        rows=[_row(row) for row in record.rows],
        empty="Nothing was measured.",
        stacked=True,
    )


def _row(row: BenchRow) -> tuple[Cell, ...]:
    low, high = row.interval
    interval = f"{_figure(low, row.unit)} to {_figure(high, row.unit)}" if low != high else ""
    return (
        Cell(plain(row.name), plain("; ".join(filter(None, (row.peer and f"beside {row.peer}", row.note))))),
        Cell(_figure(row.value, row.unit), interval),
        Cell(_target(row)),
        _verdict(row.reached),
    )


def _verdict(reached: bool | None) -> Cell:
    if reached is None:
        return Cell("—")
    return Cell("Reached", tone="badge pass") if reached else Cell("Missed", tone="badge fail")


def _figure(value: float, unit: str) -> str:
    written = figures.ratio(value) if unit == "x" else figures.number(value)
    shown = _UNITS.get(unit, unit)
    return f"{written}\u00a0{shown}" if shown else written


def _target(row: BenchRow) -> str:
    return plain(row.target or "—").replace("<=", "≤").replace(">=", "≥")


def details_table(record: BenchRecord) -> Table | None:
    """The absolute figures behind the rows, where there are any."""
    rows = [
        (
            Cell(plain(row.name), plain(row.peer or "")),
            Cell(plain(name)),
            Cell(figures.number(value)),
        )
        for row in record.rows
        for name, value in row.details.items()
    ]
    if not rows:
        return None
    return Table(
        caption=f"Figures behind the rows of {plain(record.area)}; the unit stands in the name",
        columns=(text_column("What"), text_column("Figure"), Column("Value")),
        rows=rows,
        stacked=True,
    )
