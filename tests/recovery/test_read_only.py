"""Falling back to reading: under a given clock, and with a store on a disk that is full."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_calls import FULL, REFUSAL, Clock, Noted, answered, dispatching, made_call, pool_spec

from tiergate.dispatch import Call, Dispatcher, Shed
from tiergate.recovery.read_only import FIRST_PAUSE_S, LONGEST_PAUSE_S, ReadOnlyFallback


def made() -> tuple[ReadOnlyFallback, Clock, Noted]:
    clock, noted = Clock(), Noted()
    return ReadOnlyFallback(noted, clock), clock, noted


def write(policy: ReadOnlyFallback, *, full: bool) -> Call:
    """Have a write admitted and end."""
    call = made_call("task_update", writes=True)
    policy.admit(call)
    policy.learn(answered(call, FULL if full else None))
    return call


def test_writes_are_refused_by_name_and_reads_go_on() -> None:
    policy, _, noted = made()
    write(policy, full=True)
    with pytest.raises(Shed, match=r"task_update is turned away: .*the disk is full.*reads go on"):
        policy.admit(made_call("task_update", writes=True))
    policy.admit(made_call("task_get"))
    assert noted.kinds == ["read-only"]
    assert policy.troubles() == [f"read-only: {noted.causes[0]}"]


def test_a_refused_argument_or_a_failed_read_is_no_reason() -> None:
    policy, _, noted = made()
    policy.learn(answered(made_call("task_update", writes=True), REFUSAL))
    policy.learn(answered(made_call("task_get"), FULL))
    assert noted.kinds == []


def test_one_write_tries_and_ends_it() -> None:
    policy, clock, noted = made()
    write(policy, full=True)
    clock.now += FIRST_PAUSE_S
    probe = made_call("task_add", writes=True)
    policy.admit(probe)
    with pytest.raises(Shed):
        policy.admit(made_call("task_update", writes=True))
    policy.learn(answered(probe))
    write(policy, full=False)
    assert noted.kinds == ["read-only", "writable"]
    assert policy.troubles() == []


def test_a_write_of_before_that_succeeds_late_does_not_end_it() -> None:
    policy, _, noted = made()
    early = made_call("task_update", writes=True)
    policy.admit(early)
    write(policy, full=True)
    policy.learn(answered(early))
    assert noted.kinds == ["read-only"]


def test_a_trial_that_was_refused_for_its_arguments_lets_the_next_one_try() -> None:
    policy, clock, noted = made()
    write(policy, full=True)
    clock.now += FIRST_PAUSE_S
    probe = made_call("task_add", writes=True)
    policy.admit(probe)
    policy.learn(answered(probe, REFUSAL))
    write(policy, full=False)
    assert noted.kinds == ["read-only", "writable"]


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans(), st.booleans()), max_size=80))
def test_reads_always_run_and_writes_do_again_at_last(steps: list[tuple[float, bool, bool]]) -> None:
    policy, clock, noted = made()
    for passed, full, reads in steps:
        clock.now += passed
        if reads:
            policy.admit(made_call("task_get"))
            continue
        try:
            write(policy, full=full)
        except Shed:
            assert policy.troubles()
    clock.now += LONGEST_PAUSE_S
    write(policy, full=False)
    write(policy, full=False)
    assert policy.troubles() == []
    assert noted.kinds == ["read-only", "writable"] * (len(noted.kinds) // 2)


@pytest.mark.integration
@pytest.mark.usefixtures("faulty_modules")
def test_a_full_disk_stops_writes_and_no_reads_until_there_is_room(tmp_path: Path) -> None:
    clock, noted = Clock(), Noted()
    full = tmp_path / "full"
    spec = pool_spec(tmp_path, store=f"fillable:{tmp_path / 'store.json'}", store_plugins=["fillable_store"])

    async def drive() -> list[str]:
        async with dispatching(spec, writing=["count"]) as dispatcher:
            dispatcher.gatekeepers.append(ReadOnlyFallback(noted, clock))
            told = [await outcome(dispatcher, "count")]
            full.touch()
            told += [await outcome(dispatcher, "count"), await outcome(dispatcher, "count")]
            told.append(await outcome(dispatcher, "look"))
            full.unlink()
            told.append(await outcome(dispatcher, "count"))
            clock.now += FIRST_PAUSE_S
            told.append(await outcome(dispatcher, "count"))
            return told

    assert asyncio.run(drive()) == ["1", "StoreFailed", "shed", "1", "shed", "2"]
    assert noted.kinds == ["read-only", "writable"]


async def outcome(dispatcher: Dispatcher, operation: str) -> str:
    try:
        reply = await dispatcher.call(operation, "s", {})
    except Shed:
        return "shed"
    return reply.failure.kind if reply.failure is not None else str(reply.result)
