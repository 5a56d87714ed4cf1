"""A profile from plan to record."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

from tiergate.environment import environment
from tiergate.errors import counted, unknown_name
from tiergate.hooks import ProfilerDeclaration
from tiergate.load.driver import Timetable
from tiergate.load.experiment import event_loop
from tiergate.load.facts import plugin_versions, sources, workload_facts
from tiergate.load.plan import Plan, Progress
from tiergate.load.prepare import Prepared, prepare
from tiergate.load.stage import make_stage
from tiergate.load.stopping import stopping
from tiergate.plugins import PluginHost
from tiergate.profile_record import ProfileOverhead, ProfileRecord
from tiergate.profiler import ProfileSpec
from tiergate.profiling.adding_up import (
    Stacks,
    components_of,
    hot_spots_of,
    processes_of,
    stacks_of,
    tail_of,
)
from tiergate.profiling.components import IDLE
from tiergate.profiling.overhead import operations, overhead
from tiergate.profiling.rounds import Course, Pair, drive_pairs, only
from tiergate.profiling.samples import all_samples, slow_requests

MUCH_OVERHEAD = 2.0
"""From there on a reader is warned that shares may be those of the profiler."""

FEW_SAMPLES = 1000
"""Below that, small shares are chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlan:
    """What to profile.

    Attributes:
        load: the run; one router, and as many pairs of rounds as it has rounds.
        operation: the only one that is sent; empty for all.
    """

    load: Plan
    profiler: ProfilerDeclaration
    interval_s: float
    operation: str = ""


def profile(plan: ProfilePlan, host: PluginHost, progress: Progress) -> ProfileRecord:
    """Do a load run with a profiler in every other round. No process and no file of it is left.

    Raises:
        UsageError: the plan names what nobody declares.
        RunError: the run broke, so there is nothing to record.
    """
    began = perf_counter()
    created = datetime.now(UTC)
    machine = environment()
    load = plan.load
    spec = ProfileSpec(
        plugin=host.plugin_of(ProfilerDeclaration, plan.profiler.name).reference,
        profiler=plan.profiler.name,
        interval_s=plan.interval_s,
        folder="",
    )
    runner = asyncio.Runner(loop_factory=event_loop)
    with stopping(runner) as work, make_stage(host, load.store, load.pool) as stage, runner:
        prepared = work.run(prepare(load, stage, progress))
        timetable = _timetable(plan, prepared)
        pairs = work.run(drive_pairs(Course(load, stage, prepared, timetable, spec), progress))
    slow = slow_requests(pairs)
    samples = all_samples(pairs, slow)
    found = stacks_of(samples)
    response_s = sum(one.response_s for outcomes in slow for one in outcomes)
    cost = overhead(pairs)
    return ProfileRecord(
        created_at=created.isoformat(timespec="seconds"),
        duration_s=round(perf_counter() - began, 3),
        command=list(load.command),
        environment=machine,
        workload=workload_facts(load, prepared),
        sources=sources(load, prepared),
        plugins=plugin_versions(host),
        router=load.configured_router,
        store=load.store,
        profiler=plan.profiler.name,
        interval_ms=1000 * plan.interval_s,
        operation=plan.operation,
        overhead=cost,
        tail=tail_of(found, slow),
        processes=processes_of(found, _tiers(load, found.workers), _cut_short(pairs)),
        operations=operations(pairs, timetable.requests),
        components=components_of(found, response_s),
        hot_spots=hot_spots_of(found, response_s),
        frames=list(found.frames),
        stacks=list(found.stacks),
        remarks=list(_remarks(load.pool, cost, found)),
    )


def _timetable(plan: ProfilePlan, prepared: Prepared) -> Timetable:
    """What to send.

    Raises:
        UsageError: the operation that was named is not among the requests.
    """
    if not plan.operation:
        return prepared.timetable
    kept = only(prepared.timetable, plan.operation)
    if not kept.requests:
        sent = {request.operation for request in prepared.timetable.requests}
        raise unknown_name("operation", plan.operation, sent, where=f"workload {plan.load.workload.name}")
    return kept


def _tiers(load: Plan, workers: Sequence[str]) -> dict[str, str]:
    """The tier of each worker: its name begins with it."""
    [router] = load.routers
    tiers = [tier.name for tier in load.tiers_of(router)]
    return {worker: tier for worker in workers for tier in tiers if worker.rpartition("-")[0] == tier}


def _cut_short(pairs: Sequence[Pair]) -> Counter[str]:
    return Counter(handed.worker for pair in pairs for handed in pair.profiled.workers if not handed.is_whole)


def _remarks(pool: str, cost: ProfileOverhead, found: Stacks) -> Iterator[str]:
    if len(found.workers) < 2:
        yield f"No worker was seen: the pool {pool} does not pass `PoolSpec.profiling` on to its workers."
    if cost.service >= MUCH_OVERHEAD:
        yield (
            f"Sampling made requests take {cost.service:.3g} times as long, most where much is called: shares"
            " may be those of the profiler. A longer --interval, or --profiler thread, costs less."
        )
    samples = sum(stack.samples for stack in found.stacks if stack.component != IDLE)
    if samples < FEW_SAMPLES:
        yield (
            f"{counted(samples, 'sample')} of work are few: small shares are chance. More requests or rounds"
            " (--thorough), or a shorter --interval, bring more."
        )
