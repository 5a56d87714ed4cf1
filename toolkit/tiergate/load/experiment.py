"""A load run from plan to record."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

from tiergate.environment import environment
from tiergate.load.facts import plugin_versions, sources, workload_facts
from tiergate.load.plan import Plan, Progress
from tiergate.load.prepare import Prepared, prepare
from tiergate.load.remarks import compare, remarks, too_few
from tiergate.load.rounds import drive_rounds
from tiergate.load.stage import make_stage
from tiergate.load.stopping import stopping
from tiergate.load.summary import ambiguous_share, summarise
from tiergate.load.sweep import sweep
from tiergate.plugins import PluginHost
from tiergate.record import OracleFacts, RunRecord
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
    runner = asyncio.Runner(loop_factory=event_loop)
    with stopping(runner) as work, make_stage(host, plan.store, plan.pool) as stage, runner:
        prepared = work.run(prepare(plan, stage, progress))
        rounds = work.run(drive_rounds(plan, stage, prepared, progress))
        searches = work.run(sweep(plan, stage, prepared, progress)) if plan.sweep else {}
    variants = summarise(plan, prepared, rounds, searches)
    comparisons = compare(prepared, rounds)
    return RunRecord(
        created_at=created.isoformat(timespec="seconds"),
        duration_s=round(perf_counter() - began, 3),
        command=list(plan.command),
        environment=machine,
        workload=workload_facts(plan, prepared),
        sources=sources(plan, prepared),
        plugins=plugin_versions(host),
        oracle=_oracle(prepared),
        configured_router=plan.configured_router,
        variants=variants,
        comparisons=comparisons,
        too_few=too_few(plan, prepared),
        remarks=remarks(plan, prepared, rounds, variants, comparisons),
    )


def event_loop() -> asyncio.AbstractEventLoop:
    """The loop that load is driven from."""
    # select() takes its timeout in microseconds, epoll in milliseconds: a request would start late.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


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
