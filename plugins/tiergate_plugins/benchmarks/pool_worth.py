"""What affinity is worth: service times of session operations, placed by session and placed at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from statistics import median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.hooks import RouterDeclaration
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, TierSpec
from tiergate.record import BenchRow
from tiergate.routing import Choice, Cutoffs, RequestFacts, RouterSetup
from tiergate_plugins.benchmarks.pool_facts import agents, all_facts, fill, operations, supposed
from tiergate_plugins.benchmarks.pool_found import DEADLINE_S, make_pool, make_runner, sender, tier_routers
from tiergate_plugins.benchmarks.rounds import ratio_row

WORKERS = 4
AFFINITY, RANDOM = "affinity", "a random worker for each request"

Placing = Callable[[RequestFacts, Pool], Choice]


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """p50 of service time, over the requests of the workload `agents` that name a session."""
    found = tier_routers(setup, "size-heuristic")
    if not found:
        return
    setup.progress(f"what affinity is worth: {WORKERS} workers on one sqlite: store")
    with make_runner() as runner:
        took = runner.run(_measure(setup, found[0]))
    name = "affinity: service p50 of session operations"
    yield ratio_row(name, took[AFFINITY], took[RANDOM], peer=RANDOM, target="<= 0.7")


async def _measure(setup: BenchSetup, declaration: RouterDeclaration) -> dict[str, list[float]]:
    each = 60 if setup.quick else 400
    rounds = 2 if setup.quick else 12
    sessions, made = agents(11, 3000, 2 * each * rounds)
    requests = [one for one in made if one.session is not None]
    plugins = sorted({operations()[one.operation][0] for one in requests})
    pools: dict[str, Pool] = {}
    took: dict[str, list[float]] = {AFFINITY: [], RANDOM: []}
    try:
        for number, name in enumerate(took):
            address, sizes = fill(setup, setup.folder / f"worth-{number}.db", sessions)
            pools[name] = make_pool([TierSpec("hot", WORKERS)], address, plugins)
            await pools[name].start()
        facts = all_facts(requests, sizes)
        placings = {AFFINITY: _by_session(declaration, facts), RANDOM: _at_random()}
        draw, names = Random(1), list(took)
        # The first block fills what workers keep, on both sides.
        for start in range(0, each * (rounds + 1), each):
            draw.shuffle(names)
            block = list(zip(requests, facts, strict=True))[start : start + each]
            replies = {name: await _serve(pools[name], placings[name], block) for name in names}
            require_equal(replies[AFFINITY], replies[RANDOM])
            for name in names:
                took[name].append(median(one.service_ns for one in replies[name]) / 1e9)
    finally:
        for pool in pools.values():
            await pool.close()
    return {name: found[1:] for name, found in took.items()}


def _by_session(declaration: RouterDeclaration, facts: Sequence[RequestFacts]) -> Placing:
    setup = RouterSetup(cutoffs=Cutoffs(hot_s=1e3, warm_s=2e3), training=supposed(facts[:300]))
    router = declaration.build(setup)
    return lambda one, pool: router.choose(one, pool.view())


def _at_random() -> Placing:
    draw = Random(5)
    return lambda _, pool: Choice("hot", draw.choice(pool.view().workers).name)


async def _serve(pool: Pool, place: Placing, block: Sequence[tuple[Request, RequestFacts]]) -> list[Reply]:
    """One request after the other, so that no worker waits for the processor of another."""
    send = sender(pool)
    return [await send(request, place(facts, pool), deadline_s=DEADLINE_S) for request, facts in block]


def require_equal(one: Sequence[Reply], other: Sequence[Reply]) -> None:
    """Refuse figures of sides that did not give equal answers.

    Raises:
        RunError: a request failed, or its results differ.
    """
    for first, second in zip(one, other, strict=True):
        for reply in (first, second):
            if reply.failure is not None:
                raise RunError(f"a session operation failed: {reply.failure.message}")
        if msgspec.msgpack.encode(first.result) != msgspec.msgpack.encode(second.result):
            raise RunError(f"request {first.id} has another result with affinity than without")
