"""Budgets: what a run must keep, as a metric, a comparison and a limit with its unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt

from tiergate.errors import UsageError, unknown_name
from tiergate.record import Affinity, GateVerdict, Interval, Latency, RequestCounts, Resources
from tiergate.routing import TIERS

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq}
ACCURACY_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "ambiguous", "judged", "regret")
_TEXT = re.compile(r"(<=|>=|<|>|=)\s*(-?[0-9.]+(?:e-?[0-9]+)?)\s*([a-zµ%][a-zµ%/]*|1/s|)", re.IGNORECASE)
_MILLISECONDS = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
_PLAIN = {"": 1.0, "%": 0.01}


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of one metric.

    Attributes:
        metric: dotted name of a number in a variant of a run record.
        comparison: what must hold between the metric and the limit.
        limit: in the metric's own unit.
        text: as it was written.
    """

    metric: str
    comparison: str
    limit: float
    text: str

    def holds(self, value: float) -> bool:
        """Whether a value keeps the budget."""
        return COMPARISONS[self.comparison](value, self.limit)

    def verdict(self, interval: Interval) -> GateVerdict:
        """Kept or broken by the whole interval, undecided where it reaches over the limit."""
        kept = [self.holds(end) for end in interval]
        if all(kept):
            return "pass"
        # An interval around the value that `=` asks for breaks it at both ends, and decides nothing.
        return "inconclusive" if any(kept) or interval[0] < self.limit < interval[1] else "fail"


def known_metrics() -> list[str]:
    """The dotted name of every number that a variant of a run record can have."""
    groups = [f"by_class.{tier}" for tier in TIERS] + ["by_length.short", "by_length.long"]
    times = ["response_ms", "service_ms", "lateness_ms", *(f"{group}.response_ms" for group in groups)]
    return [
        "achieved_rps",
        "slowdown",
        "requests.lost",
        *(f"requests.{name}" for name in RequestCounts.__struct_fields__),
        *(f"{time}.{name}" for time in times for name in Latency.__struct_fields__),
        *(f"{group}.requests" for group in groups),
        *(f"tier_accuracy.{name}" for name in ACCURACY_METRICS),
        *(f"affinity.{name}" for name in Affinity.__struct_fields__),
        *(f"resources.{name}" for name in Resources.__struct_fields__),
    ]


def parse_budget(metric: str, text: str) -> Budget:
    """Read a budget such as ``< 100 ms``, ``> 0.9`` or ``= 0``.

    Raises:
        UsageError: it is none, nothing measures the metric, or the unit does not suit it.
    """
    known = known_metrics()
    if metric not in known:
        raise unknown_name("metric", metric, known, where="budgets")
    return parse_limit(metric, text, _MILLISECONDS if _is_time(metric) else _PLAIN)


def parse_limit(metric: str, text: str, units: Mapping[str, float]) -> Budget:
    """Read a budget of a metric that is measured in these units, given as factors by their lower-case names.

    Raises:
        UsageError: it is none, or the unit does not suit the metric.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        example = "< 100 ms" if "ms" in units else "> 0.9"
        raise UsageError(
            f"{text!r} is not a budget", where=f"budget of {metric}", hint=f"write for example {example!r}"
        )
    comparison, number, unit = found.groups()
    if unit.lower() not in units:
        suitable = ", ".join(repr(name) for name in units)
        raise UsageError(
            f"unit {unit!r} does not suit the metric", where=f"budget of {metric}", hint=f"use {suitable}"
        )
    try:
        limit = float(number) * units[unit.lower()]
    except ValueError as error:
        raise UsageError(f"{number!r} is not a number", where=f"budget of {metric}") from error
    return Budget(metric, comparison, limit, text.strip())


def parse_budgets(budgets: Mapping[str, str]) -> list[Budget]:
    """Read a table of budgets by metric.

    Raises:
        UsageError: as `parse_budget`; or the table is empty, since a gate that checks nothing passes nothing.
    """
    if not budgets:
        raise UsageError("there is no budget to check", hint="state one under [tool.tiergate.budgets]")
    return [parse_budget(metric, text) for metric, text in budgets.items()]


def titles(metrics: Iterable[str]) -> dict[str, str]:
    """What people call a metric, where they have a better name for it than its dotted one."""
    known = {
        "by_length.short.response_ms.p95": "95th percentile of the response time of short requests",
        "by_length.long.response_ms.p95": "95th percentile of the response time of long requests",
        "response_ms.p95": "95th percentile of the response time of all requests",
        "tier_accuracy.balanced_accuracy": "balanced tier accuracy",
        "requests.lost": "requests failed, timed out or dropped",
    }
    return {metric: known.get(metric, metric) for metric in metrics}


def _is_time(metric: str) -> bool:
    return "_ms." in metric or metric.endswith("_ms")
