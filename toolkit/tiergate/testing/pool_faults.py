"""The pool contract: workers that end, and what everybody then still reads and writes."""

from __future__ import annotations

import asyncio
import inspect
from math import inf
from random import Random
from time import monotonic

import pytest

from tiergate.hooks import PoolDeclaration
from tiergate.operation import Request
from tiergate.pool import Pool, PoolEvent, PoolSpec, Quarantined, TierSpec, WorkerDied
from tiergate.routing import Choice
from tiergate.testing.expect import must_raise
from tiergate.testing.linearizable import Seen, linearize
from tiergate.testing.pool_fixtures import KillWorker, PoolFixtures, ask, settled

WHEREVER = Choice()


class FaultChecks(PoolFixtures):
    """Crashes, retries, quarantine, keys, events, and one history for all workers."""

    CLIENTS = 5
    TURNS = 12

    def test_a_request_that_ends_workers(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        contract = (
            "Quarantined: two workers ended while they served it; so does the same request from then on"
        )

        async def check(pool: Pool) -> None:
            with must_raise(Quarantined, contract):
                await pool.submit(ask("crash", 1), WHEREVER)
            before = pool.counters().exits
            with must_raise(Quarantined, contract):
                await pool.submit(ask("crash", 2), WHEREVER)
            assert pool.counters().exits == before, "Quarantined: it is not given to a third"
            reply = await pool.submit(ask("echo", value=1), WHEREVER)
            assert reply.result == 1, "Pool: a worker that ended is replaced"

        self.use(declaration, spec, check)

    def test_a_write_without_a_key(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            contract = "WorkerDied: the worker ended while it held a request that may not be repeated"
            with must_raise(WorkerDied, contract):
                await pool.submit(ask("count_and_crash"), WHEREVER)
            assert (await pool.submit(ask("look"), WHEREVER)).result == 1, "Pool: it is not served by another"

        self.use(declaration, spec, check)

    def test_a_write_with_a_key(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            replies = [await pool.submit(ask("count", n, key="one"), WHEREVER) for n in range(3)]
            contract = "Request.key: names a write that may be sent again, so that it takes effect once"
            assert [reply.result for reply in replies] == [1, 1, 1], contract
            assert (await pool.submit(ask("count", key="two"), WHEREVER)).result == 2, contract

        self.use(declaration, spec, check)

    def test_events_and_counters(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            seen: list[PoolEvent] = []
            unsubscribe = pool.subscribe(seen.append)
            assert pool.counters().spawns == 3, "PoolCounters.spawns: workers that became ready"
            await settled([pool.submit(ask("count_and_crash"), WHEREVER)])
            while pool.counters().spawns < 4:
                await asyncio.sleep(0.01)
            kinds = [event.kind for event in seen]
            assert {"exit", "spawn"} <= set(kinds), "Pool.subscribe: each event is told as it happens"
            (ended,) = [event for event in seen if event.kind == "exit"]
            assert "9" in ended.detail, "PoolEvent.kind: exit with its status"
            assert list(pool.events())[-len(seen) :] == seen, "Pool.events: what happened to workers so far"
            unsubscribe()
            await settled([pool.submit(ask("count_and_crash", value=2), WHEREVER)])
            assert len(seen) == len(kinds), "Pool.subscribe: call what is returned to end that"

        self.use(declaration, spec, check)

    def test_a_worker_that_is_killed(
        self, declaration: PoolDeclaration, spec: PoolSpec, kill_worker: KillWorker | None
    ) -> None:
        if kill_worker is None:
            pytest.skip("override the fixture `kill_worker` to have workers killed")

        async def check(pool: Pool) -> None:
            name = pool.view().workers[0].name
            running = pool.submit_nowait(ask("echo", 1, value=1, seconds=0.5), Choice(None, name))
            waiting = [
                pool.submit_nowait(ask("count", n, key=f"k{n}"), Choice(None, name)) for n in range(10)
            ]
            await asyncio.sleep(0.1)
            done = kill_worker(pool, name)
            if inspect.isawaitable(done):
                await done
            assert (await running).result == 1, "Pool: a request that only reads is served by another worker"
            assert len(await asyncio.gather(*waiting)) == 10, (
                "Pool: one that was not begun is served by another"
            )
            contract = "Request.key: so that it takes effect once"
            assert (await pool.submit(ask("look"), WHEREVER)).result == 10, contract

        self.use(declaration, spec, check)

    def test_one_history_for_all_workers(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        contract = "Pool: every tier reads its own writes and those of the others; no order explains"
        tiers = [TierSpec("hot", 2), TierSpec("warm", 1), TierSpec("cold", 1)]
        history = self.use(declaration, spec, self._history, tiers=tiers)
        assert any(call.adds for call in history), "the check itself: nobody wrote"
        assert linearize(history) is not None, f"{contract} {history}"

    async def _history(self, pool: Pool) -> list[Seen]:
        """What several clients saw of one counter, through workers of every tier."""
        history: list[Seen] = []

        async def client(number: int) -> None:
            random = Random(number)
            for turn in range(self.TURNS):
                name = random.choice(pool.view().workers).name
                adds = random.random() < 0.4
                key = f"{number}-{turn}" if random.random() < 0.5 else None
                request = ask("count", key=key) if adds else ask("look")
                history.append(await seen(pool, request, Choice(None, name)))

        await asyncio.gather(*(client(number) for number in range(self.CLIENTS)))
        return history


async def seen(pool: Pool, request: Request, choice: Choice) -> Seen:
    """Ask for ``count`` or ``look``, and record what came of it."""
    began = monotonic()
    (answer,) = await settled([pool.submit(request, choice)])
    adds = int(request.operation == "count")
    if isinstance(answer, BaseException):
        return Seen(began, inf, adds, None)
    assert answer.failure is None, f"Pool.submit: have a request served; it failed: {answer.failure}"
    return Seen(began, monotonic(), adds, answer.result)
