"""Run records made for the gate: one variant, with the figures that a test is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tiergate.record import (
    Affinity,
    ClassLatency,
    Environment,
    Interval,
    Latency,
    OracleFacts,
    Regret,
    RequestCounts,
    Resources,
    RunRecord,
    TierAccuracy,
    Variant,
    WorkloadFacts,
)

MakeRecord = Callable[..., RunRecord]


def latency(p95: float) -> Latency:
    return Latency(p50=p95 / 4, p90=p95 / 2, p95=p95, p99=p95 * 2, p999=p95 * 3, max=p95 * 4)


def accuracy(balanced: float, ambiguous: float) -> TierAccuracy:
    return TierAccuracy(
        accuracy=balanced,
        balanced_accuracy=balanced,
        macro_f1=balanced,
        ambiguous=ambiguous,
        judged=100,
        confusion=[[90, 0, 0], [0, 6, 0], [0, 0, 4]],
        regret=None,
        regret_detail=Regret(value=None, interval=None, reason="one round gives no interval"),
        controls=[],
    )


def variant(
    p95: tuple[float, Interval],
    balanced: tuple[float, Interval] | None,
    ambiguous: float,
    lost: int,
) -> Variant:
    intervals = {"by_length.short.response_ms.p95": p95[1]}
    if balanced:
        intervals["tier_accuracy.balanced_accuracy"] = balanced[1]
    short = latency(p95[0])
    return Variant(
        name="size-heuristic",
        router="size-heuristic",
        pool="local: 2 hot, 1 warm, 2 cold",
        store="sqlite:",
        summary="made",
        is_oracle=False,
        requests=RequestCounts(offered=600, completed=600 - lost, failed=0, timed_out=lost, dropped=0),
        achieved_rps=50.0,
        response_ms=short,
        service_ms=short,
        lateness_ms=short,
        by_class={
            "hot": ClassLatency(requests=600, response_ms=short),
            "cold": ClassLatency(requests=0, response_ms=None),
        },
        by_length={
            "short": ClassLatency(requests=300, response_ms=short),
            "long": ClassLatency(requests=30, response_ms=short),
        },
        slowdown=0.4,
        tier_accuracy=accuracy(balanced[0], ambiguous) if balanced else None,
        affinity=Affinity(hit_rate=None, max_load_ratio=1.0),
        resources=Resources(cpu_s=2.0, peak_rss_bytes=1 << 25, worker_seconds=9.0),
        intervals=intervals,
        histogram={},
    )


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """A run that keeps the default budgets, unless told otherwise."""

    def make(
        *,
        p95: tuple[float, Interval] = (20.0, (18.0, 22.0)),
        balanced: tuple[float, Interval] | None = (0.95, (0.92, 0.97)),
        ambiguous: float = 0.02,
        lost: int = 0,
        **values: Any,
    ) -> RunRecord:
        usual: dict[str, Any] = {
            "created_at": "2026-01-05T09:00:00+00:00",
            "duration_s": 60.0,
            "command": ["tiergate", "load"],
            "environment": Environment(
                python="3.12.1", platform="Linux", cpu="made", cores=2, load_avg=0.1, git_commit=None
            ),
            "workload": WorkloadFacts(
                name="agents",
                seed=7,
                sha256="0" * 64,
                requests=200,
                duration_s=4.0,
                offered_rps=50.0,
                effort="default",
                rounds=3,
                offered_load=0.5,
            ),
            "sources": [],
            "plugins": [],
            "oracle": OracleFacts(
                repeats=6,
                startup_ms=90.0,
                hot_ms=1.0,
                warm_ms=10.0,
                short_ms=0.8,
                long_ms=30.0,
                training_sha256="1" * 64,
                training_requests=200,
                training_ambiguous=0.01,
                ambiguous=ambiguous,
                classes={"hot": 90, "warm": 6, "cold": 4},
                simulated={},
            ),
            "configured_router": "size-heuristic",
            "variants": [variant(p95, balanced, ambiguous, lost)],
            "comparisons": [],
        }
        return RunRecord(**{**usual, **values})

    return make
