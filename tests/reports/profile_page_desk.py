"""Records of a profile and of advice, made by hand."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tiergate.advice_record import AdviceMetric, AdviceRecord, AdviceStep
from tiergate.profile_record import (
    ComponentTime,
    HotSpot,
    ProfiledOperation,
    ProfileFrame,
    ProfileOverhead,
    ProfileProcess,
    ProfileRecord,
    ProfileStack,
    ProfileTail,
)
from tiergate.record import Environment, Source, WorkloadFacts

FRAMES = [
    ProfileFrame(
        function="search", file="tiergate_plugins/operations/search.py", line=41, component="search"
    ),
    ProfileFrame(
        function="_cosine", file="tiergate_plugins/operations/search.py", line=79, component="search"
    ),
    ProfileFrame(function="log", file="<built-in>", line=0),
    ProfileFrame(function="Link._read", file="tiergate_plugins/pools/link.py", line=60, component="wire"),
]


def stack(process: int, operation: str, frames: list[int], component: str, seconds: float) -> ProfileStack:
    return ProfileStack(
        process=process,
        operation=operation,
        frames=frames,
        component=component,
        samples=round(1000 * seconds),
        seconds=seconds,
    )


def make_profile(**changes: Any) -> ProfileRecord:
    """Half of the time in `_cosine`, three tenths in `log` below it, a tenth each for two others."""
    record = ProfileRecord(
        created_at="2026-03-04T05:06:07+00:00",
        duration_s=20.0,
        command=["tiergate", "profile"],
        environment=Environment(
            python="3.11.7", platform="Linux", cpu="cpu", cores=2, load_avg=0.5, git_commit="abc"
        ),
        workload=WorkloadFacts(
            name="agents",
            seed=1,
            sha256="a1b2" * 16,
            requests=500,
            duration_s=2.0,
            offered_rps=250.0,
            effort="quick",
            rounds=3,
            offered_load=0.5,
        ),
        sources=[Source(path="generated", format="generated", sessions=3, tasks=30)],
        plugins=[],
        router="size-heuristic",
        store="sqlite:",
        profiler="pyinstrument",
        interval_ms=1.0,
        overhead=ProfileOverhead(
            service=1.25,
            service_interval=(1.2, 1.3),
            response_p95=1.5,
            response_p95_interval=(1.1, 2.0),
            pairs=3,
        ),
        tail=ProfileTail(p95_ms=13.9, requests=75, waiting=0.25, unseen=0.01),
        processes=[
            ProfileProcess(name="coordinator", samples=1100, busy_s=0.1, idle_s=1.0),
            ProfileProcess(name="cold-1", tier="cold", samples=2900, busy_s=0.9, idle_s=2.0, cut_short=1),
        ],
        operations=[ProfiledOperation(name="search", requests=1500, service_s=0.9, overhead=1.4)],
        components=[
            ComponentTime(name="search", self_s=0.9, total_s=0.9, share=0.9, share_of_p95=0.74),
            ComponentTime(name="wire", self_s=0.1, total_s=0.1, share=0.1, share_of_p95=0.0),
        ],
        hot_spots=[
            HotSpot(
                function="_cosine",
                file="tiergate_plugins/operations/search.py",
                line=79,
                component="search",
                self_s=0.5,
                total_s=0.8,
                share=0.5,
                share_of_p95=0.4,
            )
        ],
        frames=FRAMES,
        stacks=[
            stack(0, "", [3], "wire", 0.1),
            stack(0, "", [3], "idle", 1.0),
            stack(1, "search", [0], "search", 0.1),
            stack(1, "search", [0, 1], "search", 0.5),
            stack(1, "search", [0, 1, 2], "search", 0.3),
            stack(1, "", [3], "idle", 2.0),
        ],
        remarks=["Sampling made requests slow."],
    )
    return replace(record, **changes)


def make_advice() -> AdviceRecord:
    """One step that is justified, and three metrics."""
    profile = make_profile()
    step = AdviceStep(
        step="sqlite",
        title="Store sessions in SQLite",
        verdict="justified",
        triggers=[],
        gain=[],
        why="Because it is faster.",
        effort="an hour",
        cost="nothing",
        next="tiergate import",
    )
    return AdviceRecord(
        created_at="now",
        duration_s=1.0,
        command=["tiergate", "advise"],
        environment=profile.environment,
        sources=profile.sources,
        plugins=[],
        current="json",
        measured_tasks=3,
        requests=2,
        trace="",
        sha256="ab" * 32,
        metrics=[AdviceMetric(name=f"m{n}", title="a metric", value=1.0) for n in range(3)],
        advice=[step],
        remarks=["A remark."],
    )
