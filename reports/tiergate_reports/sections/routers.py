"""All routers side by side: one chart and one table."""

from __future__ import annotations

from tiergate.record import GateRecord, RunRecord, Variant
from tiergate_reports import figures, metrics
from tiergate_reports.charts import Point, Target, scatter
from tiergate_reports.table import Cell, Column, Figure, Table, cell, missing, text_column

NO_TIER = "chooses no tier"
NONE_COMPLETED = "no request completed"

_COLUMNS = (
    text_column("Router"),
    Column(
        "Balanced accuracy",
        "0 to 1",
        "Mean share of right choices over the tiers, each tier counting alike; 1 is perfect.",
    ),
    Column(
        "Macro-F1",
        "0 to 1",
        "Mean over the tiers of how complete and how pure the choices are; 1 is perfect.",
    ),
    Column(
        "Regret",
        "",
        "Where a router stands between the oracle (0) and one shared queue (1) in mean log"
        " slowdown; lower is better.",
    ),
    Column(
        "Short p50",
        "ms",
        "Half of the short requests were answered within this; p95 and p99 likewise for 95 and"
        " 99 of 100. Lower is better.",
    ),
    Column("Short p95", "ms"),
    Column("Short p99", "ms"),
    Column(
        "Long p95",
        "ms",
        "The same for the longest requests: what they pay for the gain of short ones.",
    ),
    Column(
        "Affinity hits",
        "",
        "Requests that met the worker which last served their session; higher keeps caches warm.",
    ),
    Column(
        "Achieved",
        "requests/s",
        "Answers per second, and below it what was offered; where it is clearly less, the"
        " system did not keep up.",
    ),
    Column("Lost", "requests", "Failed, timed out or dropped; anything but 0 is a fault."),
)

_WHOLE = ("p50", "p95", "p99")
_WHOLE_COLUMNS = (
    Column("Response p50", "ms", "Half of all requests were answered within this; lower is better."),
    Column("Response p95", "ms"),
    Column("Response p99", "ms"),
)


def build(run: RunRecord, gate: GateRecord | None) -> dict[str, object]:
    """The chart of accuracy against speed, and the table."""
    return {
        "routed": metrics.is_routed(run),
        "chart": chart(run, gate) if metrics.is_routed(run) else None,
        "table": table(run),
        "uneven": uneven(run),
        "undefined": undefined_regret(run),
        "oracles": [variant.name for variant in run.variants if variant.is_oracle],
        "targeted": target(run, gate).x is not None or target(run, gate).y is not None,
        "summaries": [(variant.name, variant.summary) for variant in run.variants],
    }


def chart(run: RunRecord, gate: GateRecord | None) -> Figure:
    """Accuracy against speed."""
    return Figure(
        caption=(
            "Tier accuracy against speed. Up is more accurate, left is faster; bars are 95 % intervals,"
            " and one that reaches the edge goes on beyond it."
        ),
        charts=[scatter(points(run), target(run, gate), uid="scatter")],
        narrow=[scatter(points(run), target(run, gate), uid="scatter-narrow", width=350, height=360)],
    )


def points(run: RunRecord) -> list[Point]:
    """Every variant that answered short requests."""
    drawn = []
    for index, variant in enumerate(run.variants):
        short = metrics.length_percentile(variant, "short", "p95")
        if short is None or not metrics.measured(variant):
            continue
        accuracy = variant.tier_accuracy
        drawn.append(
            Point(
                label=variant.name,
                index=index,
                x=short,
                y=accuracy.balanced_accuracy if accuracy else None,
                x_interval=metrics.interval_of(variant, metrics.SHORT_P95),
                y_interval=metrics.interval_of(variant, metrics.BALANCED) if accuracy else None,
                bound=variant.is_oracle,
            )
        )
    return drawn


def target(run: RunRecord, gate: GateRecord | None) -> Target:
    """The budgets on both axes, and the best that any control reaches."""
    budgets = {check.metric: metrics.parse_budget(check.budget) for check in (gate.checks if gate else [])}
    short, balanced = budgets.get(metrics.SHORT_P95), budgets.get(metrics.BALANCED)
    controls = [
        control.balanced_accuracy
        for variant in run.variants
        if variant.tier_accuracy and not variant.is_oracle
        for control in variant.tier_accuracy.controls
    ]
    return Target(
        x=short.limit if short and short.below and short.limit > 0 else None,
        y=balanced.limit if balanced and not balanced.below else None,
        no_skill=max(controls, default=None),
    )


def uneven(run: RunRecord) -> str:
    """A warning where not every variant completed as many requests; empty where all did."""
    completed = sorted({variant.requests.completed for variant in run.variants})
    if len(completed) < 2:
        return ""
    return (
        f"Not every router completed as many requests (from {figures.count(completed[0])} to"
        f" {figures.count(completed[-1])}), so their times are not of the same work."
    )


def undefined_regret(run: RunRecord) -> list[str]:
    """One sentence for each reason for which regret is undefined."""
    names: dict[str, list[str]] = {}
    for variant in run.variants:
        if variant.tier_accuracy and variant.tier_accuracy.regret is None:
            reason = variant.tier_accuracy.regret_detail.reason or "the record gives no reason"
            names.setdefault(reason, []).append(variant.name)
    return [f"Regret is undefined for {figures.joined(those)}: {reason}." for reason, those in names.items()]


def table(run: RunRecord) -> Table:
    """The figures of every variant; without the columns that a target has nothing to say in."""
    rows = [row(run, variant) for variant in run.variants]
    kept = [index for index, column in enumerate(_COLUMNS) if _is_said(run, column.label)]
    whole = [] if metrics.is_routed(run) else [_whole_row(variant) for variant in run.variants]
    return Table(
        caption="Routers on the same trace" if metrics.is_routed(run) else "The target",
        columns=(
            _named(_COLUMNS[0], run),
            *(_WHOLE_COLUMNS if whole else ()),
            *(_COLUMNS[i] for i in kept[1:]),
        ),
        rows=[
            (cells[0], *(whole[number] if whole else ()), *(cells[i] for i in kept[1:]))
            for number, cells in enumerate(rows)
        ],
        empty="This run has no variants.",
    )


def _named(column: Column, run: RunRecord) -> Column:
    return column if metrics.is_routed(run) else text_column("Target")


def _is_said(run: RunRecord, column: str) -> bool:
    if metrics.is_routed(run):
        return True
    if column in ("Balanced accuracy", "Macro-F1", "Regret"):
        return False
    if column.startswith(("Short", "Long")):
        return any(variant.by_length for variant in run.variants)
    return column != "Affinity hits" or any(v.affinity.hit_rate is not None for v in run.variants)


def _whole_row(variant: Variant) -> tuple[Cell, ...]:
    """Percentiles of all requests of a target."""
    if not metrics.measured(variant):
        return (missing(NONE_COMPLETED),) * len(_WHOLE)
    return tuple(
        cell(
            getattr(variant.response_ms, name),
            figures.number,
            interval=metrics.interval_of(variant, f"response_ms.{name}"),
        )
        for name in _WHOLE
    )


def row(run: RunRecord, variant: Variant) -> tuple[Cell, ...]:
    """One variant's row."""
    counts = variant.requests
    fates = (("failed", counts.failed), ("timed out", counts.timed_out), ("dropped", counts.dropped))
    parts = ", ".join(f"{figures.count(amount)} {fate}" for fate, amount in fates)
    return (
        Cell(variant.name, _role(run, variant)),
        *_accuracy_cells(variant),
        *(_length_cell(variant, "short", name) for name in ("p50", "p95", "p99")),
        _length_cell(variant, "long", "p95"),
        cell(
            variant.affinity.hit_rate,
            figures.percent,
            interval=metrics.interval_of(variant, "affinity.hit_rate"),
            reason="no session came twice",
        ),
        Cell(
            figures.number(variant.achieved_rps),
            "closed loop"
            if run.workload.loop == "closed"
            else f"of {figures.number(run.workload.offered_rps)}",
        ),
        Cell(figures.count(counts.lost), parts if counts.lost else "", "fail-text" if counts.lost else ""),
    )


def _role(run: RunRecord, variant: Variant) -> str:
    if variant.is_oracle:
        return "a bound, not a contestant"
    return "judged by the gate" if run.configured_router in (variant.name, variant.router) else ""


def _accuracy_cells(variant: Variant) -> tuple[Cell, ...]:
    accuracy = variant.tier_accuracy
    if accuracy is None:
        return missing(NO_TIER), missing(NO_TIER), missing(NO_TIER)
    regret = accuracy.regret_detail
    return (
        cell(
            accuracy.balanced_accuracy, figures.score, interval=metrics.interval_of(variant, metrics.BALANCED)
        ),
        cell(
            accuracy.macro_f1, figures.score, interval=metrics.interval_of(variant, "tier_accuracy.macro_f1")
        ),
        cell(
            accuracy.regret,
            figures.score,
            interval=regret.interval,
            reason="undefined",
        ),
    )


def _length_cell(variant: Variant, length: str, name: str) -> Cell:
    if not metrics.measured(variant):
        return missing(NONE_COMPLETED)
    return cell(
        metrics.length_percentile(variant, length, name),
        figures.number,
        interval=metrics.interval_of(variant, f"by_length.{length}.response_ms.{name}"),
        reason=f"no {length} requests",
    )
