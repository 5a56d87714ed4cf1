"""What is measured on the rounds: counts, groups, slowdown, affinity, and intervals from rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log
from typing import Any

import pytest

from tiergate.load.cutoffs import Candidate
from tiergate.load.driver import Timetable
from tiergate.load.measures import (
    affinity,
    class_latency,
    completed,
    count,
    groups,
    intervals,
    round_values,
    series,
    slowdown,
)
from tiergate.load.oracle import Sealed
from tiergate.load.outcome import Fate, Outcome, Round
from tiergate.load.prepare import Measured, Prepared, Training
from tiergate.load.trace import make_trace
from tiergate.operation import Request
from tiergate.pool import PoolUsage
from tiergate.routing import Cutoffs, RequestFacts, Tier

SERVICE_S = [0.001, 0.002, 0.004, 0.020, 0.300]
LABELS: tuple[Tier | None, ...] = ("hot", "hot", None, "warm", "cold")


@pytest.fixture
def prepared(make_facts: Callable[..., RequestFacts]) -> Prepared:
    requests = [Request(number, "task_get", f"s{number}", {}) for number in range(len(SERVICE_S))]
    trace = make_trace("made", 1, requests, [0.1 * number for number in range(len(SERVICE_S))])
    facts = [make_facts(number) for number in range(len(SERVICE_S))]
    measured = Measured([], trace, facts, Sealed([[time] for time in SERVICE_S], [0.1], {}))
    candidate = Candidate(Cutoffs(0.01, 0.1), 1.0, 1.0, 0, 2.0)
    return Prepared(
        taught=Training(measured, candidate, [], [], short_s=0.002, long_s=0.1),
        judged=measured,
        labels=LABELS,
        timetable=Timetable(requests, facts, trace.starts, [], 30.0),
        offered_load=0.5,
        refused={},
    )


def outcome(request: int, response_s: float = 0.01, **values: Any) -> Outcome:
    usual: dict[str, Any] = {
        "session": f"s{request}",
        "fate": Fate.COMPLETED,
        "tier": "hot",
        "worker": "hot-1",
        "start_s": 0.0,
        "late_s": 0.0,
        "service_s": 0.001,
    }
    return Outcome(request=request, response_s=response_s, **{**usual, **values})


def round_of(outcomes: Sequence[Outcome], number: int = 1) -> Round:
    usage = PoolUsage(cpu_s=1.0, peak_rss_bytes=1, worker_seconds=1.0)
    return Round(number, outcomes, 2.0, usage, [])


def test_every_fate_is_counted_over_all_rounds() -> None:
    fates = [Fate.COMPLETED, Fate.FAILED, Fate.TIMED_OUT, Fate.DROPPED, Fate.DROPPED]
    one = round_of([outcome(number, fate=fate) for number, fate in enumerate(fates)])
    found = count([one, one])
    assert (found.offered, found.completed, found.failed, found.timed_out, found.dropped) == (10, 2, 2, 2, 4)
    assert found.lost == 8
    assert [done.request for done in completed([one, one])] == [0, 0]


def test_groups_are_those_of_the_sealed_times_and_not_of_the_router(prepared: Prepared) -> None:
    outcomes = [outcome(number, tier="cold", service_s=9.0) for number in range(5)]
    found = {name: [one.request for one in outcomes if pick(one)] for name, pick in groups(prepared).items()}
    assert found == {
        "by_class.hot": [0, 1],
        "by_class.warm": [3],
        "by_class.cold": [4],
        "by_length.short": [0, 1],
        "by_length.long": [4],
    }


def test_slowdown_is_the_mean_log_of_response_over_sealed_service_time(prepared: Prepared) -> None:
    found = slowdown([outcome(0, 0.001), outcome(3, 0.080), outcome(4, 0.6)], prepared)
    assert found == pytest.approx((0 + log(4) + log(2)) / 3)


def test_a_group_without_a_request_has_no_latency() -> None:
    found = class_latency([outcome(0)], lambda one: one.request == 7)
    assert (found.requests, found.response_ms) == (0, None)


def test_the_values_of_a_round_leave_out_what_did_not_complete(prepared: Prepared) -> None:
    one = round_of([outcome(0, 0.010), outcome(1, 0.020), outcome(4, 5.0, fate=Fate.TIMED_OUT)])
    found = round_values(one, prepared)
    assert found["achieved_rps"] == 1.0
    assert found["response_ms.p99"] == 20.0
    assert found["by_class.hot.response_ms.p50"] == pytest.approx(10.0, rel=1e-3)
    assert "by_class.cold.response_ms.p50" not in found


def test_intervals_come_from_rounds_and_hold_the_pooled_value() -> None:
    rounds = [{"response_ms.p95": value, "slowdown": value} for value in (10.0, 11.0, 12.0)]
    found = intervals(rounds, {"response_ms.p95": 30.0, "slowdown": 11.0})
    assert found["response_ms.p95"][0] < 10
    assert found["response_ms.p95"][1] == 30.0
    assert found["slowdown"] == pytest.approx((11 - 4.303 / 3**0.5, 11 + 4.303 / 3**0.5))


def test_a_figure_that_a_round_lacks_has_no_interval_and_neither_has_a_single_round() -> None:
    assert "b" not in intervals([{"a": 1.0, "b": 1.0}, {"a": 2.0}], {})
    assert intervals([{"a": 1.0}], {}) == {}


def served(*by: tuple[str | None, str]) -> Round:
    return round_of(
        [outcome(number, session=session, worker=worker) for number, (session, worker) in enumerate(by)]
    )


def test_affinity_counts_sessions_that_met_the_worker_of_their_last_time() -> None:
    one = served(
        ("a", "hot-1"), ("a", "hot-1"), ("a", "hot-2"), ("a", "hot-1"), ("b", "hot-2"), (None, "hot-1")
    )
    assert affinity([one], {"hot": 2}).hit_rate == pytest.approx(1 / 3)


def test_affinity_is_asked_within_a_tier_and_a_round() -> None:
    moved = served(("a", "hot-1"), ("a", "cold-1"), ("a", "hot-1"))
    assert affinity([moved], {"hot": 1, "cold": 1}).hit_rate == 1.0
    first, second = served(("a", "hot-1")), served(("a", "hot-2"))
    assert affinity([first, second], {"hot": 2}).hit_rate is None


def test_a_request_that_no_worker_answered_says_nothing_of_affinity() -> None:
    one = served(("a", "hot-1"), ("a", ""), ("a", "hot-1"))
    assert affinity([one], {"hot": 1}).hit_rate == 1.0


def test_the_load_ratio_is_that_of_the_busiest_worker_of_any_tier() -> None:
    one = served(*[("a", "hot-1")] * 3, ("b", "hot-2"), ("c", "cold-1"))
    assert affinity([one], {"hot": 2, "cold": 1}).max_load_ratio == pytest.approx(1.5)
    # A worker that got nothing counts too.
    assert affinity([served(("a", "hot-1"))], {"hot": 4}).max_load_ratio == 4.0
    assert affinity([served(("a", ""))], {"hot": 4}).max_load_ratio == 1.0


def test_the_series_goes_by_the_second_of_the_intended_start() -> None:
    one = round_of(
        [
            outcome(0, 0.010, start_s=0.1),
            outcome(1, 0.030, start_s=0.9),
            outcome(2, 0.5, start_s=2.5),
            outcome(3, start_s=2.6, fate=Fate.FAILED),
        ]
    )
    found = series([one, one])
    assert [(point.at_s, point.requests) for point in found] == [(0.0, 4), (2.0, 2)]
    assert found[1].p95_ms == pytest.approx(500, rel=1e-3)
