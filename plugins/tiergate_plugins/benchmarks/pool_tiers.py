"""What tiers are worth: short and long requests in tiers, beside the same in one queue."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from statistics import median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.hooks import RouterDeclaration
from tiergate.record import BenchRow
from tiergate.routing import Router, RouterSetup
from tiergate_plugins.benchmarks.pool_arrivals import Answered, drive, p95, poisson
from tiergate_plugins.benchmarks.pool_found import (
    declared,
    make_pool,
    make_runner,
    tier_routers,
)
from tiergate_plugins.benchmarks.pool_work import (
    COMPUTES,
    CUTOFFS,
    WAITS,
    Case,
    arguments_of,
    request_of,
    training_of,
)
from tiergate_plugins.benchmarks.rounds import ratio_row

TIERS, PEER = "tiers", "one shared queue, as many workers"


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row about tiers."""
    # All of these know the time of an operation; the first that is installed is as good as the others.
    found = tier_routers(setup, "operation-table") or tier_routers(setup, "size-heuristic")
    if not found:
        setup.progress("nothing of tiers: no router that tells operations apart is installed")
        return
    with make_runner() as runner:
        setup.progress(f"tiers ({found[0].name}) beside one queue, service that waits, 4 workers, 60 % load")
        yield from runner.run(_measure(setup, WAITS, found[0]))
        setup.progress(f"tiers ({found[0].name}) beside one queue, service that computes, 2 cores, 40 % load")
        with two_cores():
            yield from runner.run(_measure(setup, COMPUTES, found[0]))


@contextmanager
def two_cores() -> Iterator[None]:
    """Let this process, and those that it starts, use two cores only, where the system can say so."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:2])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _measure(setup: BenchSetup, case: Case, declaration: RouterDeclaration) -> list[BenchRow]:
    shared = next(one for _, one in declared(RouterDeclaration) if one.name == "shared-queue")
    store = f"sqlite:{setup.folder / 'tiers.db'}"
    sides = {TIERS: (declaration, case.tiers()), PEER: (shared, case.flat())}
    pools = {name: make_pool(tiers, store) for name, (_, tiers) in sides.items()}
    took: dict[tuple[str, str], list[float]] = {}
    late = []
    notices: list[list[str]] = []
    try:
        for pool in pools.values():
            await pool.start()
        arguments = await arguments_of(case, pools[TIERS])
        training = training_of(case, arguments)
        draw, names = Random(1), list(sides)
        for number in range(2 if setup.quick else case.rounds):
            count = 200 if setup.quick else case.requests
            dues = poisson(number, count, case.rate, lambda one, by: request_of(case, arguments, one, by))
            draw.shuffle(names)
            for name in names:
                router = sides[name][0].build(RouterSetup(cutoffs=CUTOFFS, training=training))
                answers = await drive(pools[name], router, dues)
                for kind, value in _percentiles(answers).items():
                    took.setdefault((name, kind), []).append(value)
                late.append(p95([one.late_s for one in answers]))
                if name == TIERS:
                    notices.append(_notices(router))
    finally:
        for pool in pools.values():
            await pool.close()
    return _rows(case, took, {"late_p95_ms": 1e3 * median(late)}, notices)


def _percentiles(answers: list[Answered]) -> dict[str, float]:
    long = [one.response_s for one in answers if one.due.request.operation.endswith("long")]
    short = [one.response_s for one in answers if one.due.request.operation.endswith("short")]
    return {"short": p95(short), "long": p95(long)}


def _notices(router: Router) -> list[str]:
    """What a guard has said, of a router that has one."""
    return list(getattr(router, "notices", list)())


def _rows(
    case: Case, took: dict[tuple[str, str], list[float]], details: dict[str, float], notices: list[list[str]]
) -> list[BenchRow]:
    made = {}
    for kind, target in (("short", case.short_target), ("long", "<= 2")):
        row = ratio_row(
            f"tiers: {kind} p95, service that {case.name}s",
            took[TIERS, kind],
            took[PEER, kind],
            peer=PEER,
            target=target,
            unit="ms",
        )
        made[kind] = msgspec.structs.replace(row, details={**row.details, **details})
    if case is COMPUTES:
        ratios = [one / other for one, other in zip(took[TIERS, "long"], took[PEER, "long"], strict=True)]
        made["long"] = flagged(made["long"], ratios, notices)
    return list(made.values())


def flagged(row: BenchRow, ratios: Sequence[float], notices: Sequence[Sequence[str]]) -> BenchRow:
    """The row about long requests, reached also above its target where the guard has said so each time.

    Args:
        ratios: of each round.
        notices: what the guard said in each round.
    """
    passed = [said for ratio, said in zip(ratios, notices, strict=True) if ratio > 2]
    silent = sum(not said for said in passed)
    said = next((f"; it said {said[0]!r}" for said in passed if said), "")
    note = f"{len(passed)} of {len(ratios)} rounds above 2, the guard silent in {silent} of these{said}"
    return msgspec.structs.replace(
        row, target="<= 2 or flagged", reached=bool(row.reached) or not silent, note=note
    )
