"""Workers that die, are killed, hang or talk nonsense: every request ends with a result or a named error."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest

from tiergate.operation import Reply, Request
from tiergate.pool import DeadlineExceeded, PoolCounters, PoolSpec, Quarantined, TierSpec, WorkerDied
from tiergate.routing import Choice
from tiergate_plugins.pools.local_pool import LocalPool

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]


def nap(number: int, seconds: float = 0.0, log: Path | None = None) -> Request:
    arguments = {"seconds": seconds, "line": str(number), "log": str(log) if log else None}
    return Request(number, "nap", None, arguments)


async def answers_of(pool: LocalPool, *requests: Request) -> list[Reply | BaseException]:
    async with asyncio.timeout(60):
        return await asyncio.gather(
            *(pool.submit(request, Choice()) for request in requests), return_exceptions=True
        )


def test_a_deadline_stops_the_work_and_the_pool_serves_again(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            before = await pool.submit(nap(1), Choice())
            with pytest.raises(DeadlineExceeded, match=r"nap took longer than 0\.05 s"):
                await pool.submit(nap(2, 600), Choice(), deadline_s=0.05)
            after = await pool.submit(nap(3), Choice(), deadline_s=60)
            assert after.failure is None
            assert after.result != before.result
            kinds = [(event.kind, event.detail) for event in pool.events() if event.kind != "spawn"]
            assert kinds == [("deadline", "nap"), ("exit", "killed by SIGKILL for a passed deadline")]
            assert pool.counters() == PoolCounters(spawns=2, exits=1, deadlines=1)

    asyncio.run(run())


def test_a_deadline_in_the_queue_leaves_the_worker_alone(make_spec: SpecMaker, tmp_path: Path) -> None:
    log = tmp_path / "order.log"

    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            first = asyncio.create_task(pool.submit(nap(1, 0.3, log), Choice()))
            await asyncio.sleep(0)
            for late in (0.02, 0.0):
                with pytest.raises(DeadlineExceeded):
                    await pool.submit(nap(2, 0, log), Choice(), deadline_s=late)
            assert (await first).failure is None
            await pool.submit(nap(3, 0, log), Choice())
            assert [event.kind for event in pool.events()] == ["spawn"]

    asyncio.run(run())
    assert log.read_text().split() == ["1", "3"]


def test_a_worker_killed_under_load_costs_no_request_that_reads(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 3),))) as pool:
            victim = await pool.submit(nap(0), Choice("hot", "hot-2"))
            load = [asyncio.create_task(pool.submit(nap(n, 0.01), Choice())) for n in range(1, 91)]
            async with asyncio.timeout(60):
                while sum(task.done() for task in load) < 10:
                    await asyncio.sleep(0.001)
                os.kill(victim.result, signal.SIGKILL)
                answers = await asyncio.gather(*load)
                assert [reply.id for reply in answers] == list(range(1, 91))
                assert all(reply.failure is None for reply in answers)
                while pool.counters().spawns < 4:
                    await asyncio.sleep(0.01)
            replaced = await pool.submit(nap(99), Choice("hot", "hot-2"))
            assert replaced.worker == "hot-2"
            assert replaced.result != victim.result
            assert [event.detail for event in pool.events() if event.kind == "exit"] == ["killed by SIGKILL"]
            assert [event.worker for event in pool.events() if event.kind == "spawn"].count("hot-2") == 2
            assert pool.counters().retries == 1

    asyncio.run(run())


def test_a_request_that_ends_two_workers_is_quarantined_and_named(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 2),))) as pool:
            deadly = Request(1, "end_reading", None, {"kind": "exit"})
            caught, after = await answers_of(pool, deadly, nap(2))
            assert isinstance(caught, Quarantined)
            words = r"end_reading with arguments [0-9a-f]{12} ended 2 workers: the last, hot-\d, exit code 7"
            assert re.match(words, str(caught))
            assert isinstance(after, Reply)
            spawned = pool.counters().spawns
            again = msgspec.structs.replace(deadly, id=3)
            with pytest.raises(Quarantined, match="it is refused"):
                await pool.submit(again, Choice())
            assert (pool.counters().spawns, pool.counters().retries) == (spawned, 1)
            other, _ = await answers_of(pool, Request(4, "end_reading", None, {"kind": "raise"}), nap(5))
            assert isinstance(other, Reply)

    asyncio.run(run())


def test_a_write_without_a_key_is_not_repeated_and_quarantined_when_it_is_sent_again(
    make_spec: SpecMaker,
) -> None:
    async def run() -> list[type]:
        async with LocalPool(make_spec((TierSpec("hot", 2),))) as pool:
            caught = []
            for number in range(3):
                (error,) = await answers_of(pool, Request(number, "end", None, {"kind": "exit"}))
                caught.append(type(error))
            assert pool.counters().retries == 0
            return caught

    assert asyncio.run(run()) == [WorkerDied, Quarantined, Quarantined]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("exit", "exit code 7"), ("sys.exit", "exit code 5"), ("abort", "killed by SIGABRT")],
)
def test_an_operation_that_ends_its_worker_is_named(make_spec: SpecMaker, kind: str, status: str) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            died, after = await answers_of(pool, Request(1, "end", None, {"kind": kind}), nap(2))
            assert isinstance(died, WorkerDied)
            assert str(died) == f"worker hot-1 ended ({status}) during end"
            assert isinstance(after, Reply)

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["opcode", "text", "no reply", "nested", "length"])
def test_bytes_that_are_no_reply_end_the_worker_and_say_so(make_spec: SpecMaker, kind: str) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            broken, after = await answers_of(pool, Request(1, "babble", None, {"kind": kind}), nap(2))
            assert isinstance(broken, WorkerDied)
            assert "killed by SIGKILL for an answer that cannot be read" in str(broken)
            assert isinstance(after, Reply)

    asyncio.run(run())


def test_a_worker_that_cannot_be_replaced_is_given_up(
    make_spec: SpecMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiergate_plugins.pools.crew.RESPAWN_BACKOFF_S", 0.001)

    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            # From now on the store is no database, so that no replacement can open it.
            for file in tmp_path.glob("store.db*"):
                file.write_bytes(b"this is no database" * 100)
            answers = await answers_of(pool, Request(1, "end", None, {"kind": "exit"}), nap(2), nap(3))
            assert [str(answer) for answer in answers] == [
                "worker hot-1 ended (exit code 7) during end",
                "worker hot-1 could not be replaced",
                "worker hot-1 could not be replaced",
            ]
            assert "given-up" in [event.kind for event in pool.events()]
            with pytest.raises(WorkerDied, match="no worker is left"):
                await pool.submit(nap(4), Choice())
            # The worker that ended without having served anything is the first failure of five.
            assert pool.counters().failed_starts >= 4

    asyncio.run(run())


def test_the_rest_of_the_tier_takes_over_from_a_worker_that_was_given_up(
    make_spec: SpecMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiergate_plugins.pools.crew.RESPAWN_ATTEMPTS", 1)
    monkeypatch.setattr("tiergate_plugins.pools.crew.RESPAWN_BACKOFF_S", 0.001)

    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 2),))) as pool:
            monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # replacements do not find their operations
            with pytest.raises(WorkerDied):
                await pool.submit(Request(1, "end", None, {"kind": "exit"}), Choice(None, "hot-1"))
            assert (await pool.submit(nap(2), Choice(None, "hot-1"), deadline_s=60)).worker == "hot-2"
            assert (await pool.submit(nap(3), Choice("hot"))).worker == "hot-2"
            assert [worker.name for worker in pool.view().workers] == ["hot-2"]

    asyncio.run(run())


PARENT = """
import asyncio, sys
from tiergate.operation import Request
from tiergate.pool import PoolSpec, TierSpec
from tiergate.routing import Choice
from tiergate_plugins.pools.local_pool import LocalPool

async def main(store, idle, busy):
    spec = PoolSpec(tiers=[TierSpec("hot", 2)], store=store,
                    store_plugins=["tiergate_plugins.storage.sqlite"],
                    operation_plugins=["faulty_operations"])
    async with LocalPool(spec) as pool:
        for name, path in (("hot-1", idle), ("hot-2", busy)):
            await pool.submit(Request(1, "hold", None, {"path": path}), Choice(None, name))
        work = pool.submit(Request(2, "spin", None, {"seconds": 600}), Choice(None, "hot-2"))
        asyncio.get_running_loop().call_later(0.1, lambda: print("busy", flush=True))
        await work

asyncio.run(main(*sys.argv[1:]))
"""


def is_locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_no_worker_outlives_a_parent_that_is_killed(
    make_spec: SpecMaker, address: str, tmp_path: Path
) -> None:
    idle, busy = tmp_path / "idle", tmp_path / "busy"
    make_spec()  # puts the test's modules on the workers' path
    words = [sys.executable, "-c", PARENT, address, str(idle), str(busy)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "busy\n"
        assert is_locked(idle)
        assert is_locked(busy)
        parent.kill()
    give_up = monotonic() + 60
    while (is_locked(idle) or is_locked(busy)) and monotonic() < give_up:
        sleep(0.02)
    assert not is_locked(idle)
    assert not is_locked(busy)
