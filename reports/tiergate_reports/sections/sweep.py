"""How many requests a second each router carries before it falls behind."""

from __future__ import annotations

import math
from collections.abc import Callable

from tiergate.record import GateRecord, Knee, RunRecord, SweepPoint, Variant
from tiergate_reports import figures
from tiergate_reports.charts.curves import Curve, curves
from tiergate_reports.charts.scale import log_scale, tick_label
from tiergate_reports.table import Cell, Column, Figure, Table, cell, text_column

LIMITS = {"": "", "answers": "answers came too late", "p95": "p95 passed its limit"}


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """The knees side by side, the curves, and the rates that were tried."""
    swept = [variant for variant in run.variants if variant.knee is not None]
    return {
        "knees": knees_table(swept),
        "figure": sweep_figure(run) if swept else None,
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


def sweep_figure(run: RunRecord) -> Figure:
    """What each router answered, and how soon, at each rate that was offered."""
    offered = [point.offered_rps for variant in run.variants for point in variant.sweep]
    low, high = min(offered), max(offered)
    inside = [tick for tick in log_scale(offered, 0, 1).ticks(4) if low * 1.2 < tick < high / 1.2]
    ticks = [(rate, tick_label(rate)) for rate in (low, *inside, high)]

    def panel(title: str, uid: str, unit: str, pick: Callable[[SweepPoint], float]) -> str:
        return curves(
            title,
            [
                Curve(variant.name, index, [(point.offered_rps, pick(point)) for point in variant.sweep])
                for index, variant in enumerate(run.variants)
                if variant.sweep
            ],
            uid=uid,
            x_ticks=ticks,
            x_label="offered requests/s",
            y_label=unit,
            x_position=math.log,
        )

    return Figure(
        caption=(
            "The rate sweep. A router keeps up as long as what it achieves rises with what is offered; past"
            " the knee the left curve flattens and the right one climbs."
        ),
        charts=[
            panel("Achieved rate", "sweep-achieved", "requests/s", lambda point: point.achieved_rps),
            panel("95th percentile of response time", "sweep-p95", "ms", lambda point: point.p95_ms),
        ],
    )
