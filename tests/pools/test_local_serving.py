"""What a local pool of real workers answers, in which order, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.operation import Reply, Request
from tiergate.pool import Overloaded, PoolError, PoolSpec, TierSpec, WorkerDied
from tiergate.routing import Choice
from tiergate_plugins.pools.local import tiergate_pools
from tiergate_plugins.pools.local_pool import LocalPool

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]
TIERS = (TierSpec("hot", 2), TierSpec("cold", 1, nice=5))


def nap(number: int, seconds: float = 0.0, log: Path | None = None) -> Request:
    arguments = {"seconds": seconds, "line": str(number), "log": str(log) if log else None}
    return Request(number, "nap", None, arguments)


def test_the_plugin_declares_the_pool(make_spec: SpecMaker) -> None:
    (declared,) = tiergate_pools()
    assert declared.name == "local"
    assert isinstance(declared.build(make_spec()), LocalPool)


def test_serves_operations_on_the_store(make_spec: SpecMaker) -> None:
    async def run() -> tuple[Reply, Reply, Reply]:
        async with LocalPool(make_spec()) as pool:
            update = {"task": "b", "append_notes": "done"}
            return (
                await pool.submit(Request(1, "task_update", "s", update), Choice()),
                await pool.submit(Request(2, "task_get", "s", {"task": "b"}), Choice()),
                await pool.submit(Request(3, "task_get", "s", {"task": "zz"}), Choice()),
            )

    updated, got, refused = asyncio.run(run())
    assert updated == Reply(1, {"version": 2}, None, updated.service_ns, "hot-1", updated.store_ns)
    assert 0 < updated.store_ns <= updated.service_ns
    assert got.result == {"id": "b", "title": "second", "notes": "done"}
    assert min(updated.service_ns, got.service_ns, refused.service_ns) > 0
    assert refused.failure is not None
    assert (refused.failure.kind, refused.result) == ("TaskNotFound", None)


@pytest.mark.parametrize(
    ("operation", "arguments", "kind", "words"),
    [
        ("nap", {"seconds": "long"}, "OperationError", "arguments of nap"),
        ("napp", {}, "UsageError", "did you mean 'nap'?"),
        ("task_get", {"task": "a"}, "OperationError", "task_get needs a session"),
        ("end", {"kind": "raise"}, "OperationCrashed", "two"),
    ],
)
def test_what_an_operation_refuses_is_a_reply_of_one_line(
    make_spec: SpecMaker, operation: str, arguments: dict[str, str], kind: str, words: str
) -> None:
    async def run() -> Reply:
        async with LocalPool(make_spec()) as pool:
            return await pool.submit(Request(9, operation, None, arguments), Choice())

    reply = asyncio.run(run())
    assert reply.failure is not None
    assert reply.failure.kind == kind
    assert words in reply.failure.message
    assert "\n" not in reply.failure.message
    assert reply.worker == "hot-1"


def test_a_result_that_cannot_be_sent_is_a_failure_and_the_worker_lives_on(make_spec: SpecMaker) -> None:
    kinds = ("object", "integer", "surrogate", "set of objects", "cycle")

    async def run() -> tuple[list[Reply], list[str]]:
        async with LocalPool(make_spec()) as pool:
            replies = [
                await pool.submit(Request(number, "odd_result", None, {"kind": kind}), Choice())
                for number, kind in enumerate(kinds)
            ]
            return replies, [event.kind for event in pool.events()]

    replies, events = asyncio.run(run())
    assert [reply.failure.kind for reply in replies if reply.failure] == ["ResultNotEncodable"] * len(kinds)
    assert [reply.id for reply in replies] == list(range(len(kinds)))
    assert events == ["spawn"]


def test_a_request_that_cannot_be_sent_is_a_named_error(make_spec: SpecMaker) -> None:
    async def run() -> tuple[BaseException, Reply]:
        async with LocalPool(make_spec()) as pool:
            with pytest.raises(PoolError, match="cannot be sent") as caught:
                await pool.submit(Request(1, "nap", None, {"seconds": object()}), Choice())
            return caught.value, await pool.submit(nap(2), Choice())

    error, after = asyncio.run(run())
    assert type(error) is PoolError
    assert after.failure is None


def test_requests_go_to_the_tier_and_worker_they_name(make_spec: SpecMaker) -> None:
    choices = [
        Choice("cold"),
        Choice("hot"),
        Choice("hot", "hot-2"),
        Choice(None, "hot-1"),
        Choice(None, "cold-1"),
    ]

    async def run() -> list[tuple[Choice, Reply]]:
        async with LocalPool(make_spec(TIERS)) as pool:
            sent = [
                (choice, pool.submit(nap(number), choice))
                for number, choice in enumerate(choices * 5)  # more than there are workers, so that some wait
            ]
            replies = await asyncio.gather(*(answer for _, answer in sent))
            return [(choice, reply) for (choice, _), reply in zip(sent, replies, strict=True)]

    answered = asyncio.run(run())
    assert [reply.id for _, reply in answered] == list(range(25))
    for choice, reply in answered:
        assert choice.tier is None or reply.worker.startswith(f"{choice.tier}-")
        assert choice.worker in (None, reply.worker)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice("tepid"), r"no tier 'tepid' \(known: cold, hot\)"),
        (Choice("hot", "hot-3"), r"no worker 'hot-3' \(known: hot-1, hot-2, cold-1\)"),
        (Choice("cold", "hot-1"), "worker 'hot-1' is not of tier 'cold'"),
    ],
)
def test_a_choice_that_no_worker_can_meet_is_refused(
    make_spec: SpecMaker, choice: Choice, message: str
) -> None:
    async def run() -> None:
        async with LocalPool(make_spec(TIERS)) as pool, asyncio.timeout(30):
            await pool.submit(nap(1), choice)

    with pytest.raises(PoolError, match=message):
        asyncio.run(run())


def test_the_shared_queue_is_first_in_first_out(make_spec: SpecMaker, tmp_path: Path) -> None:
    log = tmp_path / "order.log"
    # Waiting for the pool, the tier or the worker: the oldest goes first all the same.
    ways = (Choice(), Choice("hot"), Choice("hot", "hot-1"))

    async def run() -> None:
        async with LocalPool(make_spec()) as pool:
            await asyncio.gather(*(pool.submit(nap(n, log=log), ways[n % 3]) for n in range(30)))

    asyncio.run(run())
    assert log.read_text().split() == [str(number) for number in range(30)]


def test_view_counts_what_was_assigned_to_each_worker(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec(TIERS)) as pool:
            choice = Choice("hot", "hot-1", 0.25)
            answers = [asyncio.create_task(pool.submit(nap(n, 0.1), choice)) for n in range(3)]
            await asyncio.sleep(0)
            by_name = {worker.name: worker for worker in pool.view().workers}
            assert {name: worker.tier for name, worker in by_name.items()} == {
                "hot-1": "hot",
                "hot-2": "hot",
                "cold-1": "cold",
            }
            assert (by_name["hot-1"].waiting, by_name["hot-1"].work_left_s) == (3, 0.75)
            assert (by_name["hot-2"].waiting, by_name["hot-2"].work_left_s) == (0, 0.0)
            await asyncio.gather(*answers)
            assert [worker.waiting for worker in pool.view().workers] == [0, 0, 0]

    asyncio.run(run())


def test_a_full_queue_refuses_one_more_and_serves_the_rest(make_spec: SpecMaker) -> None:
    async def run() -> tuple[list[Reply], Reply]:
        async with LocalPool(make_spec(queue_limit=2)) as pool:
            answers = [asyncio.create_task(pool.submit(nap(n, 0.05), Choice())) for n in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded, match="2 requests wait already"):
                await pool.submit(nap(3), Choice())
            return await asyncio.gather(*answers), await pool.submit(nap(4), Choice())

    served, later = asyncio.run(run())
    assert [reply.id for reply in (*served, later)] == [0, 1, 2, 4]


def test_a_request_given_up_while_it_waits_is_not_run(make_spec: SpecMaker, tmp_path: Path) -> None:
    log = tmp_path / "order.log"

    async def run() -> None:
        async with LocalPool(make_spec(queue_limit=1)) as pool:
            first = asyncio.create_task(pool.submit(nap(0, 0.05, log), Choice()))
            second = asyncio.create_task(pool.submit(nap(1, 0, log), Choice()))
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.sleep(0)
            # Its place in the queue is free again.
            third = asyncio.create_task(pool.submit(nap(2, 0, log), Choice()))
            await asyncio.gather(first, third)

    asyncio.run(run())
    assert log.read_text().split() == ["0", "2"]


def test_close_fails_what_runs_and_waits_and_may_be_called_twice(
    make_spec: SpecMaker, no_children: Callable[[], bool]
) -> None:
    async def run() -> None:
        pool = LocalPool(make_spec())
        await pool.start()
        answers = [asyncio.create_task(pool.submit(nap(n, 600), Choice())) for n in range(3)]
        await asyncio.sleep(0)
        first = await pool.close()
        assert await pool.close() == first
        for answer in answers:
            with pytest.raises(WorkerDied, match="the pool was closed"):
                await answer
        with pytest.raises(WorkerDied, match="the pool is closed"):
            await pool.submit(nap(9), Choice())

    asyncio.run(run())
    assert no_children()


def test_usage_counts_every_worker(make_spec: SpecMaker) -> None:
    async def run() -> None:
        pool = LocalPool(make_spec(TIERS))
        async with pool:
            busy = Request(1, "spin", None, {"seconds": 0.2})
            await asyncio.gather(*(pool.submit(busy, Choice(None, name)) for name in ("hot-1", "cold-1")))
        usage = await pool.close()
        assert usage.cpu_s > 0.4
        assert usage.peak_rss_bytes > 3 * 5_000_000
        assert usage.worker_seconds > 0.4

    asyncio.run(run())
