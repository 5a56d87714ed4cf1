"""When the guard steps back, what it says, and when it returns."""

from __future__ import annotations

import pytest

from tiergate.routing import Cutoffs
from tiergate.tiering import Traffic
from tiergate_plugins.routing.guard import HOLD_S, KEPT_NOTICES, LASTS_S, LEAST_VARIABILITY, Guard

CUTOFFS = Cutoffs(hot_s=0.01, warm_s=0.05)
WORKERS = {"hot": 2, "warm": 1, "cold": 2}
# A point of work at 100 ms cannot be parted by any cut-off within reach of its own.
MIX = [0.001] * 90 + [0.02] * 5 + [1.0] * 5


def at_cold_load(load: float) -> Traffic:
    """Ten thousand requests of the mix, so many that chance plays no part, with this offered load of cold."""
    return Traffic.of(MIX * 100, load * WORKERS["cold"] / 0.05)


def judged(*traffic: Traffic, every_s: float = 10.0) -> Guard:
    guard = Guard(CUTOFFS, variability=None)
    for number, one in enumerate(traffic, start=1):
        look(guard, one, WORKERS, number * every_s)
    return guard


def look(guard: Guard, traffic: Traffic, workers: dict[str, int], at_s: float) -> None:
    """Judge from that moment on, for so long that it is no pause."""
    for after_s in (0.0, LASTS_S):
        guard.judge(traffic, workers, at_s + after_s)


def test_it_is_silent_while_all_is_well() -> None:
    guard = judged(at_cold_load(0.3), at_cold_load(0.4))
    assert not guard.has_stepped_back
    assert guard.notices() == ()


def test_it_steps_back_where_a_tier_would_starve_and_says_so_once() -> None:
    guard = judged(at_cold_load(0.95), at_cold_load(0.95), at_cold_load(0.95))
    assert guard.has_stepped_back
    [notice] = guard.notices()
    assert notice == (
        "at 12.0 s: stepped back to the least work left over all workers: the cold tier would starve: "
        "its offered load is 0.95 of 2 workers (limit 0.90)"
    )


@pytest.mark.parametrize(("load", "is_back"), [(0.89, False), (0.91, True)])
def test_the_limit(load: float, is_back: bool) -> None:
    assert judged(at_cold_load(load)).has_stepped_back == is_back


@pytest.mark.parametrize(("then", "is_back"), [(0.85, True), (0.75, False)])
def test_it_returns_only_by_a_margin(then: float, is_back: bool) -> None:
    guard = judged(at_cold_load(0.95), at_cold_load(then))
    assert guard.has_stepped_back == is_back
    assert any("returned to tiers" in notice for notice in guard.notices()) != is_back


def test_it_does_not_return_at_once() -> None:
    loads = (0.95, 0.3)
    assert judged(*map(at_cold_load, loads), every_s=HOLD_S / 2).has_stepped_back
    assert not judged(*map(at_cold_load, loads), every_s=HOLD_S).has_stepped_back


def test_a_few_requests_prove_nothing() -> None:
    guard = Guard(CUTOFFS, variability=None)
    look(guard, Traffic.of(MIX, 0.95 * WORKERS["cold"] / 0.05), WORKERS, 10.0)
    assert not guard.has_stepped_back


def test_what_is_over_soon_changes_nothing() -> None:
    guard = Guard(CUTOFFS, variability=None)
    for second in range(20):
        load = 0.95 if second % 4 in (1, 2) else 0.3
        guard.judge(at_cold_load(load), WORKERS, float(second))
    assert not guard.has_stepped_back
    assert guard.cutoffs == CUTOFFS


def test_alike_requests_make_it_step_back() -> None:
    guard = judged(Traffic.of([0.02, 0.03] * 500, 10.0), at_cold_load(0.3))
    assert not guard.has_stepped_back
    stepped, returned = guard.notices()
    assert "too alike: the squared coefficient of variation of the service time is 0.04" in stepped
    assert returned.startswith("at 20.0 s: returned to tiers: the largest offered load is 0.30 (cold)")


def test_the_training_trace_may_settle_it_before_the_first_request() -> None:
    guard = Guard(CUTOFFS, variability=LEAST_VARIABILITY / 2)
    assert guard.has_stepped_back
    assert guard.notices()[0].startswith("from the training trace: stepped back")
    guard.judge(at_cold_load(0.3), WORKERS, 1.0)
    assert not guard.has_stepped_back


def test_cutoffs_are_moved_before_it_steps_back() -> None:
    # What was taken for warm has become more; beside it the cold tier idles.
    drifted = Traffic.of([0.001] * 9000 + [0.02, 0.025, 0.03, 0.045] * 250 + [0.2] * 40, 380.0)
    guard = judged(drifted)
    assert not guard.has_stepped_back
    assert guard.cutoffs.warm_s < CUTOFFS.warm_s
    notice = guard.notices()[0]
    assert notice.startswith("at 12.0 s: moved the cut-offs from 10/50 ms to 10/")
    assert "the warm tier's offered load was 1.14, the largest is now 0.71" in notice


def test_cutoffs_come_back_when_the_drift_is_over() -> None:
    drifted = Traffic.of([0.001] * 9000 + [0.02, 0.025, 0.03, 0.045] * 250 + [0.2] * 40, 380.0)
    guard = judged(drifted, at_cold_load(0.3))
    assert guard.cutoffs == CUTOFFS
    assert "at 20.0 s: took the cut-offs of the training trace again, 10/50 ms" in guard.notices()


def test_long_requests_that_pay_are_named_and_tiers_stay() -> None:
    small = {"hot": 3, "warm": 1, "cold": 1}
    guard = Guard(CUTOFFS, variability=None)
    traffic = Traffic.of(MIX * 100, 0.6 / 0.05)
    for at_s in (1.0, 2.0):
        guard.judge(traffic, small, at_s)
    assert not guard.has_stepped_back
    [notice] = guard.notices()
    assert "long requests pay for short ones: their p95 is expected at" in notice
    guard.judge(traffic, {"hot": 1, "warm": 1, "cold": 3}, 3.0)
    assert "no longer pay" in guard.notices()[-1]


def test_a_tier_of_long_requests_that_cannot_keep_up_is_said_without_a_figure() -> None:
    guard = Guard(CUTOFFS, variability=None)
    guard.judge(Traffic.of([0.001] * 19 + [0.1], 210.0), {"hot": 3, "cold": 1}, 1.0)
    [notice] = guard.notices()
    assert "pay for short ones: their tier cannot keep up, and one shared queue could; give" in notice


def test_a_pool_without_all_tiers_is_judged_by_what_it_has() -> None:
    guard = Guard(CUTOFFS, variability=None)
    look(guard, at_cold_load(0.95), {"hot": 2, "cold": 2}, 10.0)
    assert guard.has_stepped_back


def test_two_tiers_are_enough_to_be_warned() -> None:
    guard = Guard(CUTOFFS, variability=None)
    traffic = Traffic.of([0.001] * 9500 + [0.1] * 500, 1.6 / 0.00595)
    guard.judge(traffic, {"hot": 2, "cold": 2}, 10.0)
    assert not guard.has_stepped_back
    [notice] = guard.notices()
    assert "long requests pay" in notice


def test_only_the_last_notices_are_kept() -> None:
    guard = judged(*[at_cold_load(0.95), at_cold_load(0.3)] * KEPT_NOTICES)
    assert len(guard.notices()) == KEPT_NOTICES
    assert guard.notices()[-1].startswith(f"at {20.0 * KEPT_NOTICES:.1f} s: returned")
