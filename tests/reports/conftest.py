"""A realistic run of four routers, and the gate that judges it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from msgspec.structs import replace

from tiergate.record import (
    Affinity,
    ClassLatency,
    Comparison,
    Control,
    Environment,
    Event,
    GateCheck,
    GateRecord,
    GateVerdict,
    Interval,
    Latency,
    OracleFacts,
    PluginVersion,
    Regret,
    RequestCounts,
    Resources,
    RoutingError,
    RunRecord,
    SeriesPoint,
    Source,
    TierAccuracy,
    Variant,
    WorkloadFacts,
)

sys.path.insert(0, str(Path(__file__).parent))

CLASSES = {"hot": (1900, 3.0), "warm": (430, 40.0), "cold": (70, 520.0)}
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


@dataclass(frozen=True)
class Shape:
    """What distinguishes one made-up router from another."""

    router: str
    wait: tuple[float, float, float]
    balanced: float | None = None
    is_oracle: bool = False
    summary: str = ""


SHAPES = (
    Shape("shared-queue", (9.0, 1.8, 1.1), summary="one queue, whichever worker is free takes the next"),
    Shape("least-work-left", (7.0, 1.6, 1.15), summary="the worker with the least estimated work left"),
    Shape("size-heuristic", (1.9, 1.4, 1.5), 0.934, summary="by operation and the tasks it will read"),
    Shape("oracle", (1.6, 1.3, 1.4), 1.0, True, summary="by the sealed service time of the very request"),
)


def around(value: float, share: float = 0.07) -> Interval:
    return value * (1 - share), value * (1 + share)


def recorded(random: Random, requests: int, middle_ms: float) -> HdrHistogram:
    histogram = HdrHistogram(1, 3_600_000_000, 3)
    for _ in range(requests):
        histogram.record_value(max(1, round(random.lognormvariate(0, 0.7) * middle_ms * 1000)))
    return histogram


def latency_of(histogram: HdrHistogram) -> Latency:
    values = {name: histogram.get_value_at_percentile(share) / 1000 for name, share in PERCENTILES.items()}
    return Latency(max=histogram.get_max_value() / 1000, **values)


def made_accuracy(shape: Shape) -> TierAccuracy | None:
    if shape.balanced is None:
        return None
    perfect = shape.is_oracle
    return TierAccuracy(
        accuracy=1.0 if perfect else 0.961,
        balanced_accuracy=shape.balanced,
        macro_f1=1.0 if perfect else 0.918,
        ambiguous=0.031,
        judged=2326,
        confusion=[[1900, 0, 0], [0, 356, 0], [0, 0, 70]]
        if perfect
        else [[1868, 32, 0], [41, 315, 0], [0, 6, 64]],
        regret=0.0 if perfect else 0.043,
        regret_detail=Regret(
            value=0.0 if perfect else 0.043, interval=(0.0, 0.0) if perfect else (0.021, 0.066)
        ),
        controls=[
            Control(name="majority", accuracy=0.817, balanced_accuracy=0.333, macro_f1=0.3),
            Control(name="payload size only", accuracy=0.79, balanced_accuracy=0.402, macro_f1=0.388),
            Control(name="shuffled features", accuracy=0.68, balanced_accuracy=0.334, macro_f1=0.331),
        ],
        errors=[]
        if perfect
        else [
            RoutingError(operation="task_update", belongs="warm", chosen="hot", requests=41, example=817),
            RoutingError(operation="query", belongs="hot", chosen="warm", requests=32, example=45),
            RoutingError(operation="similar", belongs="cold", chosen="warm", requests=6, example=1201),
        ],
    )


def made_variant(shape: Shape, seed: int = 7) -> Variant:
    random = Random(f"{shape.router} {seed}")
    histograms = {
        name: recorded(random, requests, service * wait)
        for (name, (requests, service)), wait in zip(CLASSES.items(), shape.wait, strict=True)
    }
    total, service = HdrHistogram(1, 3_600_000_000, 3), HdrHistogram(1, 3_600_000_000, 3)
    for name, histogram in histograms.items():
        total.add(histogram)
        service.add(recorded(random, *CLASSES[name]))
    by_class = {
        name: ClassLatency(requests=CLASSES[name][0], response_ms=latency_of(histogram))
        for name, histogram in histograms.items()
    }
    by_length = {
        "short": ClassLatency(requests=1201, response_ms=latency_of(histograms["hot"])),
        "long": ClassLatency(requests=118, response_ms=latency_of(histograms["cold"])),
    }
    accuracy = made_accuracy(shape)
    intervals = {
        f"by_{kind}.{name}.response_ms.{percentile}": around(getattr(found.response_ms, percentile))
        for kind, group in (("class", by_class), ("length", by_length))
        for name, found in group.items()
        for percentile in ("p50", "p95", "p99")
    }
    if accuracy and not shape.is_oracle:
        intervals["tier_accuracy.balanced_accuracy"] = (0.921, 0.947)
        intervals["tier_accuracy.macro_f1"] = (0.902, 0.935)
    return Variant(
        name=shape.router,
        router=shape.router,
        pool="local 2 hot, 1 warm, 1 cold",
        store="sqlite",
        summary=shape.summary,
        is_oracle=shape.is_oracle,
        requests=RequestCounts(offered=12000, completed=12000, failed=0, timed_out=0, dropped=0),
        achieved_rps=79.6,
        response_ms=latency_of(total),
        service_ms=latency_of(service),
        lateness_ms=Latency(p50=0.08, p90=0.15, p95=0.21, p99=0.6, p999=1.9, max=3.4),
        by_class=by_class,
        by_length=by_length,
        slowdown={"shared-queue": 1.9, "least-work-left": 1.7, "size-heuristic": 0.61}.get(
            shape.router, 0.55
        ),
        tier_accuracy=accuracy,
        affinity=Affinity(hit_rate=0.24 if accuracy is None else 0.83, max_load_ratio=1.07),
        resources=Resources(cpu_s=41.7, peak_rss_bytes=412_300_000, worker_seconds=620.4),
        intervals=intervals,
        histogram={
            name: histogram.encode().decode() for name, histogram in {"all": total, **histograms}.items()
        },
        series=[
            SeriesPoint(
                at_s=float(second),
                requests=80,
                p50_ms=4 * shape.wait[0] * random.uniform(0.8, 1.3),
                p95_ms=22 * shape.wait[0] * random.uniform(0.7, 1.6),
            )
            for second in range(30)
        ],
        events=[
            Event(round=n, at_s=at, kind=kind, worker=worker, detail="")
            for n in range(1, 6)
            for at, kind, worker in (
                (0.2, "spawn", "hot-1"),
                (0.3, "spawn", "warm-1"),
                (9.4, "spawn", "cold-1"),
                (31.0, "exit", "cold-1"),
            )
        ],
    )


def made_comparisons() -> list[Comparison]:
    ratios = {
        "least-work-left": ((0.82, 0.91, 1.02), (1.01, 0.97, 1.06)),
        "size-heuristic": ((0.22, 0.25, 0.29), (1.38, 1.24, 1.52)),
        "oracle": ((0.19, 0.2, 0.24), (1.25, 0.98, 1.44)),
    }
    return [
        Comparison(
            variant=name,
            against="shared-queue",
            metric=metric,
            ratio=sorted(three)[1],
            interval=(min(three), max(three)),
        )
        for name, both in ratios.items()
        for metric, three in zip(
            ("by_length.short.response_ms.p95", "by_length.long.response_ms.p95"), both, strict=True
        )
    ]


def made_run(**changes: Any) -> RunRecord:
    run = RunRecord(
        created_at="2025-11-03T09:12:44+00:00",
        duration_s=131.2,
        command=["tiergate", "load", "--from", "our tasks/beads.jsonl", "--seed", "7", "-o", "run.json"],
        environment=Environment(
            python="3.12.7",
            platform="Linux-6.8-x86_64",
            cpu="Intel Xeon E-2388G",
            cores=2,
            load_avg=0.34,
            git_commit="9f1c2e7",
        ),
        workload=WorkloadFacts(
            name="agents",
            seed=7,
            sha256="4f0c" * 16,
            requests=2400,
            duration_s=30.1,
            offered_rps=79.7,
            effort="default",
            rounds=5,
            offered_load=0.62,
            parameters={"mix": {"task_get": 0.61, "task_update": 0.2}, "burst": 3.5},
        ),
        sources=[
            Source(
                path="our tasks/beads.jsonl",
                format="beads",
                sessions=12,
                tasks=695,
                statuses={
                    "open": ("queued", 120),
                    "closed": ("completed", 301),
                    "tombstone": ("abandoned", 251),
                    "hooked": ("active", 23),
                },
                notes=["251 tombstones were kept as abandoned tasks"],
            ),
            Source(
                path="backlog_md",
                format="backlog",
                sessions=1,
                tasks=351,
                statuses={"Done": ("completed", 351)},
            ),
        ],
        plugins=[
            PluginVersion(name="storage-sqlite", version="0.1.0"),
            PluginVersion(name="pools-local", version="0.1.0"),
        ],
        oracle=OracleFacts(
            repeats=5,
            startup_ms=182.0,
            hot_ms=14.2,
            warm_ms=161.0,
            short_ms=2.7,
            long_ms=118.0,
            training_sha256="b7aa" * 16,
            training_requests=800,
            training_ambiguous=0.028,
            ambiguous=0.031,
            classes={"hot": 1900, "warm": 356, "cold": 70},
            simulated={"short_slowdown_p95": 1.9, "long_response_ratio_p95": 1.42},
        ),
        configured_router="size-heuristic",
        variants=[made_variant(shape) for shape in SHAPES],
        comparisons=made_comparisons(),
        remarks=["The generator and the workers shared two cores."],
    )
    return replace(run, **changes)


def made_gate(verdict: GateVerdict = "pass", **changes: Any) -> GateRecord:
    interval = {"pass": (16.1, 19.4), "fail": (112.0, 131.0), "inconclusive": (88.0, 121.0)}[verdict]
    reason = {"inconclusive": "the interval holds the budget"}.get(verdict, "")
    gate = GateRecord(
        verdict=verdict,
        subject="size-heuristic",
        checks=[
            GateCheck(
                metric="by_length.short.response_ms.p95",
                value=sum(interval) / 2,
                interval=interval,
                budget="< 100 ms",
                verdict=verdict,
                title="p95 response of short requests",
                reason=reason,
            ),
            GateCheck(
                metric="tier_accuracy.balanced_accuracy",
                value=0.934,
                interval=(0.921, 0.947),
                budget="> 0.9",
                verdict="pass",
                title="balanced tier accuracy",
            ),
            GateCheck(
                metric="requests.lost",
                value=0,
                interval=(0, 0),
                budget="= 0",
                verdict="pass",
                title="lost requests",
            ),
        ],
    )
    return replace(gate, **changes)


@pytest.fixture(scope="session")
def run_record() -> RunRecord:
    """A run of four routers."""
    return made_run()


@pytest.fixture(scope="session")
def gate_of() -> Callable[..., GateRecord]:
    """Makes the gate record of a verdict, with changes."""
    return made_gate


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that draws the page."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on PATH")
    return found
