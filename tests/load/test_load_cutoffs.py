"""Cut-offs: the simulation against one that was written differently, and the search against all pairs."""

from __future__ import annotations

from collections import deque
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.arrivals import poisson
from tiergate.load.cutoffs import (
    AMBIGUOUS_STEP,
    EQUAL,
    LONG_LIMIT,
    MIN_SHARES,
    Candidate,
    TrainingTrace,
    cut_points,
    judge,
    search,
    simulate,
)

WORKERS = {"hot": 2, "warm": 1, "cold": 2}


def tick_by_tick(starts: list[int], service: list[int], workers: int) -> list[int]:
    """One queue and some workers, one unit of time after the other."""
    queue: deque[int] = deque()
    left = [0] * workers
    holds: list[int | None] = [None] * workers
    response = [-1] * len(starts)
    now = 0
    while -1 in response:
        for worker, request in enumerate(holds):
            if request is not None and left[worker] == 0:
                response[request] = now - starts[request]
                holds[worker] = None
        queue.extend(number for number, start in enumerate(starts) if start == now)
        for worker, request in enumerate(holds):
            if request is None and queue:
                holds[worker] = queue.popleft()
                left[worker] = service[holds[worker] or 0]
        left = [max(0, rest - 1) for rest in left]
        now += 1
    return response


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 12)), min_size=1, max_size=40), st.integers(1, 4))
def test_the_simulation_agrees_with_one_that_goes_tick_by_tick(
    jobs: list[tuple[int, int]], workers: int
) -> None:
    starts = np.cumsum([gap for gap, _ in jobs])
    service = [work for _, work in jobs]
    found = simulate(starts.astype(float), np.array(service, dtype=float), workers)
    assert found.tolist() == tick_by_tick(starts.tolist(), service, workers)


def training(seed: int, count: int = 300, noise: float = 0.1, load: float = 0.5) -> TrainingTrace:
    """Lognormal service times, with intervals that reach `noise` to both sides."""
    random = Random(seed)
    service = [random.lognormvariate(-7, 1.6) for _ in range(count)]
    rate = load * sum(WORKERS.values()) * count / sum(service)
    return TrainingTrace(
        starts=poisson(seed, count, rate),
        service=service,
        low=[time * (1 - noise) for time in service],
        high=[time * (1 + noise) for time in service],
    )


def all_pairs(trace: TrainingTrace) -> list[Candidate]:
    """Every pair of cut points that leaves each tier its share."""
    found = []
    for hot, warm in combinations(cut_points(trace.service), 2):
        tiers = [sum(time < hot for time in trace.service), 0, sum(time >= warm for time in trace.service)]
        tiers[1] = len(trace.service) - tiers[0] - tiers[2]
        shares = [one / len(trace.service) for one in tiers]
        if all(share >= least for share, least in zip(shares, MIN_SHARES, strict=True)):
            found.append(judge(trace, WORKERS, hot, warm))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("load", [0.3, 0.7])
def test_the_search_keeps_the_declared_objective(seed: int, load: float) -> None:
    trace = training(seed, load=load)
    best = search(trace, WORKERS)
    pairs = all_pairs(trace)
    assert best in pairs
    allowed = [pair for pair in pairs if pair.long_ratio <= LONG_LIMIT]
    if not allowed:
        assert best.long_ratio == min(pair.long_ratio for pair in pairs)
        assert not best.is_allowed
        return
    assert best.is_allowed
    least = min(pair.short_slowdown_p95 for pair in allowed)
    assert best.short_slowdown_p95 <= least * EQUAL
    equal = [pair for pair in allowed if pair.short_slowdown_p95 <= least * EQUAL]
    assert best.ambiguous <= min(pair.ambiguous for pair in equal) + AMBIGUOUS_STEP * len(trace.service)


def test_where_long_requests_must_starve_the_search_says_so() -> None:
    # One cold worker for work that keeps several busy: no cut-off can give long requests their due.
    random = Random(5)
    service = [random.uniform(0.9, 1.1) if n % 2 else random.uniform(0.001, 0.002) for n in range(300)]
    trace = TrainingTrace([n * 0.11 for n in range(300)], service, service, service)
    found = search(trace, {"hot": 3, "warm": 1, "cold": 1})
    assert not found.is_allowed
    assert found.long_ratio > LONG_LIMIT


def test_cut_offs_fall_into_the_gaps_so_that_labels_are_sure() -> None:
    random = Random(3)
    service = [
        random.choice((0.001, 0.001, 0.001, 0.02, 0.4)) * random.uniform(0.8, 1.25) for _ in range(400)
    ]
    trace = TrainingTrace(
        starts=poisson(1, 400, 10.0),
        service=service,
        low=[time * 0.7 for time in service],
        high=[time * 1.4 for time in service],
    )
    found = search(trace, WORKERS)
    assert found.ambiguous == 0
    assert 0.00125 < found.cutoffs.hot_s < 0.016
    assert 0.025 < found.cutoffs.warm_s < 0.32


@pytest.mark.parametrize("service", [[0.01] * 50, [0.01, 0.02] * 25, [0.01]])
def test_requests_that_are_too_alike_cannot_be_parted(service: list[float]) -> None:
    starts = [0.1 * number for number in range(len(service))]
    with pytest.raises(ValueError, match="too alike"):
        search(TrainingTrace(starts, service, service, service), WORKERS)


def test_short_and_long_are_fixed_by_the_training_trace_alone() -> None:
    service = [float(number) for number in range(1, 102)]
    trace = TrainingTrace(service, service, service, service)
    assert trace.short_s == 51.0
    assert trace.long_s == 96.0


def test_judging_counts_requests_whose_interval_crosses_a_cut_off() -> None:
    service = [0.001, 0.01, 0.1, 0.001, 0.01, 0.1]
    trace = TrainingTrace(
        starts=[float(number) for number in range(6)],
        service=service,
        low=[0.001, 0.004, 0.1, 0.001, 0.01, 0.04],
        high=[0.001, 0.01, 0.1, 0.006, 0.01, 0.1],
    )
    found = judge(trace, WORKERS, 0.005, 0.05)
    assert found.ambiguous == 3
    # No request ever waits here, so nothing is slowed down and long ones keep their time.
    assert found.short_slowdown_p95 == pytest.approx(1.0)
    assert found.long_ratio == pytest.approx(1.0)
    assert found.gap == pytest.approx(10.0 * 10.0)


def test_the_cold_cut_lies_in_its_own_gap_where_the_hot_one_has_none() -> None:
    # Dense times below 2 ms, a spread of some between 2 and 6 ms, and heavy ones ten times beyond.
    random = Random(5)
    dense = [random.uniform(1e-4, 2e-3) for _ in range(270)]
    some = [2e-3 * 1.3**step for step in range(5) for _ in range(4)]
    heavy = [random.uniform(60e-3, 80e-3) for _ in range(10)]
    service = [*dense, *some, *heavy]
    random.shuffle(service)
    exact = TrainingTrace(poisson(5, 300, 400.0), service, low=service, high=service)

    warm_s = search(exact, WORKERS).cutoffs.warm_s

    assert max(some) < warm_s < min(heavy)
