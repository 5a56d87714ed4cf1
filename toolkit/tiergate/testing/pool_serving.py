"""The pool contract: what is answered, by whom, and what is refused."""

from __future__ import annotations

import asyncio

import pytest

from tiergate.hooks import PoolDeclaration
from tiergate.operation import Request
from tiergate.pool import (
    DeadlineExceeded,
    Overloaded,
    Pool,
    PoolError,
    PoolSpec,
    TierSpec,
    WorkerDied,
    WorkerFailedToStart,
)
from tiergate.routing import Choice
from tiergate.testing.expect import must_raise
from tiergate.testing.pool_fixtures import PoolFixtures, ask, settled

WHEREVER = Choice()


class ServingChecks(PoolFixtures):
    """Requests, choices, queues, deadlines, and the end of a pool."""

    def test_answers(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        value = {"text": "\N{ROCKET}", "list": [1, None, 2.5], "empty": {}}

        async def check(pool: Pool) -> None:
            reply = await pool.submit(ask("echo", 7, value=value), WHEREVER)
            assert reply.result == value, "Reply.result: what the operation returned, as plain JSON values"
            assert reply.id == 7, "Reply.id: that of the request"
            assert reply.failure is None, "Reply.failure: None when it succeeded"
            assert reply.service_ns > 0, "Reply.service_ns: time in the worker, nanoseconds"
            names = {worker.name for worker in pool.view().workers}
            assert reply.worker in names, "Reply.worker: name of the worker that answered"

        self.use(declaration, spec, check)

    @pytest.mark.parametrize(
        ("request_", "kind"),
        [
            (ask("refuse", value="x"), "OperationError"),
            (ask("echo", valeu=1), "OperationError"),
            (ask("ecko"), "UsageError"),
        ],
        ids=["refused", "arguments", "operation"],
    )
    def test_what_is_refused_is_a_reply(
        self, declaration: PoolDeclaration, spec: PoolSpec, request_: Request, kind: str
    ) -> None:
        contract = "Pool.submit: an operation that refused it is a reply with a failure, not an error"

        async def check(pool: Pool) -> None:
            (reply,) = await settled([pool.submit(request_, WHEREVER)])
            assert not isinstance(reply, BaseException), f"{contract}; it raised {reply!r}"
            assert reply.failure is not None, contract
            assert reply.failure.kind == kind, "Failure.kind: the class of the error"
            assert "\n" not in reply.failure.message, "Failure.message: its one line"

        self.use(declaration, spec, check)

    def test_a_choice_is_carried_out(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            tiers = {worker.name: worker.tier for worker in pool.view().workers}
            assert sorted(tiers.values()) == ["cold", "hot", "hot"], "Pool.start: return when all are ready"
            choices = [Choice(tier) for tier in ("hot", "cold")] + [Choice(tiers[n], n) for n in tiers]
            sent = [(choice, pool.submit(ask("echo"), choice)) for choice in choices * 4]
            for choice, answer in sent:
                worker = (await answer).worker
                assert choice.tier in (None, tiers[worker]), "Choice.tier: where this request goes"
                assert choice.worker in (None, worker), "Choice.worker: where this request goes"

        self.use(declaration, spec, check)

    @pytest.mark.parametrize("choice", [Choice("tepid"), Choice("hot", "nobody")], ids=["tier", "worker"])
    def test_a_choice_that_is_not_there(
        self, declaration: PoolDeclaration, spec: PoolSpec, choice: Choice
    ) -> None:
        async def check(pool: Pool) -> None:
            with must_raise(PoolError, "PoolError: the choice names what the pool does not have"):
                await pool.submit(ask("echo"), choice)

        self.use(declaration, spec, check)

    def test_what_cannot_be_sent(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            with must_raise(PoolError, "PoolError: the request cannot be sent"):
                await pool.submit(ask("echo", value=object()), WHEREVER)
            assert (await pool.submit(ask("echo", value=1), WHEREVER)).result == 1

        self.use(declaration, spec, check)

    def test_submit_nowait(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        contract = "Pool.submit_nowait: the reply, or the error, comes through the future"

        async def check(pool: Pool) -> None:
            futures = [pool.submit_nowait(ask("echo", n, value=n), WHEREVER) for n in range(200)]
            lost = pool.submit_nowait(ask("echo"), Choice("tepid"))
            replies = await asyncio.gather(*futures)
            assert [(reply.id, reply.result) for reply in replies] == [(n, n) for n in range(200)], contract
            with must_raise(PoolError, contract):
                await lost

        self.use(declaration, spec, check)

    def test_a_full_queue(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            await pool.submit(ask("echo", seconds=0.05), WHEREVER)
            sent = [pool.submit_nowait(ask("echo", n, seconds=0.1), WHEREVER) for n in range(20)]
            answers = await settled(sent)
            refused = [answer for answer in answers if isinstance(answer, Overloaded)]
            served = [answer for answer in answers if not isinstance(answer, BaseException)]
            contract = "Overloaded: the queue is full; the request was not taken"
            assert len(served) + len(refused) == 20, f"{contract}; answers: {answers}"
            assert 2 <= len(served) <= 5, f"{contract}; of 20 at once 2 may wait and 3 run; {len(served)} did"
            assert pool.counters().overflows >= 1, (
                "PoolCounters.overflows: refused because the queue was full"
            )
            assert (await pool.submit(ask("echo", value=1), WHEREVER)).result == 1, contract

        self.use(declaration, spec, check, queue_limit=2)

    def test_one_worker_serves_in_order(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            sent = [pool.submit_nowait(ask("count", n), WHEREVER) for n in range(30)]
            counts = [reply.result for reply in await asyncio.gather(*sent)]
            assert counts == list(range(1, 31)), "Choice.worker: whichever is free first takes the oldest"

        self.use(declaration, spec, check, tiers=[TierSpec("hot", 1)])

    def test_the_view_counts_what_waits(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            name = pool.view().workers[0].name
            sent = [pool.submit_nowait(ask("echo", seconds=0.2), Choice(None, name, 0.5)) for _ in range(3)]
            await asyncio.sleep(0.05)
            (worker,) = [worker for worker in pool.view().workers if worker.name == name]
            contract = "WorkerView: requests assigned to it and unfinished, and their estimated seconds"
            assert (worker.waiting, worker.work_left_s) == (3, 1.5), contract
            assert pool.unanswered() == 3, "Pool.unanswered: taken and not answered yet"
            await asyncio.gather(*sent)
            assert [(one.waiting, one.work_left_s) for one in pool.view().workers] == [(0, 0)] * 3, contract

        self.use(declaration, spec, check)

    @pytest.mark.parametrize("way", ["deadline", "cancelled"])
    def test_work_is_stopped(self, declaration: PoolDeclaration, spec: PoolSpec, way: str) -> None:
        contract = {
            "deadline": "DeadlineExceeded: … the work was stopped",
            "cancelled": "Pool.submit: cancelling it … where it was begun, it is stopped",
        }[way]

        async def check(pool: Pool) -> None:
            late = ask("count", seconds=1.5)
            if way == "deadline":
                with must_raise(DeadlineExceeded, contract):
                    await pool.submit(late, WHEREVER, deadline_s=0.2)
            else:
                begun = asyncio.ensure_future(pool.submit(late, WHEREVER))
                await asyncio.sleep(0.2)
                begun.cancel()
            await asyncio.sleep(2)
            assert (await pool.submit(ask("look"), WHEREVER)).result == 0, contract

        self.use(declaration, spec, check)

    def test_what_waits_is_not_begun(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            busy = pool.submit_nowait(ask("echo", seconds=0.6), WHEREVER)
            await asyncio.sleep(0.05)
            late = pool.submit_nowait(ask("count"), WHEREVER, deadline_s=0.1)
            unwanted = pool.submit_nowait(ask("count"), WHEREVER)
            await asyncio.sleep(0.05)
            unwanted.cancel()
            with must_raise(DeadlineExceeded, "DeadlineExceeded: wherever the request was"):
                await late
            assert not busy.done(), "DeadlineExceeded: `deadline_s` seconds after the call"
            assert (await busy).failure is None, "Pool: a deadline costs no other request"
            contract = "Pool.submit: cancelled, or past its deadline, it is not begun any more"
            assert (await pool.submit(ask("look"), WHEREVER)).result == 0, contract

        self.use(declaration, spec, check, tiers=[TierSpec("hot", 1)])

    def test_drain(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            taken = [pool.submit_nowait(ask("echo", n, seconds=0.1), WHEREVER) for n in range(8)]
            await asyncio.sleep(0)
            assert not await pool.drain(0), "Pool.drain: whether all were in that time"
            with must_raise(WorkerDied, "Pool.drain: requests that come meanwhile raise WorkerDied"):
                await pool.submit(ask("echo"), WHEREVER)
            assert await pool.drain(self.PATIENCE_S / 2), "Pool.drain: wait until those taken are answered"
            assert all(future.done() for future in taken), "Pool.drain: wait until those taken are answered"
            assert [(await future).id for future in taken] == list(range(8)), "Pool.drain: they are answered"

        self.use(declaration, spec, check)

    def test_close(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(pool: Pool) -> None:
            sent = [pool.submit_nowait(ask("echo", seconds=600), WHEREVER) for _ in range(6)]
            await asyncio.sleep(0.1)
            usage = await pool.close()
            assert await pool.close() == usage, "Pool.close: closing twice does nothing more"
            for answer in await settled(sent):
                contract = "Pool.close: requests still waiting raise WorkerDied"
                assert isinstance(answer, WorkerDied), f"{contract}; it was {answer!r}"
            with must_raise(WorkerDied, "WorkerDied: the pool is … closed"):
                await pool.submit(ask("echo"), WHEREVER)
            assert usage.worker_seconds > 0, "PoolUsage.worker_seconds: sum over workers"
            assert usage.cpu_s > 0, "PoolUsage.cpu_s: user and system time of all workers"

        self.use(declaration, spec, check)

    def test_a_start_that_fails(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        async def check(_pool: Pool) -> None:
            pytest.fail("Pool.start: WorkerFailedToStart; it started on a store that nobody declares")

        with must_raise(WorkerFailedToStart, "Pool.start: WorkerFailedToStart"):
            self.use(declaration, spec, check, store="nothing:x")

    def test_a_tier_without_residents(self, declaration: PoolDeclaration, spec: PoolSpec) -> None:
        tiers = [TierSpec("hot", 1), TierSpec("cold", 1, min_workers=0)]

        async def check(pool: Pool) -> None:
            reply = await pool.submit(ask("echo", value=1), Choice("cold"))
            assert reply.result == 1, "TierSpec.min_workers: more are started when requests wait"

        self.use(declaration, spec, check, tiers=tiers)
