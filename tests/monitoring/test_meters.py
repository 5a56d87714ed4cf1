"""Counts and times of calls, against a list of them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st
from made_calls import REFUSAL, Clock, answered, made_call, unanswered

from tiergate.dispatch import Outcome
from tiergate.monitoring.meters import LIMITS_S, NO_TIER, Histogram, Meters, Recent, merged, percentiles

RELATIVE_ERROR = 0.01


@given(st.lists(st.floats(0, 100)))
def test_a_histogram_counts_each_value_under_the_first_limit_that_holds_it(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    found = Counter(next((limit for limit in LIMITS_S if value <= limit), None) for value in values)
    assert histogram.counts == [found[limit] for limit in (*LIMITS_S, None)]
    assert histogram.sum_s == sum(values)
    assert bisect_left(LIMITS_S, LIMITS_S[3]) == 3  # a limit belongs to its own bucket, as Prometheus has it


def test_calls_are_counted_by_operation_tier_and_outcome() -> None:
    meters = Meters()
    meters.ended(answered(made_call("search", tier="cold")))
    meters.ended(answered(made_call("search", tier="cold"), REFUSAL))
    meters.ended(unanswered(made_call("search", tier=None), Outcome.TIMED_OUT))
    meters.ended(unanswered(made_call("search"), Outcome.CANCELLED))
    assert dict(meters.calls) == {
        ("search", "cold", "answered"): 1,
        ("search", "cold", "refused"): 1,
        ("search", NO_TIER, "timed_out"): 1,
        ("search", "hot", "cancelled"): 1,
    }
    assert meters.lost() == 1
    assert meters.by_operation() == {"search": {"answered": 1, "refused": 1, "timed_out": 1, "cancelled": 1}}


def test_the_times_of_a_call_are_told_apart() -> None:
    meters = Meters()
    meters.ended(answered(made_call("search", tier="cold"), seconds=0.5))
    key = ("search", "cold")
    sums = [found[key].sum_s for found in (meters.response, meters.service, meters.store)]
    assert sums == [0.5, 0.2, 0.05]


def test_a_call_without_an_answer_has_a_response_time_only() -> None:
    meters = Meters()
    meters.ended(unanswered(made_call(), Outcome.FAILED))
    assert list(meters.response) == [("task_get", "hot")]
    assert not meters.service
    assert not meters.tiers


def test_sessions_are_no_label() -> None:
    meters = Meters()
    for number in range(50):
        meters.ended(answered(made_call(session=f"s{number}")))
    assert list(meters.calls) == [("task_get", "hot", "answered")]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.floats(0.0005, 20)), min_size=1, max_size=30))
def test_the_last_minute_forgets_what_is_older(calls: list[tuple[int, float]]) -> None:
    clock = Clock(1000.0)
    meters = Meters(clock)
    seen: list[tuple[float, float]] = []
    for passed, took in calls:
        clock.now += passed
        meters.ended(answered(made_call(), seconds=took))
        seen.append((clock.now, took))
    recent = meters.tiers["hot"]
    counted = recent.last_minute().get_total_count()
    surely = sum(at > clock.now - 50 for at, _ in seen)
    at_most = sum(at > clock.now - 60 for at, _ in seen)
    assert surely <= counted <= at_most
    assert recent.total.get_total_count() == len(seen)
    times = percentiles(recent.total)
    longest = max(took for _, took in seen) * 1e3
    assert times.p99 is not None
    assert times.p99 <= longest * (1 + RELATIVE_ERROR)
    clock.now += 61
    assert recent.last_minute().get_total_count() == 0
    assert recent.rate() == 0.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.000001, 3000), min_size=1, max_size=60))
def test_counting_by_bucket_loses_nothing_to_a_histogram_of_every_call(times: list[float]) -> None:
    recent, every = Recent(Clock(), 0.0), HdrHistogram(1, 3_600_000_000, 2)
    for took in times:
        recent.add(took)
        every.record_value(max(1, int(took * 1e6)))
    shares = [50.0, 95.0, 99.0]
    found, wanted = (one.get_percentile_to_value_dict(shares) for one in (recent.total, every))
    assert found == wanted


def test_percentiles_of_nothing_are_none() -> None:
    found = percentiles(merged([]))
    assert (found.p50, found.p95, found.p99) == (None, None, None)
