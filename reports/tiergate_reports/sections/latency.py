"""Response time by class, percentile curves, what waiting adds, and how late the generator was."""

from __future__ import annotations

import math

from tiergate.record import GateRecord, Latency, RunRecord, Variant
from tiergate_reports import figures, metrics
from tiergate_reports.sections import panels
from tiergate_reports.sections.routers import NONE_COMPLETED
from tiergate_reports.table import Cell, Column, Figure, Table, cell, missing, text_column

CLASSES = ("hot", "warm", "cold")
PERCENTILES = ("p50", "p95", "p99")
_RESPONSE_HELP = "Time from the intended start to the answer, waiting included; this is what a caller feels."


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """Everything about time."""
    return {
        "curves": Figure(
            caption=(
                "Response time by percentile, one panel for each class of request, each with its own height."
                " Lower is better; where lines part on the right, the slowest requests differ."
            ),
            charts=[panels.percentile_panel(run, name) for name in CLASSES],
        )
        if _has_classes(run)
        else Figure(
            caption="Response time by percentile. Lower is better.",
            charts=[panels.percentile_panel(run, "all")],
        ),
        "by_class": [class_table(run, name) for name in CLASSES] if _has_classes(run) else [],
        "waiting": waiting_table(run),
        "lateness": lateness_table(run),
        "full": [full_table(variant) for variant in run.variants],
        "series": panels.series_figure(run),
    }


def _has_classes(run: RunRecord) -> bool:
    return any(variant.by_class for variant in run.variants)


def class_table(run: RunRecord, name: str) -> Table:
    """Response percentiles of the requests that belong in one tier."""
    return Table(
        caption=f"{name} requests: response time",
        columns=(text_column("Router"), *(Column(percentile, "ms") for percentile in PERCENTILES)),
        rows=[(Cell(v.name), *(_class_cell(v, name, p) for p in PERCENTILES)) for v in run.variants],
        empty="This run has no variants.",
    )


def waiting_table(run: RunRecord) -> Table:
    """Time in the worker beside time until the answer."""
    return Table(
        caption="Service time and response time",
        columns=(
            text_column("Router"),
            Column("Service p50", "ms", "Time in the worker alone.", term="Service time"),
            *(Column(f"Service {percentile}", "ms") for percentile in PERCENTILES[1:]),
            Column("Response p50", "ms", _RESPONSE_HELP, term="Response time"),
            *(Column(f"Response {percentile}", "ms") for percentile in PERCENTILES[1:]),
            Column(
                "Slowdown",
                "",
                "Response over sealed service time, its geometric mean over all requests; ×1 is no"
                " waiting at all.",
            ),
        ),
        rows=[_waiting_row(variant) for variant in run.variants],
        empty="This run has no variants.",
    )


def lateness_table(run: RunRecord) -> Table:
    """How late the generator itself was."""
    help_text = (
        "How long after its intended start a request was sent; it is part of the response time, and"
        " small beside it in a sound run."
    )
    return Table(
        caption="Lateness of the generator",
        columns=(
            text_column("Router"),
            Column("p50", "ms", help_text, term="Lateness"),
            Column("p99", "ms"),
            Column("Largest", "ms"),
        ),
        rows=[
            (Cell(v.name), *(_latency_cell(v, v.lateness_ms, name) for name in ("p50", "p99", "max")))
            for v in run.variants
        ],
        empty="This run has no variants.",
    )


def full_table(variant: Variant) -> Table:
    """Every percentile of one variant."""
    names = ("p50", "p90", "p95", "p99", "p999", "max")
    groups: list[tuple[str, int, Latency | None]] = [
        (
            "all requests",
            variant.requests.completed,
            variant.response_ms if metrics.measured(variant) else None,
        )
    ]
    groups += [
        (f"{key} (class)", found.requests, found.response_ms) for key, found in variant.by_class.items()
    ]
    groups += [
        (f"{key} (length)", found.requests, found.response_ms) for key, found in variant.by_length.items()
    ]
    return Table(
        caption=f"{variant.name}: response time, every percentile",
        columns=(
            text_column("Requests"),
            Column("Number"),
            *(Column("p99.9" if n == "p999" else "largest" if n == "max" else n, "ms") for n in names),
        ),
        rows=[
            (
                Cell(words),
                Cell(figures.count(amount)),
                *(
                    cell(getattr(times, n) if times else None, figures.number, reason="none completed")
                    for n in names
                ),
            )
            for words, amount, times in groups
        ],
    )


def _class_cell(variant: Variant, name: str, percentile: str) -> Cell:
    found = variant.by_class.get(name)
    return cell(
        getattr(found.response_ms, percentile) if found and found.response_ms else None,
        figures.number,
        interval=metrics.interval_of(variant, f"by_class.{name}.response_ms.{percentile}"),
        reason=f"no {name} requests completed",
    )


def _latency_cell(variant: Variant, times: Latency, name: str) -> Cell:
    return (
        Cell(figures.number(getattr(times, name))) if metrics.measured(variant) else missing(NONE_COMPLETED)
    )


def _waiting_row(variant: Variant) -> tuple[Cell, ...]:
    slowdown = (
        missing("not measured alone")
        if variant.slowdown is None
        else cell(math.exp(min(variant.slowdown, 700)), figures.ratio)
    )
    return (
        Cell(variant.name),
        *(_latency_cell(variant, variant.service_ms, name) for name in PERCENTILES),
        *(_latency_cell(variant, variant.response_ms, name) for name in PERCENTILES),
        slowdown if metrics.measured(variant) else missing(NONE_COMPLETED),
    )
