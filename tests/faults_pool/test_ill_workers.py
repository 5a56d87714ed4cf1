"""Workers that hang, leak, shout, talk nonsense, or have a slow store; and a parent that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from tiergate.operation import Request
from tiergate.pool import DeadlineExceeded, PoolSpec, TierSpec
from tiergate.routing import Choice
from tiergate_plugins.pools.local_pool import LocalPool

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]
MEGABYTE = 1_000_000


def echo(number: int, seconds: float = 0.0) -> Request:
    return Request(number, "echo", None, {"value": number, "seconds": seconds})


def test_a_worker_that_hangs_under_load_costs_no_request(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec(heartbeat_s=0.1)) as pool:
            victim = (await pool.submit(Request(0, "process", None, {}), Choice(None, "hot-1"))).result
            load = [pool.submit_nowait(echo(n, 0.01), Choice("hot", f"hot-{1 + n % 2}")) for n in range(60)]
            os.kill(victim, signal.SIGSTOP)
            replies = await asyncio.gather(*load)
            assert [reply.result for reply in replies] == list(range(60))
            assert pool.counters().hung == 1
            (ended,) = [event.detail for event in pool.events() if event.kind == "exit"]
            assert ended == "killed by SIGKILL for giving no sign of life"

    asyncio.run(run())


def test_a_hung_worker_does_not_outlast_a_deadline(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec(heartbeat_s=60.0)) as pool:
            victim = (await pool.submit(Request(0, "process", None, {}), Choice(None, "hot-1"))).result
            os.kill(victim, signal.SIGSTOP)
            with pytest.raises(DeadlineExceeded):
                await pool.submit(echo(1), Choice(None, "hot-1"), deadline_s=0.2)
            assert (await pool.submit(echo(2), Choice(None, "hot-1"), deadline_s=60)).result == 2

    asyncio.run(run())


def test_workers_that_leak_are_replaced_under_load(make_spec: SpecMaker) -> None:
    async def run() -> None:
        tiers = [TierSpec("hot", 2, memory_limit_bytes=100 * MEGABYTE)]
        async with LocalPool(make_spec(tiers=tiers, heartbeat_s=0.2)) as pool:
            number = 0
            while pool.counters().recycles < 3:
                grow = Request(number, "grow", None, {"bytes": 20 * MEGABYTE})
                answers = [pool.submit_nowait(grow, Choice())]
                answers += [pool.submit_nowait(echo(n), Choice()) for n in range(5)]
                replies = await asyncio.gather(*answers)
                assert [reply.result for reply in replies[1:]] == list(range(5))
                # One that has reached its limit is refused memory until its successor is ready.
                failure = replies[0].failure
                assert failure is None or "MemoryError" in failure.message
                number += 1
            while pool.counters().exits < 3:
                await asyncio.sleep(0.01)
            assert {event.detail for event in pool.events() if event.kind == "exit"} == {"exit code 0"}

    asyncio.run(run())


def test_a_flood_on_standard_output_blocks_and_corrupts_nothing(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            flood = Request(0, "flood", None, {"bytes": 30 * MEGABYTE})
            floods = [pool.submit_nowait(flood, Choice()) for _ in range(4)]
            load = [pool.submit_nowait(echo(n), Choice()) for n in range(200)]
            replies = await asyncio.gather(*load)
            assert [reply.result for reply in replies] == list(range(200))
            assert all(reply.failure is None for reply in await asyncio.gather(*floods))
            assert pool.counters().exits == 0

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["opcode", "length"])
def test_a_malformed_frame_ends_one_worker_by_name_and_costs_one_write(
    make_spec: SpecMaker, kind: str
) -> None:
    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            babble = pool.submit_nowait(Request(0, "babble", None, {"kind": kind}), Choice())
            load = [pool.submit_nowait(echo(n), Choice()) for n in range(100)]
            replies = await asyncio.gather(*load)
            assert [reply.result for reply in replies] == list(range(100))
            with pytest.raises(Exception, match="for an answer that cannot be read"):
                await babble
            assert pool.counters().exits == 1

    asyncio.run(run())


def test_a_slow_store_is_no_hung_worker(make_spec: SpecMaker, tmp_path: Path) -> None:
    async def run() -> None:
        spec = make_spec(
            store=f"slow:{tmp_path / 'slow.json'}", store_plugins=["slow_store"], heartbeat_s=0.05
        )
        async with LocalPool(spec) as pool:
            counts = [pool.submit_nowait(Request(n, "count", "s", {}), Choice()) for n in range(4)]
            late = pool.submit_nowait(Request(9, "look", "s", {}), Choice(), deadline_s=0.1)
            with pytest.raises(DeadlineExceeded):
                await late
            assert sorted(reply.result for reply in await asyncio.gather(*counts)) == [1, 2, 3, 4]
            assert (pool.counters().hung, pool.counters().exits) == (0, 0)

    asyncio.run(run())


PARENT = """
import asyncio, os, signal, sys
from tiergate.operation import Request
from tiergate.pool import PoolSpec, TierSpec
from tiergate.routing import Choice
from tiergate.testing.pool_parts import REFERENCE
from tiergate_plugins.pools.local_pool import LocalPool

async def main(store):
    spec = PoolSpec(tiers=[TierSpec("hot", 3)], store=store, store_plugins=[REFERENCE],
                    operation_plugins=[REFERENCE])
    async with LocalPool(spec) as pool:
        asked = [pool.submit_nowait(Request(n, "process", None, {}), Choice(None, f"hot-{n}"))
                 for n in (1, 2, 3)]
        pids = [reply.result for reply in await asyncio.gather(*asked)]
        busy = pool.submit_nowait(Request(4, "echo", None, {"seconds": 600}), Choice(None, "hot-2"))
        await asyncio.sleep(0.1)
        os.kill(pids[2], signal.SIGSTOP)
        print(*pids, flush=True)
        await busy

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills a stopped orphan")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_no_worker_outlives_its_parent_idle_busy_or_stopped(
    make_spec: SpecMaker, kind: signal.Signals
) -> None:
    words = [sys.executable, "-c", PARENT, make_spec().store]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert [is_running(pid) for pid in pids] == [True] * 3
        parent.send_signal(kind)
    give_up = monotonic() + 60
    while any(map(is_running, pids)) and monotonic() < give_up:
        sleep(0.02)
    assert [is_running(pid) for pid in pids] == [False] * 3


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that nobody reaps has ended all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
