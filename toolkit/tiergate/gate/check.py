"""``gate check``: the configured router of one run against its budgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tiergate.errors import UsageError
from tiergate.gate.budgets import Budget, titles
from tiergate.gate.verdict import worst_of
from tiergate.record import (
    MAX_AMBIGUOUS,
    NOTHING_TO_TIER,
    GateCheck,
    GateRecord,
    GateVerdict,
    Interval,
    RunRecord,
    Variant,
)

COUNTED = "requests."
"""Metrics below this name are counts, and exact."""

BY_LABEL = ("tier_accuracy.", "by_class.")
"""Metrics below these names rest on the labels of the requests."""


def check_run(record: RunRecord, budgets: Sequence[Budget]) -> GateRecord:
    """Judge a run.

    A budget passes or fails where the whole 95 % interval of its metric is on one side of the limit; else it
    is inconclusive. Where the run was too small for a verdict, only what was counted and not estimated can
    fail.

    Raises:
        UsageError: the configured router is not in the record.
    """
    variant = _configured(record)
    numbers = metrics(variant)
    named = titles(budget.metric for budget in budgets)
    ambiguous = record.oracle.ambiguous if record.oracle else 1.0
    checks = [_check(variant, numbers, budget, named[budget.metric], ambiguous) for budget in budgets]
    if record.too_few:
        checks = [_unless_estimated(check, _why_undecided(record)) for check in checks]
    return GateRecord(
        verdict=_verdict(checks, is_large_enough=not record.too_few),
        checks=checks,
        subject=f"{record.configured_router}, {record.workload.name} seed {record.workload.seed}",
    )


def figure_of(record: RunRecord, metric: str) -> tuple[float | None, Interval | None]:
    """A metric of the configured router, with its interval where there is one.

    Raises:
        UsageError: the configured router is not in the record.
    """
    variant = _configured(record)
    value = metrics(variant).get(metric)
    return value, _interval(variant, metric, value)


def metrics(variant: Variant) -> dict[str, float]:
    """Every number of a variant that was measured, by its dotted name."""
    found: dict[str, float] = {}
    _flatten("", msgspec.to_builtins(variant), found)
    found["requests.lost"] = float(variant.requests.lost)
    return found


def _flatten(prefix: str, value: Any, found: dict[str, float]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("intervals", "histogram"):
                _flatten(f"{prefix}.{name}" if prefix else name, inner, found)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found[prefix] = float(value)


def _configured(record: RunRecord) -> Variant:
    for variant in record.variants:
        if variant.name == record.configured_router:
            return variant
    raise UsageError(f"the record has no variant {record.configured_router!r}", hint="run the load again")


def _check(
    variant: Variant, numbers: dict[str, float], budget: Budget, title: str, ambiguous: float
) -> GateCheck:
    value = numbers.get(budget.metric)
    interval = _interval(variant, budget.metric, value)
    verdict, reason = _judge(variant, budget, value, interval, ambiguous)
    return GateCheck(
        metric=budget.metric,
        title=title,
        value=value,
        interval=interval,
        budget=budget.text,
        verdict=verdict,
        reason=reason,
    )


def _interval(variant: Variant, metric: str, value: float | None) -> Interval | None:
    """What was counted is exact; what was estimated has an interval in the record, or none."""
    if metric in variant.intervals:
        return variant.intervals[metric]
    return (value, value) if value is not None and metric.startswith(COUNTED) else None


def _judge(
    variant: Variant, budget: Budget, value: float | None, interval: Interval | None, ambiguous: float
) -> tuple[GateVerdict, str]:
    accuracy = variant.tier_accuracy
    if value is None:
        chooses_none = budget.metric.startswith("tier_accuracy.") and accuracy is None
        return "inconclusive", "the router chooses no tier" if chooses_none else "it was not measured"
    if interval is None:
        return "inconclusive", "the run gives no interval for it"
    if budget.metric.startswith(BY_LABEL) and ambiguous > MAX_AMBIGUOUS:
        return "inconclusive", f"{ambiguous:.0%} of the requests have no sure label"
    verdict = budget.verdict(interval)
    if verdict == "inconclusive":
        return verdict, "the interval reaches over the limit; more rounds or requests narrow it"
    return verdict, ""


def _why_undecided(record: RunRecord) -> str:
    if record.too_few[0].startswith(NOTHING_TO_TIER):
        return f"the run has {NOTHING_TO_TIER}"
    return "the run is too small for a verdict"


def _unless_estimated(check: GateCheck, reason: str) -> GateCheck:
    if check.verdict != "fail" or check.metric.startswith(COUNTED):
        return check
    return msgspec.structs.replace(check, verdict="inconclusive", reason=reason)


def _verdict(checks: Sequence[GateCheck], *, is_large_enough: bool) -> GateVerdict:
    worst = worst_of([check.verdict for check in checks])
    return "inconclusive" if worst == "pass" and not is_large_enough else worst
