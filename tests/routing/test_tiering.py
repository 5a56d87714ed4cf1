"""Work, workers and cut-offs that a distribution of service times calls for, and what queues do then."""

from __future__ import annotations

from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.routing import TIERS, Cutoffs
from tiergate.tiering import (
    Traffic,
    balance,
    by_tier,
    erlang_c,
    long_ratio,
    recommend_workers,
    wait_quantile,
    worker_advice,
)

CUTOFFS = Cutoffs(hot_s=0.01, warm_s=0.05)
SKEWED = Traffic.of([0.001] * 95 + [0.1] * 5, rate_rps=100.0)
TIMES = st.lists(st.floats(1e-5, 10.0), min_size=1, max_size=60)


def test_work_is_rate_times_service() -> None:
    assert SKEWED.work() == pytest.approx(0.595)
    assert {tier: part.work() for tier, part in by_tier(SKEWED, CUTOFFS).items()} == pytest.approx(
        {"hot": 0.095, "warm": 0.0, "cold": 0.5}
    )


def test_variability_of_known_distributions() -> None:
    assert Traffic.of([0.2] * 9, 1.0).variability() == pytest.approx(0.0)
    assert SKEWED.variability() == pytest.approx(13.15, rel=0.01)
    exponential = list(np.random.default_rng(1).exponential(1.0, 50_000))
    assert Traffic.of(exponential, 1.0).variability() == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(("times", "rate"), [([], 1.0), ([0.1], 0.0), ([0.1], -1.0), ([0.1], float("nan"))])
def test_no_traffic_is_refused(times: list[float], rate: float) -> None:
    with pytest.raises(ValueError, match="at least one request and a rate above 0"):
        Traffic.of(times, rate)


def test_the_error_of_work_is_that_of_the_count() -> None:
    # 400 equal requests: the work is known as well as their number is, to 1/20.
    traffic = Traffic.of([0.01] * 400, 100.0)
    assert traffic.work_error() == pytest.approx(traffic.work() / 20)


def test_the_parts_add_up() -> None:
    parts = by_tier(SKEWED, Cutoffs(0.001, 0.1))
    assert [part.rate_rps.sum() for part in parts.values()] == pytest.approx([0.0, 95.0, 5.0])


@given(TIMES, st.integers(3, 9), st.floats(1e-4, 1.0), st.floats(1.0, 30.0))
def test_no_other_share_of_workers_has_a_smaller_largest_load(
    times: list[float], workers: int, hot_s: float, factor: float
) -> None:
    cutoffs, traffic = Cutoffs(hot_s, hot_s * factor), Traffic.of(times, 1.0)
    work = [part.work() for part in by_tier(traffic, cutoffs).values()]

    def largest(counts: tuple[int, ...]) -> float:
        return max(part / count for part, count in zip(work, counts, strict=True))

    found = recommend_workers(traffic, cutoffs, workers)
    assert sum(found.values()) == workers
    shares = [counts for counts in product(range(1, workers), repeat=3) if sum(counts) == workers]
    assert largest(tuple(found[tier] for tier in TIERS)) == pytest.approx(min(map(largest, shares)))


def test_every_tier_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="2 workers cannot serve 3 tiers"):
        recommend_workers(SKEWED, CUTOFFS, 2)


def test_cutoffs_that_balance_stay() -> None:
    assert balance(SKEWED, {"hot": 1, "warm": 1, "cold": 1}, CUTOFFS, 8.0, 0.75) == CUTOFFS


def test_cutoffs_move_no_farther_than_it_takes() -> None:
    times = list(np.geomspace(0.001, 1.0, 200))
    traffic = Traffic.of(times, 1.0 / sum(times) * 200 * 1.8)  # 1.8 workers' worth of work
    workers = {"hot": 1, "warm": 1, "cold": 1}
    around = Cutoffs(0.01, 0.1)

    def largest(cutoffs: Cutoffs) -> float:
        return max(part.work() for part in by_tier(traffic, cutoffs).values())

    assert largest(around) > 1
    found = balance(traffic, workers, around, 8.0, 0.9)
    assert largest(found) <= 0.9
    assert around.warm_s < found.warm_s <= 8 * around.warm_s
    between = Cutoffs(found.hot_s, (found.warm_s * around.warm_s) ** 0.5)
    assert largest(between) > 0.9


@given(TIMES, st.floats(1e-4, 1.0), st.floats(1.01, 30.0), st.floats(0.1, 20.0))
def test_balanced_cutoffs_are_in_order_within_reach_and_no_worse(
    times: list[float], hot_s: float, factor: float, rate: float
) -> None:
    workers = {"hot": 2, "warm": 1, "cold": 2}
    traffic, around = Traffic.of(times, rate), Cutoffs(hot_s, hot_s * factor)

    def largest(cutoffs: Cutoffs) -> float:
        return max(part.work() / workers[tier] for tier, part in by_tier(traffic, cutoffs).items())

    found = balance(traffic, workers, around, 4.0, 0.75)
    assert found.hot_s < found.warm_s
    assert around.hot_s / 4 <= found.hot_s <= around.hot_s * 4
    assert around.warm_s / 4 <= found.warm_s <= around.warm_s * 4
    assert largest(found) <= max(0.75, largest(around) + 1e-3)


@pytest.mark.parametrize(("workers", "work", "waits"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (5, 4.0, 0.5541)])
def test_erlang_c_against_tables(workers: int, work: float, waits: float) -> None:
    assert erlang_c(workers, work) == pytest.approx(waits, abs=1e-4)


def test_waiting_in_one_exponential_queue() -> None:
    # M/M/1 at load 0.8: of the waiting time, P(W > t) = 0.8 exp(-(1 - 0.8) t / mean service).
    times = list(np.random.default_rng(2).exponential(1.0, 200_000))
    traffic = Traffic.of(times, 0.8)
    assert wait_quantile(traffic, 1, 0.95) == pytest.approx(np.log(0.8 / 0.05) / 0.2, rel=0.1)
    assert wait_quantile(traffic, 20, 0.95) == 0.0
    assert wait_quantile(traffic.part(100.0, inf), 1, 0.95) == 0.0


def test_a_queue_that_cannot_keep_up() -> None:
    assert wait_quantile(SKEWED, 0, 0.95) == inf
    assert wait_quantile(Traffic.of([1.0], 2.0), 2, 0.95) == inf


def test_long_requests_pay_where_their_tier_is_small() -> None:
    traffic = Traffic.of([0.001] * 95 + [0.1] * 5, rate_rps=130.0)
    assert long_ratio(traffic, CUTOFFS, {"hot": 2, "warm": 1, "cold": 1}) > 2
    assert long_ratio(traffic, CUTOFFS, {"hot": 1, "warm": 1, "cold": 3}) < 1.5
    assert long_ratio(traffic, CUTOFFS, {"hot": 4, "warm": 1, "cold": 0}) == inf


def test_where_nothing_keeps_up_nobody_pays() -> None:
    assert long_ratio(Traffic.of([1.0], 9.0), CUTOFFS, {"hot": 1, "warm": 1, "cold": 1}) == 1.0


def test_advice_names_the_better_shares_and_what_they_are_worth() -> None:
    traffic = Traffic.of([0.001] * 95 + [0.1] * 5, 200.0)
    cutoffs = Cutoffs(0.01, 0.05)
    assert worker_advice(traffic, cutoffs, {"hot": 3, "warm": 1, "cold": 1}) == (
        "The measured work calls for 1 hot, 1 warm, 3 cold workers instead of 3 hot, 1 warm, 1 cold: "
        "the largest offered load of a tier would be 0.33 instead of 1.00."
    )
    assert worker_advice(traffic, cutoffs, {"hot": 1, "warm": 1, "cold": 3}) is None
    with pytest.raises(ValueError, match="give at least one to each"):
        worker_advice(traffic, cutoffs, {"hot": 1, "cold": 1})
