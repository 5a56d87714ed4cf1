"""What the gate prints of compared benchmarks: a table, what could not be compared, the verdict."""

from __future__ import annotations

from collections import Counter

from tiergate.cli.output import output_width, table
from tiergate.errors import counted
from tiergate.gate.outputs.words import change, of_unpaired
from tiergate.record import GateBenchmark, GateRecord

_EXPLAINED = {"regressed", "inconclusive"}
WORST_FIRST = ("regressed", "inconclusive", "improved", "same")
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def benchmark_lines(record: GateRecord) -> list[str]:
    """The table, worst first, then everything a reader should know beside it, then the verdict."""
    ordered = sorted(record.benchmarks, key=lambda one: (WORST_FIRST.index(one.verdict), -one.ratio))
    headers = ["", "CHANGE", "95 %", "BASE", "NEW", "TOOK", "BENCHMARK"]
    return [
        *table(headers, [_cells(one) for one in ordered], output_width()),
        "",
        *(f"{one.name}: {one.reason}" for one in ordered if one.reason and one.verdict in _EXPLAINED),
        *(f"{one.name} {of_unpaired(one)}" for one in record.unpaired),
        *record.remarks,
        verdict_line(record),
    ]


def check_lines(record: GateRecord) -> list[str]:
    """The checks of a bench record, worst first, then the verdict."""
    ordered = sorted(record.checks, key=lambda one: ("fail", "inconclusive", "pass").index(one.verdict))
    rows = [
        [
            one.verdict.upper() if one.verdict != "pass" else "pass",
            "" if one.value is None else f"{one.value:.3g}",
            "" if one.interval is None else f"{one.interval[0]:.3g}..{one.interval[1]:.3g}",
            one.budget,
            f"{one.metric} ({one.reason})" if one.reason else one.metric,
        ]
        for one in ordered
    ]
    counts = Counter(one.verdict for one in record.checks)
    parts = ", ".join(f"{counts[word]} {word}" for word in ("fail", "inconclusive", "pass") if counts[word])
    return [
        *table(["", "VALUE", "95 %", "BUDGET", "ROW"], rows, output_width()),
        "",
        *record.remarks,
        f"{record.verdict.upper()}: {record.subject}, {parts}",
    ]


def verdict_line(record: GateRecord) -> str:
    """The verdict, and how many benchmarks it rests on."""
    counts = Counter("accepted" if one.accepted else one.verdict for one in record.benchmarks)
    parts = [f"{counts[word]} {word}" for word in (*WORST_FIRST, "accepted") if counts[word]]
    if record.unpaired:
        parts.append(f"{len(record.unpaired)} not compared")
    of = counted(len(record.benchmarks), "benchmark")
    return f"{record.verdict.upper()}: {', '.join(parts)} (of {of}, {record.duration_s:.0f} s)"


def seconds_text(seconds: float | None) -> str:
    """A time with the unit that suits it and three digits; empty where there is none."""
    if seconds is None:
        return ""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _cells(one: GateBenchmark) -> list[str]:
    mark = (
        "accepted"
        if one.accepted
        else {"same": "same", "improved": "faster"}.get(one.verdict, one.verdict.upper())
    )
    low, high = one.interval
    interval = f"{change(low)[:-2]}..{change(high)}"
    return [
        mark,
        change(one.ratio),
        interval,
        seconds_text(one.base_s),
        seconds_text(one.new_s),
        f"{one.seconds:.1f} s",
        one.name,
    ]
