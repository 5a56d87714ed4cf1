"""kill -9 of any worker under load: every request is answered, and every write that was promised is there."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, perf_counter
from typing import Any

import pytest

from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolSpec, Quarantined, TierSpec, WorkerDied
from tiergate.routing import Choice
from tiergate.testing.linearizable import Seen, linearize
from tiergate_plugins.pools.local_pool import LocalPool

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]

TIERS = [TierSpec("hot", 2), TierSpec("warm", 1, nice=5), TierSpec("cold", 1, nice=10, min_workers=0)]
CLIENTS = 6


class Load:
    """Clients of one pool, and what they were told."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.numbers = count(1)
        self.keyed: list[Seen] = []
        self.unkeyed = {"acknowledged": 0, "unknown": 0}
        self.errors: list[BaseException] = []
        self.is_over = False

    async def client(self, number: int) -> None:
        random = Random(number)
        while not self.is_over:
            tier = random.choice(("hot", "hot", "warm", "cold"))
            if random.random() < 0.2:
                await self.write_unkeyed(Choice(tier))
            else:
                await self.use_keyed(Choice(tier), writes=random.random() < 0.4)
            await asyncio.sleep(0.005)

    async def ask(self, operation: str, session: str, choice: Choice, *, keyed: bool) -> Reply | None:
        number = next(self.numbers)
        key = str(number) if keyed else None
        try:
            # The value makes every request another one, so that two kills do not quarantine all of a kind.
            arguments = {"value": number, "seconds": 0.03 * (number % 2)}
            request = Request(number, operation, session, arguments, key)
            return await self.pool.submit(request, choice, deadline_s=60)
        except (WorkerDied, Quarantined) as error:
            self.errors.append(error)
            return None

    async def write_unkeyed(self, choice: Choice) -> None:
        reply = await self.ask("count", "unkeyed", choice, keyed=False)
        self.unkeyed["acknowledged" if reply else "unknown"] += 1

    async def use_keyed(self, choice: Choice, *, writes: bool) -> None:
        began = monotonic()
        reply = await self.ask("count" if writes else "look", "keyed", choice, keyed=writes)
        if reply is not None:
            assert reply.failure is None
            self.keyed.append(Seen(began, monotonic(), int(writes), reply.result))
        elif writes:
            self.keyed.append(Seen(began, float("inf"), 1, None))


def pids(pool: Pool) -> dict[str, int]:
    """The process of each worker that is ready."""
    ready = {worker.name for worker in pool.view().workers}
    spawned = [event for event in pool.events() if event.kind == "spawn" and event.worker in ready]
    return {event.worker: int(event.detail.removeprefix("pid ")) for event in spawned}


async def kill_some(pool: Pool, kills: int, random: Random) -> None:
    """Kill a worker that is ready, again and again."""
    killed: set[int] = set()
    while len(killed) < kills:
        await asyncio.sleep(random.uniform(0.02, 0.25))
        alive = sorted(set(pids(pool).values()) - killed)
        if alive:
            victim = random.choice(alive)
            killed.add(victim)
            os.kill(victim, signal.SIGKILL)
    while pool.counters().exits < kills:
        await asyncio.sleep(0.01)


async def run_load(pool: Pool, kills: int, seed: int) -> Load:
    load = Load(pool)
    clients = [asyncio.create_task(load.client(seed * CLIENTS + number)) for number in range(CLIENTS)]
    await kill_some(pool, kills, Random(seed))
    load.is_over = True
    await asyncio.gather(*clients)
    return load


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No child and no descriptor more than before."""
    before = len(list(Path("/dev/fd").iterdir()))
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert len(list(Path("/dev/fd").iterdir())) <= before


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("kills", "seed"), [(8, 0), *(pytest.param(50, seed, marks=pytest.mark.soak) for seed in range(1, 5))]
)
def test_every_request_is_answered_and_no_write_is_lost_or_doubled(
    make_spec: SpecMaker, kills: int, seed: int
) -> None:
    complaints: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with LocalPool(make_spec(tiers=TIERS)) as pool:
            load = await run_load(pool, kills, seed)
            assert pool.unanswered() == 0
            unkeyed = (await pool.submit(Request(0, "look", "unkeyed", {}), Choice())).result
            acknowledged, unknown = load.unkeyed["acknowledged"], load.unkeyed["unknown"]
            assert acknowledged <= unkeyed <= acknowledged + unknown
            assert linearize(load.keyed) is not None
            # A request is lost to its caller only with a worker, and at most one with each; others are
            # refused while a tier has none, if its workers are killed faster than they start.
            lost = [error for error in load.errors if str(error) != "no worker is left"]
            assert len(lost) <= pool.counters().exits == kills
            assert acknowledged > 0
            assert pool.counters().retries > 0 or not load.errors

    asyncio.run(run())
    gc.collect()
    assert complaints == []


@pytest.mark.usefixtures("nothing_left")
def test_an_idle_worker_that_is_killed_is_buried_once(make_spec: SpecMaker) -> None:
    complaints: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with LocalPool(make_spec(tiers=[TierSpec("hot", 2)])) as pool:
            for number in range(1, 4):
                await pool.submit(Request(number, "echo", None, {}), Choice(None, "hot-1"))
                os.kill(pids(pool)["hot-1"], signal.SIGKILL)
                while pool.counters().exits < number or len(pool.view().workers) < 2:
                    await asyncio.sleep(0.01)
            assert [event.detail for event in pool.events() if event.kind == "exit"] == [
                "killed by SIGKILL"
            ] * 3

    asyncio.run(run())
    gc.collect()
    assert complaints == []


def test_the_first_success_after_a_kill_comes_within_twice_a_cold_start(make_spec: SpecMaker) -> None:
    spec = make_spec(tiers=[TierSpec("hot", 1)])
    request = Request(1, "echo", None, {})

    async def run() -> tuple[float, float]:
        began = perf_counter()
        async with LocalPool(spec) as pool:
            await pool.submit(request, Choice())
            cold = perf_counter() - began
            (pid,) = pids(pool).values()
            os.kill(pid, signal.SIGKILL)
            began = perf_counter()
            await pool.submit(request, Choice(), deadline_s=60)
            return cold, perf_counter() - began

    ratios = []
    for _ in range(5):
        cold, again = asyncio.run(run())
        ratios.append(again / cold)
    assert median(ratios) <= 2


def test_a_dead_workers_sessions_move_at_once(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec(tiers=[TierSpec("hot", 2)])) as pool:
            busy = pool.submit_nowait(Request(0, "echo", None, {"seconds": 0.3}), Choice(None, "hot-1"))
            waiting = [
                pool.submit_nowait(Request(n, "echo", None, {"value": n}), Choice(None, "hot-1"))
                for n in range(1, 6)
            ]
            await asyncio.sleep(0.05)
            os.kill(pids(pool)["hot-1"], signal.SIGKILL)
            # Run again it would hold up the others for longer than a new worker takes to start.
            busy.cancel()
            moved = await asyncio.gather(*waiting)
            assert {reply.worker for reply in moved} == {"hot-2"}
            # That is: before the dead one was replaced.
            assert pool.counters().spawns == 2

    asyncio.run(run())


def test_a_write_that_was_done_and_not_answered_is_not_done_again(
    make_spec: SpecMaker, tmp_path: Path
) -> None:
    """Its worker is killed between the write and the answer, at the moment when the write can be seen."""

    async def run() -> None:
        async with LocalPool(make_spec(operation_plugins=["slow_answers"])) as pool:
            first = pool.submit_nowait(Request(1, "count_slowly", "s", {}, "key"), Choice(None, "hot-1"))
            while (await pool.submit(Request(2, "look", "s", {}), Choice(None, "hot-2"))).result == 0:
                await asyncio.sleep(0.01)
            os.kill(pids(pool)["hot-1"], signal.SIGKILL)
            assert (await first).result == 1
            assert (await pool.submit(Request(3, "look", "s", {}), Choice())).result == 1

    asyncio.run(run())
