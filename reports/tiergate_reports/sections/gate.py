"""What a gate decided: its checks and its paired benchmarks, with or without the run."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.record import GateBenchmark, GateCheck, GateRecord, GateRules, GateUnpaired
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

COMPARED_MEANINGS = {
    "pass": "No benchmark got slower, and every one that the base has was judged.",
    "fail": "At least one benchmark got slower, beyond what is tolerated.",
    "inconclusive": "Nothing is known to be slower, but something could not be judged.",
}
"""Of a comparison of benchmarks."""

_WORST_FIRST = ("regressed", "inconclusive", "improved", "same")


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
    """Every benchmark of a paired comparison, worst first."""
    ordered = sorted(benchmarks, key=lambda b: (_WORST_FIRST.index(b.verdict), -b.ratio))
    return Table(
        caption="Benchmarks, new over base",
        columns=(
            text_column("Benchmark"),
            Column(
                "Change", help="Time of the new side beside the base's, measured in pairs; below 0 is faster."
            ),
            Column("Base", help="Median time of a call on the base side."),
            Column("New", help="Median time of a call on the new side."),
            text_column("Verdict", "Same or inconclusive unless the interval is clear of no difference."),
            Column("Took", "s", help="Time that was spent on measuring it."),
            text_column("Why"),
        ),
        rows=[
            (
                Cell(b.name.rpartition("::")[2], b.name.rpartition("::")[0]),
                cell(b.ratio, _change, interval=b.interval),
                Cell(_call(b.base_s)),
                Cell(_call(b.new_s)),
                Cell("Accepted", tone="badge same") if b.accepted else badge(b.verdict),
                Cell(figures.seconds(b.seconds)),
                Cell("; ".join(filter(None, [b.accepted, b.reason])) or "—"),
            )
            for b in ordered
        ],
        stacked=True,
    )


def unpaired_table(unpaired: Sequence[GateUnpaired]) -> Table:
    """What only one side has, or could run."""
    return Table(
        caption="Not compared",
        columns=(
            text_column("Benchmark"),
            text_column("Side"),
            text_column("Problem"),
            text_column("Detail"),
        ),
        rows=[(Cell(u.name), Cell(u.side), Cell(u.problem), Cell(u.detail or "—")) for u in unpaired],
        stacked=True,
    )


def promise(rules: GateRules) -> str:
    """What a comparison promised before it measured anything."""
    return (
        f"Promised beforehand: in {rules.false_alarms:.0%} of runs at most is a benchmark of an unchanged "
        f"suite called regressed. A difference of {rules.tolerance:.1%} is tolerated; a benchmark is the "
        f"same once a difference of {rules.same_within:.1%} is ruled out."
    )


def _change(ratio: float) -> str:
    """A ratio as a change in percent."""
    return f"{(ratio - 1) * 100:+.1f}\u00a0%".replace("-", "\u2212")


def _call(seconds: float | None) -> str:
    """Seconds a call, with the unit that suits them."""
    if seconds is None:
        return "—"
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{figures.number(seconds / size)}\u00a0{unit}"
    return f"{figures.number(seconds * 1e9)}\u00a0ns"


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
