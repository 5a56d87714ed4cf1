"""Looks: the promise about false alarms holds over suites and looks, and slowdowns are found."""

from __future__ import annotations

import numpy as np
import pytest

from tiergate.gate.ratio import Estimate
from tiergate.gate.sequential import Judgement, Rules, judge


def played(
    random: np.random.Generator, truths: dict[str, float], rules: Rules, noise: float = 0.014
) -> dict[str, str]:
    """Verdicts of a suite whose generations have normal middles around the truth (logarithms of ratios)."""
    middles = {name: random.normal(truth, noise, rules.looks[-1]) for name, truth in truths.items()}
    verdicts = dict.fromkeys(truths, "inconclusive")
    rejected = 0
    for look in rules.looks:
        open_ = [name for name, verdict in verdicts.items() if verdict == "inconclusive"]
        estimates = {
            name: Estimate(
                float(middles[name][:look].mean()),
                float(middles[name][:look].std(ddof=1)) / look**0.5,
                look,
                look - 1,
            )
            for name in open_
        }
        for name, found in judge(estimates, look, len(truths), rejected, rules).items():
            if found.verdict is not None:
                verdicts[name] = found.verdict
                rejected += found.verdict in {"regressed", "improved"}
    return verdicts


def test_a_suite_of_20_at_the_tolerance_itself_is_called_slower_less_often_than_promised() -> None:
    # The worst case of the promise: every benchmark is slower by exactly what is tolerated.
    random = np.random.default_rng(1)
    rules = Rules(false_alarms=0.05)
    truths = {f"b{number}": float(np.log1p(rules.tolerance)) for number in range(20)}
    alarms = sum("regressed" in played(random, truths, rules).values() for _ in range(200))
    assert alarms / 200 <= 0.05 + 2.5 * (0.05 * 0.95 / 200) ** 0.5


def test_slowdowns_of_5_percent_are_found_among_unchanged_benchmarks() -> None:
    random = np.random.default_rng(2)
    truths = {"slow": float(np.log(1.05)), **{f"b{number}": 0.0 for number in range(9)}}
    found = [played(random, truths, Rules()) for _ in range(100)]
    assert sum(one["slow"] == "regressed" for one in found) >= 95
    assert all(one[name] != "regressed" for one in found for name in truths if name != "slow")


def test_what_is_slower_by_same_within_is_rarely_called_the_same() -> None:
    random = np.random.default_rng(3)
    rules = Rules()
    truths = {"b": float(np.log1p(rules.same_within))}
    wrong = sum(played(random, truths, rules)["b"] == "same" for _ in range(400))
    assert wrong / 400 <= rules.missed + 2.5 * (rules.missed / 400) ** 0.5


def test_the_looks_spend_the_whole_budget_and_no_more() -> None:
    rules = Rules()
    spent = [rules.alarm_level(look) for look in rules.looks]
    assert sum(spent) == pytest.approx(rules.false_alarms)
    assert min(spent) > 0


def test_holm_hands_the_budget_on() -> None:
    rules = Rules(looks=(10,), false_alarms=0.01)
    alone = Estimate(0.045, 0.01, 10, 9)  # enough for a budget that nobody shares, not for half of it
    clear = Estimate(0.5, 0.01, 10, 9)
    weak = Estimate(0.0, 0.01, 10, 9)
    assert _regressed(judge({"a": alone}, 10, 1, 0, rules)) == {"a"}
    assert _regressed(judge({"a": alone, "b": weak}, 10, 2, 0, rules)) == set()
    assert _regressed(judge({"a": alone, "b": clear}, 10, 2, 0, rules)) == {"a", "b"}
    assert _regressed(judge({"a": alone}, 10, 2, 1, rules)) == {"a"}, "what was found earlier counts"


def test_a_verdict_follows_from_the_interval_that_is_shown() -> None:
    random = np.random.default_rng(6)
    rules = Rules()
    for _ in range(500):
        ratio, error = random.normal(0, 0.05), random.uniform(0.0005, 0.02)
        found = judge({"b": Estimate(ratio, error, 12, 9)}, 12, 1, 0, rules)["b"]
        low, high = found.interval
        if found.verdict == "regressed":
            assert low > 1 + rules.tolerance
        elif found.verdict == "improved":
            assert high < 1 / (1 + rules.tolerance)
        elif found.verdict == "same":
            assert abs(ratio) < rules.same_within
        else:
            assert not low > 1 + rules.tolerance
            assert not high < 1 / (1 + rules.tolerance)


def _regressed(found: dict[str, Judgement]) -> set[str]:
    return {name for name, judgement in found.items() if judgement.verdict == "regressed"}
