"""``gate compare``: two records that were made one after the other, with what that leaves unsure.

Unlike a paired comparison, nothing here cancels what the machine did between the two runs. Intervals hold the
noise within each run; the drift between them is in no figure, and the record says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, hypot, log, sqrt

from tiergate.errors import UsageError, unknown_name
from tiergate.gate.check import metrics
from tiergate.gate.pytest_results import Result, Results
from tiergate.gate.verdict import verdict_of
from tiergate.record import (
    BenchmarkVerdict,
    Environment,
    GateBenchmark,
    GateRecord,
    GateUnpaired,
    Interval,
    RunRecord,
    SideName,
    Variant,
)

NORMAL_95 = 1.96
IQR_OF_NORMAL = 1.349
"""The interquartile range of a normal distribution, in standard deviations."""

DRIFT = "both runs were made one after the other: what the machine did between them is in no interval"

SMALLER_IS_BETTER = (
    "response_ms.p50",
    "response_ms.p95",
    "response_ms.p99",
    "by_length.short.response_ms.p95",
    "by_length.long.response_ms.p95",
    "slowdown",
)


def compare_runs(base: RunRecord, new: RunRecord, tolerance: float) -> GateRecord:
    """Response times of the variants that both runs have.

    Raises:
        UsageError: they have no variant or no metric in common.
    """
    others = {variant.name: variant for variant in new.variants}
    benchmarks = [
        found
        for variant in base.variants
        if variant.name in others
        for found in _metrics(variant, others[variant.name], tolerance)
    ]
    if not benchmarks:
        raise UsageError("the runs have no variant with an interval in common", where="gate compare")
    remarks = [DRIFT, *_differences(base.environment, new.environment)]
    if base.workload.sha256 != new.workload.sha256:
        remarks.append("the runs sent different requests: their traces have different hashes")
    unpaired = _unpaired([one.name for one in base.variants], [one.name for one in new.variants])
    return GateRecord(
        verdict=verdict_of(benchmarks, unpaired), benchmarks=benchmarks, unpaired=unpaired, remarks=remarks
    )


def compare_results(base: Results, new: Results, tolerance: float) -> GateRecord:
    """Benchmarks that both files of pytest-benchmark have.

    Raises:
        UsageError: there is none.
    """
    common = [name for name in base.results if name in new.results]
    if not common:
        name = next(iter(base.results), "")
        raise unknown_name("benchmark", name, new.results, where="gate compare: nothing is in both files")
    benchmarks = [_of_results(name, base.results[name], new.results[name], tolerance) for name in common]
    unpaired = _unpaired(list(base.results), list(new.results))
    remarks = [DRIFT]
    remarks += [
        f"the environments differ in {key}: {base.machine[key]} and {new.machine[key]}"
        for key in base.machine
        if base.machine[key] != new.machine.get(key)
    ]
    return GateRecord(
        verdict=verdict_of(benchmarks, unpaired), benchmarks=benchmarks, unpaired=unpaired, remarks=remarks
    )


def _metrics(base: Variant, new: Variant, tolerance: float) -> Iterator[GateBenchmark]:
    before, after = metrics(base), metrics(new)
    for metric in SMALLER_IS_BETTER:
        intervals = base.intervals.get(metric), new.intervals.get(metric)
        values = before.get(metric, 0.0), after.get(metric, 0.0)
        if intervals[0] and intervals[1] and min(*values, intervals[0][0], intervals[1][0]) > 0:
            middle = log(values[1] / values[0])
            reach = hypot(_reach(intervals[0]), _reach(intervals[1]))
            ends = middle - reach, middle + reach
            shown = (values[0] / 1000, values[1] / 1000) if "_ms." in metric else (None, None)
            yield _judged(f"{base.name}: {metric}", middle, ends, tolerance, "", shown)


def _reach(interval: Interval) -> float:
    """Half the width of an interval, on a log scale."""
    return log(interval[1] / interval[0]) / 2


def _of_results(name: str, base: Result, new: Result, tolerance: float) -> GateBenchmark:
    """The ratio of the lower quartiles, in an interval that holds those of minima and medians too.

    Noise makes rounds slower, so that the lower part of both is alike where the code is; a change of the code
    moves all three. Each end is widened by what the spread of the rounds says of a median.
    """
    ratios = [log(after / before) for before, after in zip(base.marks(), new.marks(), strict=True)]
    noise = NORMAL_95 * hypot(_noise(base), _noise(new))
    ends = min(ratios) - noise, max(ratios) + noise
    reason = "ratios of minimum, lower quartile and median together"
    return _judged(name, ratios[1], ends, tolerance, reason, (base.median_s, new.median_s))


def _noise(result: Result) -> float:
    return result.iqr_s / IQR_OF_NORMAL / result.median_s / sqrt(result.rounds)


def _judged(
    name: str,
    middle: float,
    ends: tuple[float, float],
    tolerance: float,
    reason: str,
    seconds: tuple[float | None, float | None] = (None, None),
) -> GateBenchmark:
    low, high = exp(ends[0]), exp(ends[1])
    verdict: BenchmarkVerdict = "inconclusive"
    if low > 1 + tolerance:
        verdict = "regressed"
    elif high < 1 / (1 + tolerance):
        verdict = "improved"
    elif low > 1 / (1 + 2 * tolerance) and high < 1 + 2 * tolerance:
        verdict = "same"
    return GateBenchmark(
        name=name,
        ratio=exp(middle),
        interval=(low, high),
        verdict=verdict,
        seconds=0.0,
        reason=reason,
        base_s=seconds[0],
        new_s=seconds[1],
    )


def _unpaired(base: Sequence[str], new: Sequence[str]) -> list[GateUnpaired]:
    missing: list[tuple[SideName, str]] = [("new", name) for name in base if name not in new]
    missing += [("base", name) for name in new if name not in base]
    return [GateUnpaired(name=name, side=side, problem="missing") for side, name in missing]


def _differences(base: Environment, new: Environment) -> list[str]:
    return [
        f"the environments differ in {field}: {getattr(base, field)} and {getattr(new, field)}"
        for field in ("cpu", "cores", "python", "platform")
        if getattr(base, field) != getattr(new, field)
    ]
