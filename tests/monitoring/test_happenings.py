"""What happened is kept, counted and told, and the pool's events are among it."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_calls import MODULES, dispatching, pool_spec

from tiergate.monitoring.happenings import EFFECTS, KEPT, Happening, Happenings

MOMENT = datetime(2025, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def test_it_is_kept_counted_and_told() -> None:
    happenings, told = Happenings(lambda: MOMENT), list[Happening]()
    happenings.subscribe(told.append)
    happenings.note("read-only", "", "the disk is full", "writes are turned away")
    assert told == [
        Happening(
            at="2025-03-01T12:00:00.250Z",
            kind="read-only",
            cause="the disk is full",
            effect="writes are turned away",
        )
    ]
    assert happenings.last() == told
    assert happenings.counts == {"read-only": 1}


def test_of_very_many_the_last_are_kept_and_all_are_counted() -> None:
    happenings = Happenings()
    for number in range(KEPT + 5):
        happenings.note("shedding", str(number))
    assert [happening.who for happening in happenings.last(2)] == [str(KEPT + 4), str(KEPT + 3)]
    assert len(happenings.last()) == KEPT
    assert happenings.counts["shedding"] == KEPT + 5


def test_a_subscriber_that_raises_is_left_out_and_one_that_left_is_not_told() -> None:
    happenings, told, left = Happenings(), list[Happening](), list[Happening]()

    def raises(_happening: Happening) -> None:
        raise ValueError

    happenings.subscribe(raises)
    happenings.subscribe(told.append)
    leave = happenings.subscribe(left.append)
    happenings.note("fault")
    leave()
    leave()
    happenings.note("fault")
    assert (len(told), len(left)) == (2, 1)


@pytest.mark.integration
def test_a_killed_worker_is_told_with_cause_and_effect_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(MODULES))
    happenings = Happenings()

    async def drive() -> None:
        async with dispatching(pool_spec(tmp_path)) as dispatcher:
            happenings.follow(dispatcher.pool)
            reply = await dispatcher.call("nap", None, {})
            os.kill(reply.result, signal.SIGKILL)
            while happenings.counts["spawn"] == 0:
                await asyncio.sleep(0.01)
            again = await dispatcher.call("nap", None, {})
            assert again.result != reply.result

    asyncio.run(drive())
    came, exited = happenings.last(2)
    assert (exited.kind, came.kind) == ("exit", "spawn")
    assert "SIGKILL" in exited.cause
    assert exited.effect == EFFECTS["exit"]
    assert came.who.startswith("hot")
