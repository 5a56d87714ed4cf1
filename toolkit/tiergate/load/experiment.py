"""A load run from plan to record."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

from tiergate.environment import environment
from tiergate.load.plan import Plan, Progress
from tiergate.load.prepare import Prepared, prepare
from tiergate.load.remarks import compare, remarks, too_few
from tiergate.load.rounds import drive_rounds
from tiergate.load.stage import make_stage
from tiergate.load.stopping import stopping
from tiergate.load.summary import ambiguous_share, summarise
from tiergate.load.sweep import sweep
from tiergate.plugins import PluginHost, PluginStatus
from tiergate.record import (
    OracleFacts,
    PluginVersion,
    RunRecord,
    Source,
    WorkloadFacts,
)
from tiergate.routing import TIERS


def run(plan: Plan, host: PluginHost, progress: Progress) -> RunRecord:
    """Do a load run. No process and no file of it is left, however it ends.

    Raises:
        UsageError: the plan names what nobody declares.
        RunError: the run broke, so there is nothing to record.
    """
    began = perf_counter()
    created = datetime.now(UTC)
    machine = environment()
    runner = asyncio.Runner(loop_factory=_event_loop)
    with stopping(runner) as work, make_stage(host, plan.store, plan.pool) as stage, runner:
        prepared = work.run(prepare(plan, stage, progress))
        rounds = work.run(drive_rounds(plan, stage, prepared, progress))
        searches = work.run(sweep(plan, stage, prepared, progress)) if plan.sweep else {}
    plugins = [
        PluginVersion(name=plugin.name, version=plugin.version)
        for plugin in host.plugins
        if plugin.status is PluginStatus.ACTIVE
    ]
    variants = summarise(plan, prepared, rounds, searches)
    comparisons = compare(prepared, rounds)
    return RunRecord(
        created_at=created.isoformat(timespec="seconds"),
        duration_s=round(perf_counter() - began, 3),
        command=list(plan.command),
        environment=machine,
        workload=_workload(plan, prepared),
        sources=list(plan.sources) or [_generated(plan, prepared)],
        plugins=plugins,
        oracle=_oracle(prepared),
        configured_router=plan.configured_router,
        variants=variants,
        comparisons=comparisons,
        too_few=too_few(plan, prepared),
        remarks=remarks(plan, prepared, rounds, variants, comparisons),
    )


def _event_loop() -> asyncio.AbstractEventLoop:
    # select() takes its timeout in microseconds, epoll in milliseconds: a request would start late.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def _workload(plan: Plan, prepared: Prepared) -> WorkloadFacts:
    starts = prepared.timetable.starts
    duration = starts[-1] - starts[0]
    operations = Counter(request.operation for request in prepared.judged.trace.requests)
    return WorkloadFacts(
        name=plan.workload.name,
        seed=plan.seed,
        sha256=prepared.judged.trace.sha256,
        requests=len(starts),
        duration_s=duration,
        offered_rps=prepared.rate_rps if plan.clients is None else 0.0,
        effort=plan.effort_name,
        rounds=plan.effort.rounds,
        offered_load=prepared.offered_load if plan.clients is None else 0.0,
        parameters={
            "operations": dict(operations.most_common()),
            "deadline_s": plan.deadline_s,
            **_replayed(plan),
        },
        loop="open" if plan.clients is None else "closed",
        clients=plan.clients,
        arrivals=plan.arrivals,
        target="pool" if plan.aim is None else plan.aim.text,
    )


def _replayed(plan: Plan) -> dict[str, str]:
    """Which trace was replayed, and whether at its own rate."""
    if plan.replay is None:
        return {}
    recorded = f"{plan.replay.rate_rps:.6g}/s"
    rate = f"as recorded, {recorded}"
    if plan.rate_rps is not None:
        rate = f"stretched from {recorded} to {plan.rate_rps:.6g}/s"
    return {"trace": plan.replay.path, "rate": rate}


def _generated(plan: Plan, prepared: Prepared) -> Source:
    if plan.is_of_tools and plan.aim is not None:
        return Source(path=f"whatever {plan.aim.text} serves", format="tools", sessions=0, tasks=0)
    sessions = prepared.judged.sessions
    return Source(
        path=f"generated: {plan.workload.name}, seed {plan.seed}",
        format="generated",
        sessions=len(sessions),
        tasks=sum(len(session.tasks) for session in sessions),
    )


def _oracle(prepared: Prepared) -> OracleFacts | None:
    if not prepared.is_sealed:
        return None
    training, sealed = prepared.training, prepared.judged.sealed
    candidate = training.candidate
    labels = Counter(prepared.labels)
    requests = len(training.measured.trace.requests)
    return OracleFacts(
        repeats=len(sealed.times[0]),
        startup_ms=1000 * median(sealed.startup_s),
        hot_ms=1000 * candidate.cutoffs.hot_s,
        warm_ms=1000 * candidate.cutoffs.warm_s,
        short_ms=1000 * training.short_s,
        long_ms=1000 * training.long_s,
        training_sha256=training.measured.trace.sha256,
        training_requests=requests,
        training_ambiguous=1 - len(training.labels) / requests,
        ambiguous=ambiguous_share(prepared),
        classes={tier: labels[tier] for tier in TIERS},
        simulated={
            "short_slowdown_p95": candidate.short_slowdown_p95,
            "long_response_ratio_p95": candidate.long_ratio,
        },
        sealed_at=prepared.sealed_at,
    )
