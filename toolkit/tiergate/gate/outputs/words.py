"""What the formats share: one line about a benchmark, a check, or what could not be compared."""

from __future__ import annotations

from tiergate.record import GateBenchmark, GateCheck, GateUnpaired


def change(ratio: float) -> str:
    """A ratio as a change in percent."""
    return f"{(ratio - 1) * 100:+.1f} %"


def of_benchmark(one: GateBenchmark) -> str:
    """The change with its interval, and why the verdict is what it is."""
    low, high = one.interval
    accepted = f"; accepted: {one.accepted}" if one.accepted else ""
    return f"{change(one.ratio)} ({change(low)} to {change(high)}): {one.reason}{accepted}"


def of_check(one: GateCheck) -> str:
    """The value with its interval beside the budget."""
    if one.value is None:
        return f"{one.budget}: {one.reason}"
    interval = f" ({one.interval[0]:.4g} to {one.interval[1]:.4g})" if one.interval else ""
    reason = f": {one.reason}" if one.reason else ""
    return f"{one.value:.4g}{interval}, budget {one.budget}{reason}"


def of_unpaired(one: GateUnpaired) -> str:
    """What is wrong on which side."""
    what = {"failed": "fails", "missing": "is missing", "skipped": "is skipped"}[one.problem]
    detail = f": {one.detail}" if one.detail else ""
    return f"{what} on the {one.side} side{detail}"
