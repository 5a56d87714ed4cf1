"""Workers that come and go: on demand, idle, by age and by size; and requests that are taken back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.errors import UsageError
from tiergate.operation import Request
from tiergate.pool import Overloaded, PoolEvent, PoolSpec, TierSpec, WorkerDied
from tiergate.routing import Choice
from tiergate_plugins.pools.expectations import PREFETCH_NS
from tiergate_plugins.pools.local_pool import LocalPool

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]


def nap(number: int, seconds: float = 0.0, log: Path | None = None) -> Request:
    arguments = {"seconds": seconds, "line": str(number), "log": str(log) if log else None}
    return Request(number, "nap", None, arguments)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_cold_tier_starts_on_demand_grows_and_shrinks(
    make_spec: SpecMaker, no_children: Callable[[], bool]
) -> None:
    async def run() -> None:
        cold = TierSpec("cold", 2, min_workers=0, idle_timeout_s=0.2)
        async with LocalPool(make_spec((TierSpec("hot", 1), cold))) as pool:
            assert [worker.name for worker in pool.view().workers] == ["hot-1"]
            assert (await pool.submit(nap(0), Choice("cold"))).worker == "cold-1"
            replies = await asyncio.gather(*(pool.submit(nap(n, 0.4), Choice("cold")) for n in range(6)))
            assert {reply.worker for reply in replies} == {"cold-1", "cold-2"}
            await until(lambda: pool.counters().exits == 2)
            assert [worker.name for worker in pool.view().workers] == ["hot-1"]
            assert pool.counters().idle_exits == 2
            assert (await pool.submit(nap(9), Choice(None, "cold-2"))).worker.startswith("cold-")

    asyncio.run(run())
    assert no_children()


def test_workers_that_stay_outlive_the_idle_timeout(make_spec: SpecMaker) -> None:
    async def run() -> None:
        tier = TierSpec("warm", 2, min_workers=1, idle_timeout_s=0.05)
        async with LocalPool(make_spec((tier,))) as pool:
            await asyncio.gather(*(pool.submit(nap(n, 0.3), Choice()) for n in range(4)))
            await until(lambda: pool.counters().idle_exits == 1)
            await asyncio.sleep(0.3)
            assert len(pool.view().workers) == 1

    asyncio.run(run())


def test_a_worker_is_replaced_after_so_many_requests_and_none_is_lost(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 1, recycle_after=20),))) as pool:
            seen = set()
            number = 0
            while len(seen) < 3:
                replies = await asyncio.gather(*(pool.submit(nap(number + n), Choice()) for n in range(10)))
                assert [reply.id for reply in replies] == list(range(number, number + 10))
                seen |= {reply.result for reply in replies}
                number += 10
            await until(lambda: pool.counters().exits >= 2)
            assert {event.detail for event in pool.events() if event.kind == "exit"} == {"exit code 0"}
            assert pool.counters().recycles >= 2

    asyncio.run(run())


def test_a_worker_that_leaks_is_replaced_and_one_that_asks_for_too_much_is_refused(
    make_spec: SpecMaker,
) -> None:
    megabyte = 1_000_000

    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 1, memory_limit_bytes=100 * megabyte),))) as pool:
            first = await pool.submit(Request(1, "grow", None, {"bytes": 95 * megabyte}), Choice())
            assert first.failure is None
            await until(lambda: pool.counters().exits == 1)
            (recycled,) = [event for event in pool.events() if event.kind == "recycle"]
            assert "MB are more than 100 MB" in recycled.detail
            second = await pool.submit(Request(2, "grow", None, {"bytes": 3000 * megabyte}), Choice())
            assert second.failure is not None
            assert "MemoryError" in second.failure.message
            assert (await pool.submit(nap(3), Choice())).result not in (first.result, None)

    asyncio.run(run())


def test_a_cancelled_request_is_stopped_where_it_runs(make_spec: SpecMaker, tmp_path: Path) -> None:
    log = tmp_path / "order.log"

    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            before = (await pool.submit(nap(0), Choice())).result
            long = asyncio.create_task(pool.submit(nap(1, 600, log), Choice()))
            await until(log.exists)
            long.cancel()
            after = await pool.submit(nap(2), Choice())
            assert after.result != before
            exits = [event.detail for event in pool.events() if event.kind == "exit"]
            assert exits == ["killed by SIGKILL for a cancelled request"]
            assert pool.counters().cancelled == 1
            # One that ends by itself soon enough costs no worker.
            short = pool.submit_nowait(nap(3, 0.02), Choice())
            await asyncio.sleep(0.005)
            short.cancel()
            assert (await pool.submit(nap(4), Choice())).result == after.result

    asyncio.run(run())


def test_short_requests_share_a_worker_and_never_wait_behind_a_long_one(
    make_spec: SpecMaker, tmp_path: Path
) -> None:
    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 2),))) as pool:
            for number in range(600):  # until the slow first ones are forgotten
                await pool.submit(Request(number, "task_get", "s", {"task": "a"}), Choice(None, "hot-1"))
            gets = [
                pool.submit_nowait(Request(n, "task_get", "s", {"task": "a"}), Choice(None, "hot-1"))
                for n in range(8)
            ]
            worker = pool._crew.ready["hot-1"]
            assert 1 < len(worker.held) <= 8
            assert worker.expected_ns <= PREFETCH_NS
            # Unknown, and estimated to be long: each has its worker for itself.
            naps = [pool.submit_nowait(nap(n, 0.2), Choice()) for n in range(3)]
            slow = pool.submit_nowait(Request(90, "task_get", "s", {"task": "a"}), Choice(None, None, 0.2))
            await until(lambda: all(get.done() for get in gets))
            assert all(len(worker.held) <= 1 for worker in pool._crew.ready.values())
            await asyncio.gather(*naps, slow)
            # Naps took long: the next ones are not put behind each other although they are short.
            await asyncio.gather(*(pool.submit(nap(n), Choice()) for n in range(4)))
            for n in range(4):
                pool.submit_nowait(nap(n), Choice())
            assert [len(worker.held) for worker in pool._crew.ready.values()] == [1, 1]
            await until(lambda: not pool.unanswered())

    asyncio.run(run())


def test_a_stopped_worker_is_found_hung_and_a_busy_one_is_not(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 2),), heartbeat_s=0.1)) as pool:
            victim = (await pool.submit(nap(0), Choice(None, "hot-1"))).result
            spinning = pool.submit_nowait(Request(1, "spin", None, {"seconds": 1.5}), Choice(None, "hot-2"))
            os.kill(victim, signal.SIGSTOP)
            served = await pool.submit(nap(2), Choice(None, "hot-1"), deadline_s=60)
            assert served.result != victim
            assert (await spinning).worker == "hot-2"
            assert pool.counters().hung == 1
            assert [event.worker for event in pool.events() if event.kind == "hung"] == ["hot-1"]

    asyncio.run(run())


def test_drain_answers_what_was_taken_and_refuses_what_comes(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            taken = [pool.submit_nowait(nap(n, 0.05), Choice()) for n in range(4)]
            assert not await pool.drain(0.0)
            with pytest.raises(WorkerDied, match="the pool is being drained"):
                await pool.submit(nap(9), Choice())
            assert await pool.drain(60)
            assert [future.result().id for future in taken] == [0, 1, 2, 3]

    asyncio.run(run())


def test_subscribers_are_told_as_it_happens_and_a_broken_one_harms_nobody(make_spec: SpecMaker) -> None:
    async def run() -> None:
        pool = LocalPool(make_spec(queue_limit=1))
        seen: list[PoolEvent] = []
        calls: list[int] = []

        def broken(event: PoolEvent) -> None:
            calls.append(1)
            raise ValueError("no")

        pool.subscribe(broken)
        end = pool.subscribe(seen.append)
        async with pool:
            assert [event.kind for event in seen] == ["spawn"]
            futures = [pool.submit_nowait(nap(n, 0.1), Choice()) for n in range(5)]
            assert [type(future.exception()) for future in futures[2:]] == [Overloaded] * 3
            assert [event.kind for event in seen] == ["spawn", "overflow"]
            assert pool.counters().overflows == 3
            end()
            await asyncio.gather(*futures[:2])
        assert [event.kind for event in seen] == ["spawn", "overflow"]
        assert len(calls) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"workers": 2, "min_workers": 3}, "tier hot: 3 of 2 workers cannot stay"),
        ({"workers": 1, "idle_timeout_s": 0.0}, "tier hot: a limit that is not above 0"),
    ],
)
def test_a_tier_that_makes_no_sense_is_refused(fields: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        TierSpec("hot", **fields)  # type: ignore[arg-type]
