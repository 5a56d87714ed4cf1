"""How many requests a second each router carries before it falls behind."""

from __future__ import annotations

from tiergate.record import GateRecord, Knee, RunRecord, Variant
from tiergate_reports import figures
from tiergate_reports.table import Cell, Column, Table, cell, text_column

LIMITS = {"": "", "answers": "answers came too late", "p95": "p95 passed its limit"}


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """The knees side by side, and the rates that were tried."""
    swept = [variant for variant in run.variants if variant.knee is not None]
    return {
        "knees": knees_table(swept),
        "rates": [rates_table(variant) for variant in swept],
        "swept": bool(swept),
    }


def knees_table(swept: list[Variant]) -> Table:
    """The knee of each variant, with its interval."""
    return Table(
        caption="Knees",
        columns=(
            text_column("Router"),
            Column(
                "Knee", "requests/s", "Between the highest rate that was carried and the lowest that was not."
            ),
            text_column("Why"),
        ),
        rows=[(Cell(one.name), *_knee_cells(one.knee)) for one in swept if one.knee is not None],
        empty="No rate was swept.",
    )


def _knee_cells(knee: Knee) -> tuple[Cell, Cell]:
    value = cell(knee.rps, figures.number, interval=knee.interval, reason="none found")
    return value, Cell(knee.reason)


def rates_table(variant: Variant) -> Table:
    """The rates that were tried, from the lowest to the highest."""
    return Table(
        caption=f"{variant.name}: rates that were tried",
        columns=(
            Column("Offered", "requests/s"),
            Column("Achieved", "requests/s"),
            Column("p95", "ms"),
            Column("Kept up", "rounds"),
            text_column("Limit"),
        ),
        rows=[
            (
                Cell(figures.number(point.offered_rps)),
                Cell(figures.number(point.achieved_rps)),
                Cell(figures.number(point.p95_ms)),
                Cell(f"{point.kept_up} of {point.rounds}"),
                Cell(LIMITS[point.limit]),
            )
            for point in variant.sweep
        ],
    )
