"""Budgets beside another record, such as ``<= 110 % of base.json``: judged by the interval of the ratio."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import exp, hypot, isfinite, log
from pathlib import Path

from tiergate.errors import UsageError
from tiergate.gate.budgets import Budget
from tiergate.record import GateCheck, GateVerdict, Interval

_TEXT = re.compile(r"(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*of\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Figure:
    """What a record says of a metric; None where it does not."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class RelativeBudget:
    """A limit of the ratio to the same metric of another record."""

    budget: Budget
    record: Path

    @property
    def metric(self) -> str:
        """Of either record."""
        return self.budget.metric


def split(budgets: Mapping[str, str]) -> tuple[dict[str, str], list[RelativeBudget]]:
    """Absolute budgets as they are, and those beside another record."""
    absolute: dict[str, str] = {}
    relative = []
    for metric, text in budgets.items():
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            absolute[metric] = text
        else:
            comparison, percent, record = found.groups()
            budget = Budget(metric, comparison, float(percent) / 100, text.strip())
            relative.append(RelativeBudget(budget, Path(record)))
    return absolute, relative


def check_relative(
    budgets: list[RelativeBudget],
    now: Callable[[str], Figure],
    before: Callable[[Path, str], Figure],
) -> Iterator[GateCheck]:
    """Judge each: the ratio's interval takes both records' intervals, as if they were independent.

    Args:
        now: the figure of a metric in the record that is judged.
        before: likewise in the other record.

    Raises:
        UsageError: a figure has no ratio: it is zero, negative or no number.
    """
    for budget in budgets:
        yield _judged(budget, now(budget.metric), before(budget.record, budget.metric))


def _judged(budget: RelativeBudget, now: Figure, before: Figure) -> GateCheck:
    if now.value is None or before.value is None:
        where = "the record" if now.value is None else str(budget.record)
        return _check(budget, None, None, "inconclusive", f"{where} has no such figure")
    for figure in (now, before):
        for value in (figure.value, *(figure.interval or ())):
            if value is None or not isfinite(value) or value <= 0:
                raise UsageError(f"{value} has no ratio", where=f"budget of {budget.metric}")
    ratio = now.value / before.value
    if now.interval is None or before.interval is None:
        return _check(budget, ratio, None, "inconclusive", "a record gives no interval for it")
    reach = hypot(*(log(high / low) / 2 for low, high in (now.interval, before.interval)))
    interval = ratio * exp(-reach), ratio * exp(reach)
    verdict = budget.budget.verdict(interval)
    reason = "the interval of the ratio reaches over the limit" if verdict == "inconclusive" else ""
    return _check(budget, ratio, interval, verdict, reason)


def _check(
    budget: RelativeBudget,
    ratio: float | None,
    interval: Interval | None,
    verdict: GateVerdict,
    reason: str,
) -> GateCheck:
    return GateCheck(
        metric=budget.metric,
        title=f"{budget.metric} beside {budget.record}",
        value=ratio,
        interval=interval,
        budget=budget.budget.text,
        verdict=verdict,
        reason=reason,
    )
