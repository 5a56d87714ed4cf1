"""Flow states: thresholds, hysteresis, what each state means, and replays of the past."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.flow import FlowState
from tiergate.flow.moments import text_of
from tiergate.flow.momentum import decayed, progressed, raised
from tiergate.flow.outlook import outlook
from tiergate.flow.state import ENTER, LEAVE, STEP_GAIN, Track, follow, settled, state_of, track_of
from tiergate.flow.steps import BEGUN, all_steps, as_of, steps_of
from tiergate.model import Status, Task

NOW, HOUR = 1_800_000_000.0, 3600.0

STEPS = st.lists(st.tuples(st.floats(0, 20 * HOUR), st.floats(0, 1)), max_size=20).map(sorted)


def task(name: str, **fields: Any) -> Task:
    return Task(id=name, title=f"Task {name}", **fields)


def done(name: str, at: float, **fields: Any) -> Task:
    """A task that was completed some seconds from `NOW`."""
    return task(name, status=Status.COMPLETED, updated_at=text_of(NOW + at), **fields)


def state(tasks: list[Task], now: float = NOW) -> FlowState:
    return outlook(tasks, now).state


def test_thresholds_leave_room_between_entering_and_leaving() -> None:
    assert list(ENTER) == sorted(ENTER)
    assert all(leave < enter for leave, enter in zip(LEAVE, ENTER, strict=True))
    for level, (leave, enter) in enumerate(zip(LEAVE, ENTER, strict=True), start=1):
        between = (leave + enter) / 2
        assert settled(level, between) >= level  # who is there stays
        assert settled(level - 1, between) == level - 1  # who is not does not come


@given(st.integers(0, 3), st.floats(0, 1))
def test_a_settled_level_is_settled(level: int, momentum: float) -> None:
    found = settled(level, momentum)
    assert settled(found, momentum) == found
    assert found == 0 or momentum >= LEAVE[found - 1]
    assert found == 3 or momentum < ENTER[found]


def by_small_steps(steps: list[tuple[float, float]], now: float) -> tuple[float, int]:
    """The oracle: look at momentum every second, as somebody with a clock would."""
    momentum, level = 0.0, 0
    pending = list(steps)
    for second in range(int(now) + 1):
        momentum *= 0.5 ** (1 / HOUR)
        level = settled(level, momentum)
        while pending and pending[0][0] <= second:
            momentum += pending.pop(0)[1] * STEP_GAIN * (1 - momentum)
            level = settled(level, momentum)
    return momentum, level


def test_a_replay_by_events_is_that_of_a_clock() -> None:
    steps = [(0.0, 1.0), (900.0, 1.0), (1800.0, 0.5), (9000.0, 0.4), (9001.0, 1.0), (20_000.0, 1.0)]
    for now in range(0, 30_000, 1234):
        found = next(follow([one for one in steps if one[0] <= now], [float(now)], HOUR))
        momentum, level = by_small_steps(steps, now)
        assert found.momentum == pytest.approx(momentum, rel=2e-3)
        assert found.level == level


@given(STEPS, st.lists(st.floats(0, 30 * HOUR), min_size=1, max_size=10).map(sorted))
def test_looking_in_between_changes_nothing(steps: list[tuple[float, float]], moments: list[float]) -> None:
    last = moments[-1]
    assert list(follow(steps, moments, HOUR))[-1] == next(follow(steps, [last], HOUR))
    assert 0.0 <= next(follow(steps, [last], HOUR)).momentum <= 1.0


def test_when_a_level_was_entered_and_left() -> None:
    one = next(follow([(100.0, 1.0)], [200.0], HOUR))
    assert (one.level, one.since) == (2, 100.0)
    later = next(follow([(100.0, 1.0)], [100.0 + 2 * HOUR], HOUR))
    assert later.level == 1
    assert later.since is not None
    assert decayed(0.5, later.since - 100.0, HOUR) == pytest.approx(LEAVE[1])
    assert next(follow([], [5.0], HOUR)) == Track(0.0, 0, None)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([], "idle"),
        ([task("a")], "idle"),
        ([task("a", status=Status.BLOCKED)], "stalled"),
        ([task("a", dependencies=("b",)), task("b", status=Status.BLOCKED)], "stalled"),
        ([task("a"), done("b", -100 * HOUR)], "idle"),
        ([task("a", status=Status.ACTIVE), done("b", -100 * HOUR)], "stalled"),
        ([task("a", status=Status.ACTIVE, updated_at=text_of(NOW - 60))], "warming"),
        ([task("a", status=Status.ACTIVE, updated_at=text_of(NOW - 3 * HOUR))], "stalled"),
        ([task("a"), done("b", -60)], "flowing"),
        ([task("a"), done("b", -60), done("c", -50), done("d", -40)], "deep"),
        ([done("b", -60), task("a", status=Status.ABANDONED)], "done"),
        ([task("a", status=Status.ABANDONED)], "done"),
        # completed later than the moment that is asked about
        ([task("a"), done("b", 60)], "idle"),
    ],
)
def test_what_each_state_means(tasks: list[Task], expected: str) -> None:
    assert state(tasks) == expected


def test_hysteresis_on_the_way_down() -> None:
    tasks = [task("a"), *(done(name, 0) for name in "bcd")]
    seen = [state(tasks, NOW + hours * HOUR) for hours in (0, 0.4, 0.6, 1, 1.6, 3, 4)]
    assert seen == ["deep", "deep", "flowing", "flowing", "warming", "warming", "idle"]
    # The same momentum on the way up is a lower state.
    momentum = track_of(tasks, NOW + 0.4 * HOUR, HOUR).momentum
    assert LEAVE[2] < momentum < ENTER[2]
    assert settled(0, momentum) == 2


def test_what_a_task_tells_without_reports() -> None:
    assert steps_of(done("a", 0)) == [(NOW, 1.0)]
    assert steps_of(done("a", 9, extra={"closed_at": text_of(NOW)})) == [(NOW, 1.0)]
    assert steps_of(task("a", status=Status.ACTIVE, updated_at=text_of(NOW))) == [(NOW, BEGUN)]
    assert steps_of(task("a", status=Status.COMPLETED)) == []
    assert steps_of(task("a", updated_at=text_of(NOW))) == []
    assert steps_of(task("a", status=Status.ABANDONED, updated_at=text_of(NOW))) == []


def test_a_report_is_counted_once() -> None:
    moved = progressed(progressed(task("a"), 0.5, NOW), 0.0, NOW + 60, done=True)
    assert steps_of(moved) == [(NOW, 0.5), (NOW + 60, 0.5)]
    assert all_steps([moved, done("b", 30)], NOW + 60) == [(NOW, 0.5), (NOW + 30, 1.0), (NOW + 60, 0.5)]
    assert all_steps([moved], NOW) == [(NOW, 0.5)]


def test_the_past_is_known_without_what_came_after() -> None:
    moved = progressed(
        progressed(task("a", created_at=text_of(NOW - 60)), 0.5, NOW), 0, NOW + HOUR, done=True
    )
    late = task("late", created_at=text_of(NOW + 5))
    shut = done("shut", 60, created_at=text_of(NOW - 60), extra={"closed_at": text_of(NOW + 60), "x": 1})
    before = {one.id: one for one in as_of([moved, late, shut], NOW + 1)}
    assert before.keys() == {"a", "shut"}
    assert (before["a"].status, steps_of(before["a"])) == (Status.ACTIVE, [(NOW, 0.5)])
    assert (before["shut"].status, before["shut"].extra) == (Status.QUEUED, {"x": 1})
    assert as_of([moved, shut], NOW + 2 * HOUR) == [moved, shut]
    assert state_of(as_of([moved], NOW + 1), track_of(as_of([moved], NOW + 1), NOW + 1, HOUR)) == "warming"


def test_an_outlook_says_what_moves_and_where_it_goes() -> None:
    moved = progressed(task("a"), 0.5, NOW)
    waits = task("b", dependencies=("a",))
    found = outlook([moved, waits, task("c", status=Status.BLOCKED)], NOW + HOUR)
    assert [(one.task, one.momentum) for one in found.moving] == [("a", pytest.approx(0.25))]
    assert found.momentum == pytest.approx(raised(0.0, 0.5 * STEP_GAIN) / 2)
    assert found.tasks == {"queued": 1, "active": 1, "blocked": 1, "completed": 0, "abandoned": 0}
    assert [one.task for one in found.soon_ready] == ["b"]
    assert found.since == text_of(NOW)
    assert outlook([moved], NOW).trend == "rising"
    assert outlook([done("a", 0), task("b")], NOW + HOUR).trend == "falling"
    assert outlook([task("b")], NOW).trend == "steady"
    assert outlook([done("a", 0), done("b", 60)], NOW + HOUR).since == text_of(NOW + 60)


@given(st.permutations([done("a", -60), done("b", -50), task("c"), task("d", dependencies=("c",))]))
def test_an_outlook_does_not_depend_on_the_order_of_tasks(tasks: list[Task]) -> None:
    assert outlook(tasks, NOW) == outlook(sorted(tasks, key=lambda one: one.id), NOW)
