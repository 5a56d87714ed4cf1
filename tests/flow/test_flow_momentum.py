"""Momentum: how it decays, how steps raise it, and that reading it changes nothing."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.flow.moments import seconds_of, text_of
from tiergate.flow.momentum import STEPS_KEPT, decayed, momentum_of, progressed, raised
from tiergate.flow.notes import notes_of
from tiergate.model import Status, Task, decode_task, encode
from tiergate.operation import OperationError

SHARES = st.floats(0, 1)
AGES = st.floats(0, 1e9)
NOW, HOUR = 1_800_000_000.0, 3600.0


def task(name: str, weight: float = 1.0, **fields: Any) -> Task:
    return Task(id=name, title=f"Task {name}", weight=weight, **fields)


def test_a_half_life_halves_it_whatever_it_is() -> None:
    assert decayed(0.8, HOUR, HOUR) == 0.4
    assert decayed(0.8, 600.0, 300.0) == pytest.approx(0.2)
    assert decayed(0.8, -5.0, 300.0) == 0.8


@given(SHARES, AGES, AGES, st.floats(1, 1e6))
def test_decay_in_two_parts_is_decay_at_once(
    momentum: float, one: float, two: float, half_life: float
) -> None:
    parts = decayed(decayed(momentum, one, half_life), two, half_life)
    assert math.isclose(parts, decayed(momentum, one + two, half_life), rel_tol=1e-6, abs_tol=1e-12)


@given(SHARES, SHARES)
def test_a_step_raises_and_stays_a_share(momentum: float, amount: float) -> None:
    assert momentum - 1e-12 <= raised(momentum, amount) <= 1.0


def test_stored_momentum_decays_from_its_moment_however_often_it_is_read() -> None:
    moved = progressed(task("a"), 0.5, NOW)
    assert moved.momentum == 0.5
    assert momentum_of(moved, NOW) == 0.5
    for _ in range(3):
        assert momentum_of(moved, NOW + HOUR) == pytest.approx(0.25)
    assert momentum_of(moved, NOW + 60, half_life_s=60) == pytest.approx(0.25)
    again = progressed(moved, 0.5, NOW + HOUR)
    assert again.momentum == pytest.approx(0.625)  # half of 0.75 that was missing, beside the 0.25 left
    assert momentum_of(again, NOW) == pytest.approx(0.5)  # as it was then
    assert momentum_of(again, NOW - 1) == 0.0


def test_an_edit_of_something_else_does_not_make_it_young_again() -> None:
    moved = progressed(task("a"), 0.5, NOW)
    edited = msgspec.structs.replace(moved, title="Another", updated_at=text_of(NOW + HOUR))
    assert momentum_of(edited, NOW + HOUR) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"updated_at": text_of(NOW - HOUR), "created_at": text_of(NOW - 5 * HOUR)}, 0.4),
        ({"created_at": text_of(NOW - 2 * HOUR)}, 0.2),
        ({"updated_at": "yesterday", "created_at": text_of(NOW - HOUR)}, 0.4),
        ({}, 0.8),
        ({"updated_at": text_of(NOW + HOUR)}, 0.8),
        ({"extra": {"flow": "of somebody else"}}, 0.8),
    ],
)
def test_momentum_that_others_wrote_decays_from_the_best_known_moment(
    fields: dict[str, object], expected: float
) -> None:
    assert momentum_of(task("a", momentum=0.8, **fields), NOW) == pytest.approx(expected)


def test_momentum_out_of_range_is_held_in_it() -> None:
    assert momentum_of(task("a", momentum=7.0), NOW) == 1.0
    assert momentum_of(task("a", momentum=-7.0), NOW) == 0.0


def test_progress_is_kept_with_the_task() -> None:
    moved = progressed(progressed(task("a", extra={"x": 1}), 0.25, NOW), 0.25, NOW + 60)
    assert (moved.status, moved.updated_at, moved.extra["x"]) == (Status.ACTIVE, text_of(NOW + 60), 1)
    assert notes_of(moved).done == 0.5
    assert notes_of(moved).steps == ((text_of(NOW), 0.25), (text_of(NOW + 60), 0.25))
    assert decode_task(encode(moved)) == moved
    done = progressed(moved, 0.1, NOW + 120, done=True)
    assert (done.status, notes_of(done).done, notes_of(done).steps[-1][1]) == (Status.COMPLETED, 1.0, 0.5)


def test_a_step_before_the_last_one_counts_at_its_moment() -> None:
    moved = progressed(progressed(task("a"), 0.5, NOW), 0.5, NOW - HOUR)
    assert moved.updated_at == text_of(NOW)
    assert moved.momentum == 0.75


def test_only_the_last_steps_are_kept_and_momentum_knows_the_others() -> None:
    moved = task("a")
    for number in range(3 * STEPS_KEPT):
        moved = progressed(moved, 0.1, NOW + number)
    assert len(notes_of(moved).steps) == STEPS_KEPT
    assert moved.momentum > 1 - 0.9**STEPS_KEPT
    assert notes_of(moved).done == 1.0


@pytest.mark.parametrize("theirs", ["text", {"steps": "none"}, {"colour": "red"}, 7])
def test_a_field_of_somebody_else_is_not_overwritten(theirs: object) -> None:
    with pytest.raises(OperationError, match="extra field 'flow' that the flow balancer did not write"):
        progressed(task("a", extra={"flow": theirs}), 0.5, NOW)


@given(st.integers(-62_000_000_000, 250_000_000_000))
def test_moments_come_back(seconds: int) -> None:
    assert seconds_of(text_of(seconds)) == seconds


def test_texts_that_are_times_and_others() -> None:
    assert seconds_of("2027-01-15T08:00:00Z") == NOW
    assert seconds_of("2027-01-15T09:30:00+01:30") == NOW
    assert seconds_of("2027-01-15T08:00:00") == NOW
    assert [seconds_of(other) for other in (None, "", "soon", 7, "2027-13-01")] == [None] * 5
    assert text_of(1e300).startswith("9999-12-31")
    assert text_of(-1e300).startswith("0001-01-01")
    assert text_of(NOW + 0.25) == "2027-01-15T08:00:00.250000Z"
