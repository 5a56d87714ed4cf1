"""What each router gains and loses beside the one it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.record import Comparison, GateRecord, RunRecord
from tiergate_reports import figures, metrics
from tiergate_reports.charts import Ratio, forest
from tiergate_reports.table import Cell, Column, Figure, Table, cell, text_column


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """One plot and one sentence for each opponent; the table has every ratio."""
    opponents = list(dict.fromkeys(comparison.against for comparison in run.comparisons))
    return {
        "against": figures.joined(opponents),
        "figures": [plot(run, opponent, number) for number, opponent in enumerate(opponents)],
        "trades": trades(run.comparisons),
        "table": table(run.comparisons),
    }


def plot(run: RunRecord, opponent: str, number: int) -> Figure:
    """Ratios against one opponent, a panel for each metric."""
    index = {variant.name: position for position, variant in enumerate(run.variants)}
    bounds = {variant.name for variant in run.variants if variant.is_oracle}
    own = [comparison for comparison in run.comparisons if comparison.against == opponent]
    panels = []
    for position, metric in enumerate(dict.fromkeys(comparison.metric for comparison in own)):
        rows = [
            Ratio(c.variant, index.get(c.variant, len(index)), c.ratio, c.interval, c.variant in bounds)
            for c in own
            if c.metric == metric
        ]
        less, more = ("better", "worse") if metrics.lower_is_better(metric) else ("worse", "better")
        panels.append(
            forest(metrics.label(metric), rows, uid=f"ratio-{number}-{position}", less=less, more=more)
        )
    return Figure(
        caption=f"Each router over {opponent}: a bar that crosses the line at ×1 shows no sure difference.",
        charts=panels,
    )


def trades(comparisons: Sequence[Comparison]) -> list[str]:
    """A sentence for every router whose short requests gain while its long ones lose, or may lose."""
    found = {(c.variant, c.against, c.metric): c for c in comparisons}
    sentences = []
    for variant, against in dict.fromkeys((c.variant, c.against) for c in comparisons):
        short = found.get((variant, against, metrics.SHORT_P95))
        long = found.get((variant, against, metrics.LONG_P95))
        if short is None or long is None or short.interval[1] >= 1:
            continue
        if long.interval[0] > 1:
            sentences.append(
                f"{variant} pays for short requests with long ones: against {against} the p95 response"
                f" of short requests falls ({_ratio(short)}),"
                f" but that of long requests rises ({_ratio(long)})."
            )
        elif long.interval[1] > 1:
            sentences.append(
                f"{variant} gains for short requests ({_ratio(short)}); whether long ones lose is not decided"
                f" ({_ratio(long)})."
            )
    return sentences


def table(comparisons: Sequence[Comparison]) -> Table:
    """Every ratio."""
    return Table(
        caption="Ratios of every comparison",
        columns=(
            text_column("Router"),
            text_column("Against"),
            text_column("Metric"),
            Column(
                "Ratio",
                help="Geometric mean of the rounds' ratios, and below it its 95 % confidence interval.",
            ),
            text_column("Difference", "Sure only where the whole interval is on one side of ×1."),
        ),
        rows=[
            (
                Cell(c.variant),
                Cell(c.against),
                Cell(metrics.label(c.metric)),
                cell(c.ratio, figures.ratio, interval=c.interval),
                _difference(c),
            )
            for c in comparisons
        ],
        empty="This run compares nothing: it has no second router to compare with.",
    )


def _difference(comparison: Comparison) -> Cell:
    low, high = comparison.interval
    if low <= 1 <= high:
        return Cell("not sure")
    better = (high < 1) == metrics.lower_is_better(comparison.metric)
    return Cell(
        f"{'lower' if high < 1 else 'higher'}, {'better' if better else 'worse'}",
        tone="pass-text" if better else "fail-text",
    )


def _ratio(comparison: Comparison) -> str:
    interval = figures.span(comparison.interval)
    return figures.ratio(comparison.ratio) + (f", 95\u00a0% interval {interval}" if interval else "")
