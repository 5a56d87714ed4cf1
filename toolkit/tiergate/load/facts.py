"""What a record says of the work that was sent."""

from __future__ import annotations

from collections import Counter

from tiergate.load.plan import Plan
from tiergate.load.prepare import Prepared
from tiergate.plugins import PluginHost, PluginStatus
from tiergate.record import PluginVersion, Source, WorkloadFacts


def workload_facts(plan: Plan, prepared: Prepared) -> WorkloadFacts:
    """The workload as it was sent."""
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


def sources(plan: Plan, prepared: Prepared) -> list[Source]:
    """Where the sessions came from."""
    return list(plan.sources) or [_generated(plan, prepared)]


def plugin_versions(host: PluginHost) -> list[PluginVersion]:
    """The plugins that were active."""
    return [
        PluginVersion(name=plugin.name, version=plugin.version)
        for plugin in host.plugins
        if plugin.status is PluginStatus.ACTIVE
    ]


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
