"""The line that is learned online, its uncertainty, and what is expected of requests."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.operation import Scope
from tiergate.routing import Cutoffs, Observation, RequestFacts
from tiergate.testing import make_facts
from tiergate_plugins.routing import learned
from tiergate_plugins.routing.expectation import Expectation, student_below
from tiergate_plugins.routing.learned import LearnedTimes
from tiergate_plugins.routing.regression import Regression

CUTOFFS = Cutoffs(hot_s=0.01, warm_s=0.1)


def reading(operation: str, read_bytes: int, scope: Scope = Scope.SESSION) -> RequestFacts:
    return make_facts(0, operation=operation, read_bytes=read_bytes, scope=scope)


def noisy(operation: str, random: Random, count: int, per_byte_s: float = 1e-7) -> list[Observation]:
    sizes = [int(10 ** random.uniform(4, 7)) for _ in range(count)]
    return [
        Observation(reading(operation, size), size * per_byte_s * random.lognormvariate(0.0, 0.2))
        for size in sizes
    ]


def test_a_line_and_its_noise_are_found() -> None:
    random = Random(1)
    line = Regression(forgetting=1.0)
    for _ in range(2000):
        x = random.uniform(0.0, 10.0)
        line.add(x, 3.0 + 0.7 * x + random.gauss(0.0, 0.1))
    for x in (0.0, 5.0, 10.0):
        found = line.at(x)
        assert found is not None
        assert found.centre == pytest.approx(3.0 + 0.7 * x, abs=0.02)
        assert found.scale == pytest.approx(0.1, rel=0.1)


def test_the_first_points_agree_with_the_conjugate_posterior() -> None:
    # The same by matrices: flat in the level, normal in the slope around 0.5 with a precision of 1,
    # inverse gamma in the variance with 2 points of standard deviation 0.3.
    line = Regression(forgetting=1.0)
    xs, ys = (1.0, 2.0, 4.0), (0.9, 1.8, 2.6)
    for x, y in zip(xs, ys, strict=True):
        line.add(x, y)
    mean_x, mean_y = sum(xs) / 3, sum(ys) / 3
    xx = sum((x - mean_x) ** 2 for x in xs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    slope = (xy + 0.5) / (xx + 1)
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    rest += (slope - 0.5) ** 2 + 2 * 0.3**2
    found = line.at(3.0)
    assert found is not None
    assert found.centre == pytest.approx(mean_y + slope * (3.0 - mean_x))
    assert found.freedom == pytest.approx(4.0)
    variance = rest / 4 * (1 + 1 / 3 + (3.0 - mean_x) ** 2 / (xx + 1))
    assert found.scale == pytest.approx(math.sqrt(variance))


def test_it_forgets_what_is_long_past() -> None:
    line = Regression(forgetting=0.99)
    for number in range(2000):
        line.add(float(number % 10), 0.0 if number < 1000 else 5.0)
    found = line.at(5.0)
    assert found is not None
    assert found.centre == pytest.approx(5.0, abs=0.1)
    assert line.weight == pytest.approx(100.0, rel=0.01)


def test_a_pause_of_the_machine_does_not_turn_the_line() -> None:
    line = Regression(forgetting=0.998)
    random = Random(2)
    for _ in range(300):
        line.add(random.uniform(0, 10), random.gauss(0.0, 0.1))
    before = line.at(5.0)
    line.add(5.0, 10.0)
    after = line.at(5.0)
    assert before is not None
    assert after is not None
    assert after.centre == pytest.approx(before.centre, abs=0.01)


def test_a_steep_line_of_near_points_is_not_drawn_out_to_far_ones() -> None:
    line = Regression(forgetting=1.0)
    for number in range(20):
        line.add(7.0 + 0.1 * number, 3.0 * 0.1 * number)
    within, beyond = line.at(8.9), line.at(8.9 + 6.0)
    assert within is not None
    assert beyond is not None
    assert within.centre > 3.5, "among the points the slope is theirs"
    assert beyond.centre == pytest.approx(within.centre + 6.0)


@given(st.lists(st.tuples(st.floats(0, 40), st.floats(-21, 14)), min_size=1, max_size=60))
def test_any_points_give_a_prediction_that_does_not_fall(points: list[tuple[float, float]]) -> None:
    line = Regression(forgetting=0.998)
    for x, y in points:
        line.add(x, y)
    predictions = [line.at(x) for x in (0.0, 10.0, 40.0)]
    centres = [found.centre for found in predictions if found is not None]
    assert len(centres) == 3
    assert centres == sorted(centres)
    assert all(math.isfinite(found.scale) and found.scale > 0 for found in predictions if found is not None)


@pytest.mark.parametrize(
    ("value", "freedom", "below"),
    [
        (0.0, 3, 0.5),
        (1.638, 3, 0.9),
        (2.353, 3, 0.95),
        (-2.015, 5, 0.05),
        (2.228, 10, 0.975),
        (1.96, 1e6, 0.975),
    ],
)
def test_student_against_tables(value: float, freedom: float, below: float) -> None:
    assert student_below(value, freedom) == pytest.approx(below, abs=0.006)


@given(st.floats(1e-6, 100.0), st.floats(0.01, 5.0), st.floats(2.0, 500.0))
def test_the_most_probable_tier_is_chosen(seconds: float, spread: float, freedom: float) -> None:
    expected = Expectation(seconds, spread, freedom)
    chances = expected.chances(CUTOFFS)
    assert sum(chances) == pytest.approx(1.0)
    assert min(chances) >= 0.0
    chosen = chances[("hot", "warm", "cold").index(expected.tier(CUTOFFS))]
    assert chosen >= max(chances) - 1e-6
    assert (expected.factor() or 0.0) >= 1.0


def test_a_median_alone_is_taken_at_its_word() -> None:
    expected = Expectation(0.02)
    assert expected.tier(CUTOFFS) == "warm"
    assert expected.chances(CUTOFFS) == (0.0, 1.0, 0.0)
    assert expected.factor() is None


def test_the_uncertainty_is_honest() -> None:
    random = Random(3)
    times = LearnedTimes(noisy("scan", random, 200))
    inside = 0
    for seen in noisy("scan", random, 1000):
        expected = times.expect(seen.facts)
        factor = expected.factor()
        assert factor is not None
        inside += expected.seconds / factor <= seen.service_s <= expected.seconds * factor
    assert 0.92 <= inside / 1000 <= 0.98


def test_it_learns_from_what_follows() -> None:
    random = Random(4)
    times = LearnedTimes(noisy("scan", random, 100, per_byte_s=1e-8))
    before = times.expect(reading("scan", 10**6)).seconds
    for seen in noisy("scan", random, 2000, per_byte_s=1e-6):
        times.learn(seen.facts, seen.service_s)
    after = times.expect(reading("scan", 10**6)).seconds
    assert before == pytest.approx(0.01, rel=0.2)
    assert after == pytest.approx(1.0, rel=0.2)


def test_an_operation_never_seen_is_like_the_others_but_less_sure() -> None:
    times = LearnedTimes([*noisy("scan", Random(5), 100), *noisy("path", Random(6), 100, per_byte_s=1e-8)])
    known = times.expect(reading("scan", 10**6))
    unknown = times.expect(reading("other", 10**6))
    assert 0.01 < unknown.seconds < 0.1
    assert (unknown.factor() or 0.0) > 3 * (known.factor() or 0.0)
    assert unknown.basis == "other operations that read a session"
    assert times.expect(reading("other", 10**6, Scope.STORE)).basis == "requests of every kind"


def test_a_few_points_of_its_own_are_enough() -> None:
    times = LearnedTimes(noisy("scan", Random(7), 300))
    for seen in noisy("quick", Random(8), 5, per_byte_s=1e-9):
        times.learn(seen.facts, seen.service_s)
    expected = times.expect(reading("quick", 10**6))
    assert expected.seconds < 0.02
    assert expected.basis == "requests of this operation and scope"


def test_a_fresh_router_does_not_expect_hours_of_the_first_long_request() -> None:
    """Writes take longer than reads of the same size, which a line over both takes for a matter of size."""
    times = LearnedTimes([])
    for number in range(30):
        times.learn(reading("task_get", 450 + number, Scope.TASK), 0.0003)
        times.learn(reading("task_update", 600 + number, Scope.TASK), 0.004)
    times.learn(reading("plan", 5000), 0.1)
    expected = times.expect(reading("search", 1_500_000, Scope.STORE))
    assert expected.basis == "requests of every kind"
    assert 0.1 < expected.seconds < 100


def loaded(alone_s: float, added_s: float, seed: int = 5) -> LearnedTimes:
    """Three operations of different lengths that each take `added_s` longer than in training."""
    random = Random(seed)
    lengths = {"short": alone_s, "middle": 10 * alone_s, "long": 1000 * alone_s}
    training = [
        Observation(reading(name, 50_000), seconds * random.lognormvariate(0.0, 0.05))
        for name, seconds in lengths.items()
        for _ in range(100)
    ]
    times = LearnedTimes(training)
    for _ in range(1500):
        for name, seconds in lengths.items():
            times.learn(reading(name, 50_000), seconds * random.lognormvariate(0.0, 0.05) + added_s)
    return times


def test_what_load_adds_to_every_request_moves_none_to_another_tier() -> None:
    cutoffs = Cutoffs(hot_s=100e-6, warm_s=20e-3)
    times = loaded(alone_s=40e-6, added_s=80e-6)
    assert [times.expect(reading(name, 50_000)).tier(cutoffs) for name in ("short", "middle", "long")] == [
        "hot",
        "warm",
        "cold",
    ]
    assert times.expect(reading("short", 50_000)).seconds == pytest.approx(40e-6, rel=0.3)


def test_an_operation_that_becomes_slower_itself_is_moved() -> None:
    cutoffs = Cutoffs(hot_s=100e-6, warm_s=20e-3)
    times = loaded(alone_s=40e-6, added_s=0.0)
    for _ in range(1500):
        times.learn(reading("short", 50_000), 400e-6)
        times.learn(reading("middle", 50_000), 400e-6)
    assert times.expect(reading("short", 50_000)).tier(cutoffs) == "warm"


def test_a_machine_that_became_faster_takes_nothing_off() -> None:
    times = loaded(alone_s=400e-6, added_s=-200e-6)
    assert times.expect(reading("short", 50_000)).seconds == pytest.approx(200e-6, rel=0.1)


def test_without_anything_seen_nothing_is_expected() -> None:
    assert LearnedTimes([]).expect(reading("scan", 10**6)).seconds == 0.0


def test_the_order_of_training_does_not_decide_for_short_ones() -> None:
    seen = [*noisy("scan", Random(9), 40), *noisy("path", Random(10), 40, per_byte_s=1e-8)]
    forward, backward = LearnedTimes(seen), LearnedTimes(seen[::-1])
    for operation in ("scan", "path"):
        asked = reading(operation, 10**6)
        assert forward.expect(asked).seconds == pytest.approx(backward.expect(asked).seconds, rel=0.1)


@pytest.mark.parametrize("service_s", [math.inf, -math.inf, math.nan, -1.0])
def test_a_time_that_cannot_be_one_is_passed_over(service_s: float) -> None:
    times = LearnedTimes(noisy("scan", Random(11), 50))
    before = times.expect(reading("scan", 10**6))
    times.learn(reading("scan", 10**6), service_s)
    assert times.expect(reading("scan", 10**6)) == before


@pytest.mark.parametrize("service_s", [0.0, 5e-324, 1e300])
def test_extreme_times_leave_finite_expectations(service_s: float) -> None:
    times = LearnedTimes([])
    for _ in range(50):
        times.learn(reading("scan", 10**12), service_s)
    expected = times.expect(reading("scan", 0))
    assert math.isfinite(expected.seconds)
    assert math.isfinite(expected.factor() or math.inf)


def test_there_are_only_so_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "MAX_LINES", 3)
    times = LearnedTimes([])
    for number in range(5):
        times.learn(reading(f"operation {number}", 100), 0.01)
    assert times.expect(reading("operation 2", 100)).basis == "requests of this operation and scope"
    assert times.expect(reading("operation 3", 100)).basis == "other operations that read a session"
