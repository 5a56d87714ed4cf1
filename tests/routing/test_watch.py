"""The decayed histogram of what passes a router."""

from __future__ import annotations

from math import exp, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.routing import Cutoffs
from tiergate.tiering import by_tier
from tiergate_plugins.routing.watch import CLASSES, REMEMBERS_S, Watch, class_of


def feed(
    watch: Watch, seconds: float, rate: float, expected_s: float, took_s: float, start: float = 0.0
) -> float:
    """So many requests a second, each answered at once; returns the end."""
    for number in range(round(seconds * rate)):
        now = start + number / rate
        watch.arrived(expected_s, now)
        watch.served(expected_s, took_s, now)
    return start + seconds


def test_nothing_is_known_at_first() -> None:
    watch = Watch()
    assert watch.traffic(5.0) is None
    watch.arrived(0.1, 5.0)
    assert watch.traffic(5.0) is None
    assert watch.answered(5.0) == 0.0


@pytest.mark.parametrize("seconds", [2.0, 30.0, 300.0])
@pytest.mark.parametrize("start", [0.0, 1e6])
def test_rate_and_time_are_found_however_long_it_watched(seconds: float, start: float) -> None:
    watch = Watch()
    traffic = watch.traffic(feed(watch, seconds, 50.0, expected_s=0.01, took_s=0.03, start=start))
    assert traffic is not None
    assert traffic.rate_rps.sum() == pytest.approx(50.0, rel=0.02)
    assert traffic.service_s == pytest.approx([0.03])
    assert traffic.expected_s == pytest.approx([0.01])
    assert traffic.work() == pytest.approx(1.5, rel=0.02)


def test_work_counts_where_it_was_expected() -> None:
    watch = Watch()
    feed(watch, 10.0, 50.0, expected_s=0.001, took_s=0.1)
    traffic = watch.traffic(10.0)
    assert traffic is not None
    work = {tier: part.work() for tier, part in by_tier(traffic, Cutoffs(0.01, 0.05)).items()}
    assert work == pytest.approx({"hot": 5.0, "warm": 0.0, "cold": 0.0}, rel=0.02)


def test_what_was_not_answered_yet_counts_as_it_was_expected() -> None:
    watch = Watch()
    for number in range(100):
        watch.arrived(0.2, number * 0.1)
    traffic = watch.traffic(10.0)
    assert traffic is not None
    assert traffic.work() == pytest.approx(2.0, rel=0.02)


def test_old_traffic_is_forgotten() -> None:
    watch = Watch()
    now = feed(watch, 60.0, 100.0, expected_s=0.001, took_s=0.001)
    now = feed(watch, 3 * REMEMBERS_S, 10.0, expected_s=0.1, took_s=0.1, start=now)
    traffic = watch.traffic(now)
    assert traffic is not None
    assert dict(zip(traffic.expected_s.round(4), traffic.rate_rps, strict=True)) == pytest.approx(
        {0.001: 100 * exp(-3), 0.1: 10.0}, rel=0.15
    )


def test_a_very_long_watch_does_not_overflow() -> None:
    watch = Watch()
    now = 0.0
    for _ in range(30):
        now = feed(watch, 10.0, 10.0, expected_s=0.01, took_s=0.01, start=now + 1000 * REMEMBERS_S)
    traffic = watch.traffic(now)
    assert traffic is not None
    # Of the last burst, which is a third of what it remembers.
    assert traffic.rate_rps.sum() == pytest.approx(10.0 * (1 - exp(-10 / REMEMBERS_S)), rel=0.02)
    assert watch.answered(now) == pytest.approx(10 * REMEMBERS_S * (1 - exp(-10 / REMEMBERS_S)), rel=0.02)


@given(st.floats(0.0, 1e12))
def test_every_time_has_a_class(expected_s: float) -> None:
    assert 0 <= class_of(expected_s) < CLASSES
    assert class_of(expected_s) <= class_of(expected_s * 2) or expected_s == inf
