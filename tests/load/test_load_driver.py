"""The driver: open arrivals, times from the intended start, and every fate counted as what it is."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tiergate.load.driver import Timetable, drive
from tiergate.load.outcome import Fate, Round
from tiergate.operation import Failure, Reply, Request
from tiergate.pool import DeadlineExceeded, Overloaded, Pool, PoolEvent, PoolUsage, WorkerDied
from tiergate.routing import Choice, Cutoffs, PoolView, RequestFacts, Router, RouterSetup, WorkerView

FREEZE_S = 0.3

Serve = Callable[[Request], Awaitable[Reply]]
MakeFacts = Callable[..., RequestFacts]


class FakePool(Pool):
    """Answers as it is told, in this process."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.sent: list[int] = []
        self.deadlines: dict[int, float] = {}
        self.in_flight = self.most_in_flight = 0
        self.closed = 0

    async def start(self) -> None:
        await asyncio.sleep(0)

    def view(self) -> PoolView:
        return PoolView([WorkerView("hot-1", "hot", self.in_flight, 0.0)])

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        self.sent.append(request.id)
        self.deadlines[request.id] = deadline_s or 0.0
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._serve(request)
        finally:
            self.in_flight -= 1

    def events(self) -> Sequence[PoolEvent]:
        return [PoolEvent(0.0, "spawn", "hot-1")]

    async def close(self) -> PoolUsage:
        self.closed += 1
        return PoolUsage(cpu_s=1.5, peak_rss_bytes=7, worker_seconds=3.0)


class Blocking(FakePool):
    """Holds up the whole process while it takes one of the requests."""

    def __init__(self, request: int) -> None:
        super().__init__(answer)
        self._request = request

    def submit_nowait(
        self, request: Request, choice: Choice, *, deadline_s: float | None = None
    ) -> asyncio.Future[Reply]:
        if request.id == self._request:
            time.sleep(FREEZE_S)
        return super().submit_nowait(request, choice, deadline_s=deadline_s)


class Hot(Router):
    """Chooses hot, unless told to find no worker for some requests; remembers what it was told."""

    def __init__(self, lost: Sequence[int] = ()) -> None:
        super().__init__(RouterSetup(cutoffs=Cutoffs(0.01, 0.1)))
        self._lost = lost
        self.asked: list[int] = []
        self.told: list[int] = []

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        self.asked.append(facts.request)
        if facts.request in self._lost:
            raise LookupError("no worker is ready")
        return Choice("hot", pool.workers[0].name)

    def completed(self, facts: RequestFacts, choice: Choice, service_s: float) -> None:
        self.told.append(facts.request)


async def answer(request: Request) -> Reply:
    await asyncio.sleep(0)
    return Reply(request.id, service_ns=2_000_000, worker="hot-1")


def timetable(make_facts: MakeFacts, starts: Sequence[float], deadline_s: float = 30.0) -> Timetable:
    return Timetable(
        requests=[Request(number, "task_get", f"s{number}", {}) for number in range(len(starts))],
        facts=[make_facts(number) for number in range(len(starts))],
        starts=starts,
        warm_up=[],
        deadline_s=deadline_s,
    )


def driven(pool: FakePool, table: Timetable, router: Router | None = None) -> Round:
    return asyncio.run(drive(pool, router or Hot(), table, 1))


def test_requests_that_fall_due_while_the_pool_is_frozen_show_the_wait(make_facts: MakeFacts) -> None:
    thawed = asyncio.Event()

    async def freeze(request: Request) -> Reply:
        if request.id == 20:
            asyncio.get_running_loop().call_later(FREEZE_S, thawed.set)
        if request.id >= 20:
            await thawed.wait()
        return await answer(request)

    starts = [0.01 * number for number in range(80)]
    outcomes = driven(FakePool(freeze), timetable(make_facts, starts)).outcomes
    due = [number for number in range(20, 80) if starts[number] < starts[20] + FREEZE_S]
    assert len(due) == 30
    for number in due:
        # A driver that waits for answers would have sent most of these after the freeze, and seen nothing.
        assert outcomes[number].response_s >= starts[20] + FREEZE_S - starts[number]
        assert outcomes[number].service_s == 0.002


def test_a_stall_of_the_driver_itself_counts_as_waiting_too(make_facts: MakeFacts) -> None:
    starts = [0.01 * number for number in range(40)]
    pool = Blocking(5)
    done = driven(pool, timetable(make_facts, starts, deadline_s=10.0))
    for number in range(6, 35):
        left = starts[5] + FREEZE_S - starts[number]
        assert done.outcomes[number].late_s >= left
        assert done.outcomes[number].response_s >= done.outcomes[number].late_s
        # Nobody waits longer than the deadline, counted from the intended start.
        assert pool.deadlines[number] <= 10.0 - left
    assert pool.sent == list(range(40))


def test_a_request_that_is_sent_past_its_deadline_gets_next_to_no_time(make_facts: MakeFacts) -> None:
    pool = Blocking(0)
    driven(pool, timetable(make_facts, [0.0, 0.01, 0.02], deadline_s=0.05))
    assert pool.deadlines[1] == pool.deadlines[2] == 0.001


def test_every_fate_is_counted_as_what_it_is(make_facts: MakeFacts) -> None:
    async def serve(request: Request) -> Reply:
        match request.id:
            case 1:
                raise Overloaded("the queue is full")
            case 2:
                raise DeadlineExceeded("took too long")
            case 3:
                raise WorkerDied("worker hot-1 ended")
            case 4:
                return Reply(4, failure=Failure("TaskNotFound", "no such task"), service_ns=9, worker="hot-1")
        return await answer(request)

    router = Hot(lost=[5])
    pool = FakePool(serve)
    done = driven(pool, timetable(make_facts, [0.001 * n for n in range(7)]), router)
    assert [(outcome.fate, outcome.reason) for outcome in done.outcomes] == [
        (Fate.COMPLETED, ""),
        (Fate.DROPPED, "the queue is full"),
        (Fate.TIMED_OUT, "took too long"),
        (Fate.FAILED, "WorkerDied: worker hot-1 ended"),
        (Fate.FAILED, "TaskNotFound: no such task"),
        (Fate.FAILED, "LookupError: no worker is ready"),
        (Fate.COMPLETED, ""),
    ]
    assert 5 not in pool.sent
    assert router.told == [0, 6]
    assert [outcome.tier for outcome in done.outcomes] == ["hot"] * 5 + [None, "hot"]
    assert done.usage.cpu_s == 1.5
    assert [event.kind for event in done.events] == ["spawn"]


def test_requests_are_routed_and_sent_in_the_order_of_their_starts(make_facts: MakeFacts) -> None:
    router, pool = Hot(), FakePool(answer)
    starts = sorted(0.05 * (number * 7919 % 101) / 101 for number in range(200))
    done = driven(pool, timetable(make_facts, starts), router)
    assert router.asked == pool.sent == [outcome.request for outcome in done.outcomes] == list(range(200))
    assert all(outcome.late_s >= 0 for outcome in done.outcomes)
    assert done.elapsed_s >= starts[-1]


def test_a_driver_that_is_behind_still_sees_answers(make_facts: MakeFacts) -> None:
    pool = FakePool(answer)
    driven(pool, timetable(make_facts, [0.0] * 500))
    assert pool.most_in_flight < 50


def test_the_pool_is_closed_and_collection_is_back_on_after_a_router_broke(make_facts: MakeFacts) -> None:
    class Broken(Hot):
        def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
            raise ZeroDivisionError("a bug in a router")

    pool = FakePool(answer)
    with pytest.raises(ZeroDivisionError):
        driven(pool, timetable(make_facts, [0.0, 0.01]), Broken())
    assert pool.closed == 1
    assert gc.isenabled()


def test_the_warm_up_is_no_part_of_the_outcomes(make_facts: MakeFacts) -> None:
    table = timetable(make_facts, [0.0, 0.01])
    warm = Timetable(table.requests, table.facts, table.starts, [Request(99, "task_get", "s", {})], 30.0)
    pool = FakePool(answer)
    done = driven(pool, warm)
    assert pool.sent == [99, 0, 1]
    assert [outcome.request for outcome in done.outcomes] == [0, 1]
