"""Intervals from rounds, and regret: hand-computed cases, and coverage by seeded simulation."""

from __future__ import annotations

from math import exp, gamma, pi, sqrt
from random import Random
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.load.intervals import around, geometric_mean, mean_interval, ratio_interval, student_t
from tiergate.load.regret import regret


def t_mass(degrees: int, quantile: float, steps: int = 4000) -> float:
    """Probability between minus and plus a quantile of Student's t, by Simpson's rule."""
    scale = gamma((degrees + 1) / 2) / (sqrt(degrees * pi) * gamma(degrees / 2))
    width = quantile / steps
    total = 0.0
    for step in range(steps + 1):
        weight = 1 if step in {0, steps} else 4 if step % 2 else 2
        total += weight * (1 + (step * width) ** 2 / degrees) ** (-(degrees + 1) / 2)
    return 2 * scale * total * width / 3


@pytest.mark.parametrize("degrees", range(1, 31))
def test_student_t_leaves_five_percent_outside(degrees: int) -> None:
    assert t_mass(degrees, student_t(degrees)) == pytest.approx(0.95, abs=1e-4)


def test_student_t_is_on_the_wide_side_beyond_its_table() -> None:
    assert student_t(200) == student_t(30) > 1.972


def test_the_interval_of_a_mean_by_hand() -> None:
    assert mean_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.303 / sqrt(3), 2 + 4.303 / sqrt(3)))
    assert mean_interval([1.0]) is None
    assert mean_interval([]) is None


def test_the_interval_of_a_ratio_is_symmetric_on_a_log_scale() -> None:
    low, high = ratio_interval([0.5, 2.0]) or (0.0, 0.0)
    assert low * high == pytest.approx(1.0)
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[1.0], [1.0, 0.0], [1.0, -2.0], [1.0, float("inf")], [1.0, float("nan")]])
def test_what_has_no_logarithm_has_no_ratio_interval(values: list[float]) -> None:
    assert ratio_interval(values) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_the_interval_of_a_mean_holds_the_mean(values: list[float]) -> None:
    low, high = mean_interval(values) or (0.0, 0.0)
    assert low <= fmean(values) <= high


def test_an_interval_is_widened_until_it_holds_the_value_beside_it() -> None:
    assert around(5.0, (1.0, 2.0)) == (1.0, 5.0)
    assert around(0.5, (1.0, 2.0)) == (0.5, 2.0)
    assert around(1.5, (1.0, 2.0)) == (1.0, 2.0)
    assert around(1.5, None) is None


@pytest.mark.parametrize("rounds", [2, 3, 5, 8])
def test_intervals_hold_the_true_mean_as_often_as_they_claim(rounds: int) -> None:
    random = Random(rounds)
    held = ratio_held = 0
    for _ in range(2000):
        values = [random.gauss(3.0, 1.0) for _ in range(rounds)]
        low, high = mean_interval(values) or (0.0, 0.0)
        held += low <= 3.0 <= high
        low, high = ratio_interval([exp(value) for value in values]) or (0.0, 0.0)
        ratio_held += low <= exp(3.0) <= high
    assert 0.935 < held / 2000 < 0.965
    assert ratio_held == held


def test_regret_by_hand() -> None:
    found = regret([1.2, 1.3], [1.0, 1.1], [2.0, 2.1])
    assert found.value == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.2, 0.2), abs=1e-6)


def test_a_router_as_good_as_the_oracle_has_none_and_one_like_the_shared_queue_has_all() -> None:
    oracle, shared = [1.0, 1.1, 0.9], [2.0, 2.3, 1.8]
    assert regret(oracle, oracle, shared).value == pytest.approx(0.0)
    assert regret(shared, oracle, shared).value == pytest.approx(1.0)
    assert regret([0.9, 1.0, 0.8], oracle, shared).value == pytest.approx(-0.3 / 3.1)
    worse = regret([3.0, 3.5, 2.7], oracle, shared)
    assert worse.value is not None
    assert worse.value > 1


@pytest.mark.parametrize(
    ("oracle", "shared", "reason"),
    [
        ([1.0], [2.0], "one round"),
        ([1.0, 1.2, 0.8], [1.1, 1.1, 0.9], "cannot be told from none"),
        ([1.0, 1.0], [1.0, 1.0], "cannot be told from none"),
        ([2.0, 2.1, 2.0], [1.0, 1.1, 0.9], "slower than a shared queue"),
    ],
)
def test_regret_is_undefined_where_there_is_nothing_to_lose(
    oracle: list[float], shared: list[float], reason: str
) -> None:
    found = regret([1.5] * len(oracle), oracle, shared)
    assert found.value is None
    assert found.interval is None
    assert reason in found.reason


def test_the_denominator_decides_and_not_the_router() -> None:
    shared, oracle = [2.0, 2.4, 2.2, 1.9], [1.0, 1.5, 1.1, 0.8]
    gains = [ours - best for ours, best in zip(shared, oracle, strict=True)]
    assert fmean(gains) - student_t(3) * stdev(gains) / 2 > 0
    assert regret([5.0, 1.0, 3.0, 0.5], oracle, shared).value is not None


@pytest.mark.parametrize("truth", [0.0, 0.3, 1.4])
def test_the_interval_of_regret_holds_the_truth_as_often_as_it_claims(truth: float) -> None:
    random = Random(f"regret {truth}")
    held = defined = 0
    for _ in range(250):
        level = [random.gauss(1.0, 0.3) for _ in range(5)]
        oracle = [value + random.gauss(0, 0.05) for value in level]
        shared = [value + 0.8 + random.gauss(0, 0.05) for value in level]
        router = [value + truth * 0.8 + random.gauss(0, 0.05) for value in level]
        found = regret(router, oracle, shared)
        if found.interval is not None and found.value is not None:
            defined += 1
            assert found.interval[0] <= found.value <= found.interval[1]
            held += found.interval[0] <= truth <= found.interval[1]
    assert defined == 250
    assert held / defined > 0.91
