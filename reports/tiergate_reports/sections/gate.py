"""What a gate decided: its checks and its paired benchmarks, with or without the run."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.record import GateBenchmark, GateCheck, GateRecord
from tiergate_reports import figures, metrics
from tiergate_reports.table import Cell, Column, Table, cell, text_column

WORDS = {
    "pass": "Pass",
    "fail": "Fail",
    "inconclusive": "Inconclusive",
    "regressed": "Regressed",
    "improved": "Improved",
    "same": "Same",
}
_TONES = {"regressed": "fail", "improved": "pass", "same": "same"}

MEANINGS = {
    "pass": "Every budget holds, and its whole 95 % interval is on the right side.",
    "fail": "At least one budget is broken.",
    "inconclusive": "The run cannot decide: neither a pass nor a failure would be safe to claim.",
}


def title(check: GateCheck) -> str:
    """What a check is about, in words."""
    return check.title or metrics.label(check.metric)


def badge(verdict: str) -> Cell:
    """A verdict as a word with its tone."""
    return Cell(WORDS.get(verdict, verdict), tone=f"badge {_TONES.get(verdict, verdict)}")


def checks_table(checks: Sequence[GateCheck]) -> Table:
    """Every check: what was measured, what was asked, what follows."""
    return Table(
        caption="Checks against the budgets",
        columns=(
            text_column("Check"),
            Column(
                "Measured",
                help="The figure, and below it the range that holds the true one with 95 % confidence.",
            ),
            Column("Budget"),
            text_column("Verdict", "Pass or fail only if the whole interval is on one side of the budget."),
            text_column("Why"),
        ),
        rows=[_check_row(check) for check in checks],
        empty="The gate made no checks.",
        stacked=True,
    )


def benchmarks_table(benchmarks: Sequence[GateBenchmark]) -> Table:
    """Every benchmark of a paired comparison."""
    return Table(
        caption="Benchmarks, new over base",
        columns=(
            text_column("Benchmark"),
            Column(
                "Ratio", help="Time of the new side over the base's, measured in pairs; below ×1 is faster."
            ),
            text_column("Verdict", "Same or inconclusive unless the interval is clear of no difference."),
            Column("Took", "s", help="Time that was spent on measuring it."),
        ),
        rows=[
            (
                Cell(b.name),
                cell(b.ratio, figures.ratio, interval=b.interval),
                badge(b.verdict),
                Cell(figures.seconds(b.seconds)),
            )
            for b in benchmarks
        ],
    )


def reasons(gate: GateRecord) -> list[str]:
    """One clause for each check that decided the verdict: the broken ones, else the undecided ones."""
    deciding = [check for check in gate.checks if check.verdict == gate.verdict]
    return [clause(check) for check in deciding]


def clause(check: GateCheck) -> str:
    """A check in a few words: what it is, how much, and the budget."""
    write = metrics.writer(check.metric)
    if check.value is None:
        return f"{title(check)} not measured (budget {check.budget})"
    interval = figures.span(check.interval, write)
    within = f"95\u00a0% interval {interval}, " if interval else ""
    return f"{title(check)} {write(check.value)} ({within}budget {check.budget})"


def _check_row(check: GateCheck) -> tuple[Cell, ...]:
    write = metrics.writer(check.metric)
    return (
        Cell(title(check), check.metric if check.title else ""),
        cell(check.value, write, interval=check.interval),
        Cell(check.budget),
        badge(check.verdict),
        Cell(check.reason or "—"),
    )
