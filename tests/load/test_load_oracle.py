"""The oracle: sealed times, their intervals, and the labels that follow from them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.load.oracle import Sealed, interval_rank, seal
from tiergate.load.stage import make_stage
from tiergate.load.trace import Trace, make_trace
from tiergate.model import Session
from tiergate.operation import Request
from tiergate.plugins import PluginHost
from tiergate.routing import Cutoffs


def coverage(passes: int, rank: int) -> float:
    """How often the interval holds the median, counted over every way in which the passes can fall."""
    ways = [sum(above) for above in product((0, 1), repeat=passes)]
    return sum(rank + 1 <= above <= passes - rank - 1 for above in ways) / len(ways)


@pytest.mark.parametrize("passes", range(1, 14))
def test_the_interval_is_the_narrowest_that_holds_the_median_with_confidence(passes: int) -> None:
    rank = interval_rank(passes)
    inner = range(1, max(1, (passes + 1) // 2))
    good = [candidate for candidate in inner if coverage(passes, candidate) >= 0.95]
    assert rank == max(good, default=0)


def test_five_passes_are_the_fewest_that_come_near_and_six_suffice() -> None:
    assert coverage(5, interval_rank(5)) == pytest.approx(0.9375)
    assert coverage(6, interval_rank(6)) > 0.95
    assert coverage(9, interval_rank(9)) > 0.95
    assert interval_rank(9) == 1


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=40))
def test_the_interval_holds_the_sealed_time(times: list[float]) -> None:
    sealed = Sealed([sorted(times)], [0.1], {})
    low, high = sealed.interval(0)
    assert low <= sealed.service_s(0) <= high
    assert sealed.service_s(0) == sealed.all_service_s()[0] == median(times)


@pytest.mark.parametrize(
    ("times", "label"),
    [
        ([0.001, 0.002, 0.003], "hot"),
        ([0.010, 0.011, 0.012], "warm"),
        ([0.009, 0.0095, 0.0099], "hot"),
        ([0.2, 0.3, 0.4], "cold"),
        ([0.009, 0.009, 0.010], None),
        ([0.05, 0.09, 0.11], None),
        ([0.001, 0.05, 0.5], None),
    ],
)
def test_a_request_whose_interval_crosses_a_cut_off_has_no_label(times: list[float], label: str) -> None:
    assert Sealed([times], [0.1], {}).label(0, Cutoffs(0.010, 0.1)) == label


def test_an_outlier_beyond_the_interval_does_not_cost_the_label() -> None:
    sealed = Sealed([[0.001] * 8 + [5.0]], [0.1], {})
    assert sealed.label(0, Cutoffs(0.010, 0.1)) == "hot"


def trace_of(*steps: tuple[str, int | None]) -> Trace:
    requests = [
        Request(number, operation, "a", {} if tasks is None else {"tasks": tasks})
        for number, (operation, tasks) in enumerate(steps)
    ]
    return make_trace("steps", 1, requests, [0.01 * number for number in range(len(requests))])


def sealed_by(
    host: PluginHost, sessions: Sequence[Session], trace: Trace, passes: int, folder: Path
) -> tuple[Sealed, list[int]]:
    told: list[int] = []
    with make_stage(host, f"sqlite:{folder}", "inline") as stage:
        return asyncio.run(seal(stage, sessions, trace, passes, told.append)), told


def test_every_pass_meets_the_state_of_its_point_of_the_trace(
    inline_host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    trace = trace_of(("expect", 3), ("grow", None), ("expect", 4), ("grow", None), ("expect", 5))
    sealed, told = sealed_by(inline_host, sessions, trace, 4, tmp_path)
    assert sealed.refused == {}
    assert told == [1, 2, 3, 4]
    assert len(sealed.startup_s) == 4
    assert [len(times) for times in sealed.times] == [4] * 5
    assert all(list(times) == sorted(times) and min(times) > 0 for times in sealed.times)
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_is_refused_alone_is_reported_with_its_reason(
    inline_host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    trace = trace_of(("expect", 3), ("grow", None), ("expect", 3), ("expect", 4))
    sealed, _ = sealed_by(inline_host, sessions, trace, 2, tmp_path)
    assert sealed.refused == {2: "4 tasks, not 3"}


@pytest.mark.integration
def test_a_real_worker_seals_real_operations(
    host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    requests = [
        Request(0, "task_update", "a", {"task": "t0", "append_notes": "more"}),
        Request(1, "task_get", "a", {"task": "t0"}),
        Request(2, "task_get", "a", {"task": "missing"}),
    ]
    trace = make_trace("few", 1, requests, [0.0, 0.1, 0.2])
    with make_stage(host, f"json:{tmp_path}", "local") as stage:
        sealed = asyncio.run(seal(stage, sessions, trace, 3))
    assert sealed.refused == {2: "session 'a' has no task 'missing'"}
    assert [len(times) for times in sealed.times] == [3, 3, 3]
    # Starting the process is measured, and apart from what the requests took.
    assert min(sealed.startup_s) > max(sealed.times[1])


def test_passes_of_two_measurements_count_together() -> None:
    first = Sealed([[0.2], [1.0]], [0.1], {})
    both = first.together_with(Sealed([[0.1, 0.3], [0.5, 2.0]], [0.2, 0.3], {1: "no"}))
    assert both.times == [[0.1, 0.2, 0.3], [0.5, 1.0, 2.0]]
    assert both.startup_s == [0.1, 0.2, 0.3]
    assert both.all_service_s() == [0.2, 1.0]
    assert both.refused == {1: "no"}
