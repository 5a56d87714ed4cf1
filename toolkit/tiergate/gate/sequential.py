"""When a paired comparison may stop, and what it may then say: looks, error budgets, Holm's correction.

The promise is made before anything is measured (`Rules`): over the whole suite, and over all looks at it, the
chance that *any* benchmark without a slowdown beyond the tolerance is called regressed is at most
`false_alarms`. That budget is spent look by look, as the square of the share of generations that were played
(Kim & DeMets, Design and analysis of group sequential tests based on the type I error spending rate function,
1987; a look spends what it adds, so that by Bonferroni's inequality looks need not be independent). At each
look it is handed from benchmark to benchmark by Holm's method (A simple sequentially rejective multiple test
procedure, 1979; used at each look as in Bartroff & Song, Sequential tests of multiple hypotheses controlling
type I and II familywise error rates, 2014).
A benchmark is called the same as soon as it is sure, with a chance of `missed` to be wrong, shared likewise
by the looks, that it is not slower by `same_within` or more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p

from tiergate.gate.ratio import Estimate, ratio_of
from tiergate.record import BenchmarkVerdict, GateRules, Interval

LOOKS = (5, 7, 9, 12, 16, 20, 26, 34)
"""Generations after which the suite is judged."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is promised; see `GateRules` in the record."""

    tolerance: float = 0.01
    same_within: float = 0.025
    false_alarms: float = 0.01
    missed: float = 0.05
    looks: Sequence[int] = LOOKS
    budget_s: float = 5.0

    def alarm_level(self, generations: int) -> float:
        """What the look after so many generations may spend of `false_alarms`."""
        earlier = max((look for look in self.looks if look < generations), default=0)
        return self.false_alarms * (generations**2 - earlier**2) / self.looks[-1] ** 2

    @property
    def missed_level(self) -> float:
        """What each look may spend of `missed`."""
        return self.missed / len(self.looks)

    def recorded(self) -> GateRules:
        """As the record keeps them."""
        return GateRules(
            tolerance=self.tolerance,
            same_within=self.same_within,
            false_alarms=self.false_alarms,
            missed=self.missed,
            looks=list(self.looks),
            budget_s=self.budget_s,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a look says of one benchmark.

    Attributes:
        verdict: None while it is not decided.
        p_value: of there being no slowdown beyond the tolerance, at this look.
        interval: the ratio's, at the confidence at which it was judged.
    """

    verdict: BenchmarkVerdict | None
    p_value: float
    interval: Interval


def judge(
    estimates: Mapping[str, Estimate], generations: int, suite: int, rejected: int, rules: Rules
) -> dict[str, Judgement]:
    """One look at the benchmarks that are still undecided.

    Args:
        estimates: of the undecided ones.
        generations: that were played.
        suite: number of benchmarks that the comparison began with.
        rejected: of them, how many were called regressed or improved at earlier looks.
    """
    budget = rules.alarm_level(generations)
    by_p = sorted(estimates, key=lambda name: _p_value(estimates[name], rules))
    found: dict[str, Judgement] = {}
    left = max(1, suite - rejected)
    still_rejecting = True
    for name in by_p:
        estimate = estimates[name]
        p_value = _p_value(estimate, rules)
        level = budget / left
        still_rejecting = still_rejecting and p_value <= level
        verdict: BenchmarkVerdict | None = None
        if still_rejecting:
            verdict = "regressed" if estimate.log_ratio > 0 else "improved"
            left = max(1, left - 1)
        elif _is_same(estimate, rules):
            verdict = "same"
        found[name] = Judgement(verdict, p_value, decision_interval(estimate, level, rules))
    return found


def decision_interval(estimate: Estimate, level: float, rules: Rules) -> Interval:
    """What verdicts follow from: each end at the confidence of what it can lead to.

    Above 1 + tolerance with the low end, the benchmark is slower; below 1 + same_within with the high end, it
    is the same. For a benchmark that is faster the ends change their parts.
    """
    alarm = estimate.reach(level / 2)
    sure = estimate.reach(rules.missed_level)
    down, up = (alarm, sure) if estimate.log_ratio >= 0 else (sure, alarm)
    return ratio_of(estimate.log_ratio - down), ratio_of(estimate.log_ratio + up)


def _p_value(estimate: Estimate, rules: Rules) -> float:
    """Two-sided, of the ratio lying within the tolerance: a slowdown and a speed-up share the budget."""
    return min(1.0, 2 * estimate.chance_beyond(log1p(rules.tolerance)))


def _is_same(estimate: Estimate, rules: Rules) -> bool:
    reach = estimate.reach(rules.missed_level)
    return abs(estimate.log_ratio) + reach < log1p(rules.same_within)
