"""The Theil-Sen line, and what is expected of requests."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.operation import Scope
from tiergate.routing import Observation, RequestFacts
from tiergate_plugins.routing.estimate import MAX_POINTS, Line, ServiceTimeEstimate, fit_line


def seen(operation: str, read_bytes: int, service_s: float, scope: Scope = Scope.SESSION) -> Observation:
    return Observation(facts(operation, read_bytes, scope), service_s)


def facts(operation: str, read_bytes: int, scope: Scope = Scope.SESSION) -> RequestFacts:
    return RequestFacts(
        request=0,
        operation=operation,
        session="s",
        arguments={},
        payload_bytes=0,
        scope=scope,
        read_tasks=1,
        read_bytes=read_bytes,
        writes=False,
    )


@given(
    st.lists(st.integers(0, 10**7), min_size=2, max_size=200, unique=True),
    st.floats(0, 1),
    st.floats(0, 1e-6),
)
def test_an_exact_line_is_found(sizes: list[int], fixed_s: float, per_byte_s: float) -> None:
    line = fit_line([(size, fixed_s + per_byte_s * size) for size in sizes])
    for size in (0, min(sizes), max(sizes)):
        assert line.at(size) == pytest.approx(fixed_s + per_byte_s * size, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("points", [20, 60, 119, 500])
@pytest.mark.parametrize("seed", range(3))
def test_a_fifth_of_outliers_does_not_move_the_line(points: int, seed: int) -> None:
    random = Random(seed)
    sizes = [random.randrange(1_000, 1_000_000) for _ in range(points)]
    true = Line(0.002, 1e-8)
    outliers = set(random.sample(range(points), points // 5))
    measured = [
        (size, 5.0 + random.random() if number in outliers else true.at(size) * random.uniform(0.98, 1.02))
        for number, size in enumerate(sizes)
    ]
    line = fit_line(measured)
    assert line.per_byte_s == pytest.approx(true.per_byte_s, rel=0.2)
    assert line.at(500_000) == pytest.approx(true.at(500_000), rel=0.1)


def test_a_single_size_is_taken_as_proportional() -> None:
    line = fit_line([(200, 0.1), (200, 0.4), (200, 0.2)])
    assert line.fixed_s == 0.0
    assert [line.at(200), line.at(600)] == pytest.approx([0.2, 0.6])


def test_nothing_read_is_a_constant() -> None:
    assert fit_line([(0, 0.3), (0, 0.1), (0, 0.2)]) == Line(0.2, 0.0)


def test_one_point() -> None:
    assert fit_line([(100, 0.5)]).at(100) == 0.5
    assert fit_line([(0, 0.5)]).at(1000) == 0.5


def test_reading_more_never_costs_less() -> None:
    line = fit_line([(1, 3.0), (2, 2.0), (3, 1.0)])
    assert line == Line(2.0, 0.0)


def test_no_time_below_zero() -> None:
    assert Line(-1.0, 0.001).at(10) == 0.0


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 100)), min_size=1, max_size=150))
def test_any_points_give_a_line_that_does_not_fall(points: list[tuple[int, float]]) -> None:
    line = fit_line(points)
    sizes = sorted(size for size, _ in points)
    times = [line.at(size) for size in sizes]
    assert times == sorted(times)
    assert min(times) >= 0.0


@given(st.permutations([(size, 0.01 * size + (size % 7)) for size in range(1, 2 * MAX_POINTS + 20)]))
def test_the_order_of_points_does_not_matter(points: Sequence[tuple[int, float]]) -> None:
    assert fit_line(points) == fit_line(sorted(points))


def test_each_operation_and_scope_has_its_own_line() -> None:
    estimate = ServiceTimeEstimate(
        [seen("get", size, 0.001) for size in (10, 20, 30)]
        + [seen("search", size, size * 0.01) for size in (10, 20, 30)]
        + [seen("search", 1000, 50.0, Scope.STORE)]
    )
    assert estimate.expect(facts("get", 1000)).seconds == pytest.approx(0.001)
    assert estimate.expect(facts("search", 100)).seconds == pytest.approx(1.0)
    assert estimate.expect(facts("search", 2000, Scope.STORE)).seconds == pytest.approx(100.0)


def test_an_operation_never_seen_is_taken_as_the_median_request() -> None:
    training = [seen("get", size, time) for size, time in ((1, 0.1), (2, 0.2), (3, 9.0))]
    assert ServiceTimeEstimate(training).expect(facts("other", 5)).seconds == 0.2
    assert ServiceTimeEstimate(training).expect(facts("get", 5, Scope.STORE)).seconds == 0.2
    assert ServiceTimeEstimate([]).expect(facts("get", 5)).seconds == 0.0
