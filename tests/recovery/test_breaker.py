"""The circuit breaker: a state machine under a given clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_calls import CRASH, REFUSAL, Clock, Noted, answered, made_call, unanswered

from tiergate.dispatch import Call, Outcome, Shed
from tiergate.pool import PoolError
from tiergate.recovery.breaker import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    MIN_FAILURES,
    WINDOW_S,
    Breaker,
    is_failure,
)

FOLLOWS = {
    "breaker-open": {"breaker-half-open"},
    "breaker-half-open": {"breaker-half-open", "breaker-open", "breaker-closed"},
    "breaker-closed": {"breaker-open"},
}


def made() -> tuple[Breaker, Clock, Noted]:
    clock, noted = Clock(), Noted()
    return Breaker(noted, clock), clock, noted


def run(breaker: Breaker, *, fails: bool, operation: str = "task_get") -> Call:
    """Have a call admitted and end."""
    call = made_call(operation)
    breaker.admit(call)
    breaker.learn(answered(call, CRASH if fails else None))
    return call


def opened() -> tuple[Breaker, Clock, Noted]:
    breaker, clock, noted = made()
    for _ in range(MIN_FAILURES):
        run(breaker, fails=True)
    return breaker, clock, noted


def test_it_opens_after_failures_and_says_why_and_until_when() -> None:
    breaker, _, noted = opened()
    with pytest.raises(Shed, match=r"kept failing.*OperationCrashed: it failed.*try again in 5 s"):
        breaker.admit(made_call())
    assert noted.kinds == ["breaker-open"]
    assert breaker.troubles() == [f"task_get is turned away: {noted.causes[0]}"]


def test_other_operations_go_on() -> None:
    breaker, _, _ = opened()
    assert run(breaker, fails=False, operation="search").outcome is Outcome.ANSWERED


def test_one_call_tries_and_closes_it() -> None:
    breaker, clock, noted = opened()
    clock.now += FIRST_PAUSE_S
    probe = made_call()
    breaker.admit(probe)
    with pytest.raises(Shed):
        breaker.admit(made_call())
    breaker.learn(answered(probe))
    run(breaker, fails=False)
    assert noted.kinds == ["breaker-open", "breaker-half-open", "breaker-closed"]
    assert breaker.troubles() == []


def test_each_failed_trial_doubles_the_pause_up_to_a_limit() -> None:
    breaker, clock, _ = opened()
    pause = FIRST_PAUSE_S
    for _ in range(8):
        clock.now += pause - 0.01
        with pytest.raises(Shed):
            breaker.admit(made_call())
        clock.now += 0.01
        run(breaker, fails=True)
        pause = min(LONGEST_PAUSE_S, 2 * pause)
    assert pause == LONGEST_PAUSE_S


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.OVERLOADED])
def test_a_trial_that_tells_nothing_lets_the_next_one_try(outcome: Outcome) -> None:
    breaker, clock, _ = opened()
    clock.now += FIRST_PAUSE_S
    probe = made_call()
    breaker.admit(probe)
    breaker.learn(unanswered(probe, outcome))
    run(breaker, fails=False)
    assert breaker.troubles() == []


def test_calls_of_before_that_end_late_change_nothing() -> None:
    breaker, clock, noted = made()
    late = [made_call() for _ in range(3)]
    for call in late:
        breaker.admit(call)
    for _ in range(MIN_FAILURES):
        run(breaker, fails=True)
    clock.now += FIRST_PAUSE_S
    probe = made_call()
    breaker.admit(probe)
    for call in late:
        breaker.learn(answered(call, CRASH))
    breaker.learn(answered(probe))
    assert noted.kinds[-1] == "breaker-closed"


def test_failures_are_forgotten_after_the_window() -> None:
    breaker, clock, noted = made()
    for _ in range(MIN_FAILURES - 1):
        run(breaker, fails=True)
    clock.now += WINDOW_S + 1
    run(breaker, fails=True)
    assert noted.kinds == []


def test_failures_that_are_few_among_many_do_not_open_it() -> None:
    breaker, _, noted = made()
    for number in range(300):
        run(breaker, fails=number % 3 == 2)
    assert noted.kinds == []


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT])
def test_what_the_server_is_to_blame_for_counts(outcome: Outcome) -> None:
    assert is_failure(unanswered(made_call(), outcome))
    assert is_failure(answered(made_call(), CRASH))


def test_what_the_caller_is_to_blame_for_does_not_count() -> None:
    assert not is_failure(answered(made_call(), REFUSAL))
    assert not is_failure(unanswered(made_call(), Outcome.OVERLOADED))
    unsendable = unanswered(made_call(), Outcome.FAILED)
    unsendable.error = PoolError("the request cannot be sent: too large")
    assert not is_failure(unsendable)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=120))
def test_it_never_stays_open_once_calls_succeed(steps: list[tuple[float, bool]]) -> None:
    breaker, clock, noted = made()
    for passed, fails in steps:
        clock.now += passed
        if not breaker.troubles():
            run(breaker, fails=fails)
            continue
        try:
            run(breaker, fails=fails)
        except Shed:
            continue
    clock.now += LONGEST_PAUSE_S
    run(breaker, fails=False)
    assert breaker.troubles() == []
    assert noted.kinds.count("breaker-closed") <= noted.kinds.count("breaker-half-open")
    assert all(after in FOLLOWS[kind] for kind, after in pairwise(noted.kinds))


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=200))
def test_its_tally_is_that_of_the_window(steps: list[tuple[int, bool]]) -> None:
    """Against a list of everything, whatever comes: it opens at the very call at which the rule says so."""
    breaker, clock, noted = made()
    seen: list[tuple[float, bool]] = []
    for passed, fails in steps:
        clock.now += passed
        seen.append((clock.now, fails))
        run(breaker, fails=fails)
        recent = [bad for at, bad in seen if at > clock.now - WINDOW_S]
        due = fails and sum(recent) >= MIN_FAILURES and sum(recent) >= len(recent) / 2
        assert bool(noted.kinds) == due
        if due:
            return
