"""The sections of the page, in their order: each turns records into what its template shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tiergate.record import GateRecord, RunRecord
from tiergate_reports import metrics
from tiergate_reports.sections import (
    accuracy,
    comparisons,
    environment,
    labels,
    latency,
    resources,
    routers,
    sweep,
    verdict,
    workload,
)

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Section:
    """A section; the template of its name shows what `build` returns.

    Attributes:
        applies: whether a run has anything to show there.
    """

    name: str
    title: str
    build: Callable[[RunRecord, GateRecord | None], Values]
    applies: Callable[[RunRecord], bool] = lambda _run: True


SECTIONS: tuple[Section, ...] = (
    Section("verdict", "Verdict", verdict.build),
    Section("routers", "Routers compared", routers.build),
    Section("latency", "Latency", latency.build),
    Section("accuracy", "Tier accuracy", accuracy.build, metrics.is_routed),
    Section("comparisons", "Gains and losses", comparisons.build, metrics.is_routed),
    Section("sweep", "How much it carries", sweep.build),
    Section("workload", "Workload and sources", workload.build),
    Section("labels", "How the labels were made", labels.build, lambda run: run.oracle is not None),
    Section("resources", "Resources, affinity, events", resources.build),
    Section("environment", "Environment and glossary", environment.build),
)
