"""The small parts of the local pool: suspects, deadlines, expectations, signs of life, and any loop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tiergate.loops import new_event_loop
from tiergate.operation import Request
from tiergate.pool import PoolSpec
from tiergate.routing import Choice
from tiergate_plugins.pools import suspects
from tiergate_plugins.pools.backlog import Backlog, Job, Queue
from tiergate_plugins.pools.deadlines import Deadlines
from tiergate_plugins.pools.expectations import UNKNOWN_NS, Expectations
from tiergate_plugins.pools.local_pool import LocalPool
from tiergate_plugins.pools.signs import process_state
from tiergate_plugins.pools.suspects import Suspects


def request(number: int, value: int = 0, session: str | None = "s") -> Request:
    return Request(number, "nap", session, {"value": value})


def job(order: int, choice: Choice = Choice()) -> Job:  # noqa: B008 (frozen)
    return Job(request(order), choice, order, asyncio.get_running_loop(), lambda _: None)


def test_a_suspect_is_known_by_what_it_asks_and_cleared_when_it_is_served() -> None:
    known = Suspects()
    assert known.strike(request(1)) == 1
    assert not known.is_quarantined(request(2))
    assert known.strike(request(2)) == 2
    assert known.is_quarantined(request(3))
    assert not known.is_quarantined(request(3, value=1))
    assert not known.is_quarantined(request(3, session=None))
    known.cleared(request(4, value=1))
    assert known.is_quarantined(request(3))
    known.cleared(request(4))
    assert not known.is_quarantined(request(3))
    assert known.strike(request(5)) == 1


def test_only_so_many_suspects_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "KEPT", 2)
    known = Suspects()
    for value in (0, 0, 1, 1, 2, 2):
        known.strike(request(1, value))
    assert [known.is_quarantined(request(1, value)) for value in range(3)] == [False, True, True]


def test_deadlines_come_in_their_order_and_only_for_what_is_open() -> None:
    async def run() -> list[int]:
        expired: list[int] = []
        deadlines = Deadlines(lambda late, _: expired.append(late.order))
        jobs = [job(order) for order in range(500)]
        for one in jobs:
            deadlines.watch(one, 0.5 if one.order % 100 == 7 else 30.0)
        for one in jobs:
            if one.order % 100 != 7 or one.order == 207:
                one.set_result(None)  # type: ignore[arg-type]
        deadlines.watch(job(500), 0.01)
        assert len(deadlines._heap) < 1000
        await asyncio.sleep(0.7)
        deadlines.close()
        return expired

    assert asyncio.run(run()) == [500, 7, 107, 307, 407]


def test_jobs_that_are_put_back_stand_in_the_order_of_their_submission() -> None:
    async def run() -> None:
        backlog, queue = Backlog(), Queue()
        jobs = [job(order, Choice("hot", None, 0.5)) for order in range(6)]
        for one in (jobs[4], jobs[5]):
            backlog.add(queue, one)
        backlog.put_back(queue, [jobs[1], jobs[3]])
        backlog.put_back(queue, [jobs[0], jobs[2]])
        assert (backlog.waiting, queue.left_s) == (6, 3.0)
        backlog.remove(jobs[3])
        assert [one.order for one in backlog.take_all(queue)] == [0, 1, 2, 4, 5]
        assert (backlog.waiting, queue.left_s, queue.head()) == (0, 0.0, None)

    asyncio.run(run())


def test_the_longest_time_lately_counts_and_what_was_never_seen_is_long() -> None:
    async def run() -> None:
        expected = Expectations()
        assert expected.of(job(1)) == UNKNOWN_NS
        expected.saw("nap", 100_000_000)
        for _ in range(50):
            expected.saw("nap", 1000)
        assert 50_000_000 < expected.of(job(1)) < 100_000_000
        for _ in range(2000):
            expected.saw("nap", 1000)
        assert expected.of(job(1)) < 2000
        assert expected.of(job(1, Choice("hot", None, 0.25))) == 250_000_000

    asyncio.run(run())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the states are those of Linux")
def test_a_stopped_process_is_told_from_a_sleeping_one() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        os.kill(child.pid, signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        assert process_state(child.pid)[0] == b"T"
        child.kill()
    assert process_state(child.pid) == (b"", 0)


@pytest.mark.integration
def test_a_pool_serves_and_recovers_on_the_fastest_loop_there_is(make_spec: Callable[..., PoolSpec]) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            first = await pool.submit(Request(1, "nap", None, {}), Choice(), deadline_s=60)
            os.kill(first.result, signal.SIGKILL)
            again = await pool.submit(Request(2, "nap", None, {"seconds": 0.01}), Choice(), deadline_s=60)
            assert again.result != first.result
            assert pool.counters().exits == 1

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run())
