"""The dispatcher: watchers see each call twice, gatekeepers may turn one away, outcomes are told apart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from made_calls import MODULES, dispatching, facts_of, pool_spec

from tiergate.dispatch import Call, Dispatcher, Outcome, Shed
from tiergate.operation import Reply, Request
from tiergate.pool import Overloaded, Pool, PoolError, PoolUsage
from tiergate.routing import Choice, Cutoffs, PoolView, RequestFacts, Router, RouterSetup


class Canned(Pool):
    """Answers with what it was given."""

    def __init__(self, answer: Reply | BaseException) -> None:
        self.answer = answer

    async def start(self) -> None:
        """Nothing is started."""

    def view(self) -> PoolView:
        return PoolView([])

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        if isinstance(self.answer, Reply):
            return self.answer
        raise self.answer

    async def close(self) -> PoolUsage:
        return PoolUsage(cpu_s=0, peak_rss_bytes=0, worker_seconds=0)


class Anywhere(Router):
    """Chooses the hot tier, or raises what it was given; keeps what it learned."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(RouterSetup(cutoffs=Cutoffs(hot_s=0.01, warm_s=0.1)))
        self.error = error
        self.learned: list[float] = []

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        if self.error is not None:
            raise self.error
        return Choice("hot")

    def completed(self, facts: RequestFacts, choice: Choice, service_s: float) -> None:
        self.learned.append(service_s)


class Sees:
    """A watcher and gatekeeper that keeps what it saw."""

    def __init__(self, *, sheds: bool = False) -> None:
        self.seen: list[tuple[str, Outcome | None]] = []
        self.sheds = sheds

    def began(self, call: Call) -> None:
        self.seen.append(("began", call.outcome))

    def ended(self, call: Call) -> None:
        assert call.ended >= call.began
        self.seen.append(("ended", call.outcome))

    def admit(self, call: Call) -> None:
        assert call.choice is not None
        if self.sheds:
            raise Shed("too much to do")

    def learn(self, call: Call) -> None:
        self.seen.append(("learned", call.outcome))


def dispatcher_of(answer: Reply | BaseException, router: Router, *seen: Sees) -> Dispatcher:
    return Dispatcher(Canned(answer), router, facts_of, deadline_s=1.0, watchers=seen[:1], gatekeepers=seen)


def test_an_answered_call_teaches_the_router_and_everybody() -> None:
    router, sees = Anywhere(), Sees()
    dispatcher = dispatcher_of(Reply(1, "found", service_ns=2_000_000), router, sees)
    reply = asyncio.run(dispatcher.call("task_get", "s", {}))
    assert reply.result == "found"
    assert router.learned == [0.002]
    assert sees.seen == [("began", None), ("learned", Outcome.ANSWERED), ("ended", Outcome.ANSWERED)]
    assert not dispatcher.running


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Overloaded("full"), Outcome.OVERLOADED),
        (PoolError("broken"), Outcome.FAILED),
        (asyncio.CancelledError(), Outcome.CANCELLED),
    ],
)
def test_what_the_pool_raises_is_raised_and_told(error: BaseException, outcome: Outcome) -> None:
    router, sees = Anywhere(), Sees()
    dispatcher = dispatcher_of(error, router, sees)
    with pytest.raises(type(error)):
        asyncio.run(dispatcher.call("task_get", "s", {}))
    assert sees.seen[-1] == ("ended", outcome)
    assert router.learned == []
    assert not dispatcher.running


def test_only_gatekeepers_that_let_a_call_in_learn_of_it() -> None:
    first, sheds, last = Sees(), Sees(sheds=True), Sees()
    dispatcher = dispatcher_of(Reply(1), Anywhere(), first, sheds, last)
    with pytest.raises(Shed):
        asyncio.run(dispatcher.call("task_get", "s", {}))
    assert first.seen == [("began", None), ("learned", Outcome.SHED), ("ended", Outcome.SHED)]
    assert sheds.seen == last.seen == []


def test_a_pool_without_workers_is_told_as_such() -> None:
    dispatcher = dispatcher_of(Reply(1), Anywhere(LookupError("no worker is ready")))
    with pytest.raises(PoolError, match="task_get has no worker: no worker is ready"):
        asyncio.run(dispatcher.call("task_get", "s", {}))


def test_a_watcher_that_raises_is_left_out_and_breaks_nothing() -> None:
    class Broken(Sees):
        def began(self, call: Call) -> None:
            raise ValueError("no")

    faults: list[str] = []
    sees = Sees()
    dispatcher = Dispatcher(
        Canned(Reply(1)),
        Anywhere(),
        facts_of,
        deadline_s=1.0,
        watchers=[Broken(), sees],
        on_fault=faults.append,
    )
    for _ in range(2):
        asyncio.run(dispatcher.call("task_get", "s", {}))
    assert faults == ["Broken is left out: ValueError('no')"]
    assert len(sees.seen) == 4


def test_calls_do_not_share_their_notes_and_have_ids_of_their_own() -> None:
    calls: list[Call] = []

    class Keeps(Sees):
        def began(self, call: Call) -> None:
            assert not call.notes
            call.notes["seen"] = True
            calls.append(call)

    dispatcher = dispatcher_of(Reply(1), Anywhere(), Keeps())

    async def drive() -> None:
        await dispatcher.call("task_get", "s", {})
        await dispatcher.call("task_get", "s", {})
        await dispatcher.call("task_get", "s", {}, id="mine")

    asyncio.run(drive())
    assert len({call.id for call in calls}) == 3
    assert calls[-1].id == "mine"


@pytest.mark.integration
def test_cancelling_a_call_stops_the_work_of_a_real_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(MODULES))
    sees = Sees()

    async def drive() -> int:
        async with dispatching(pool_spec(tmp_path)) as dispatcher:
            dispatcher.watchers.append(sees)
            long = asyncio.create_task(dispatcher.call("nap", None, {"seconds": 600}))
            while not dispatcher.pool.unanswered():
                await asyncio.sleep(0.01)
            long.cancel()
            with pytest.raises(asyncio.CancelledError):
                await long
            await dispatcher.call("nap", None, {})
            return dispatcher.pool.counters().cancelled

    assert asyncio.run(drive()) == 1
    assert ("ended", Outcome.CANCELLED) in sees.seen
