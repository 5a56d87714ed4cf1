"""The `agents` workload, measured without a pool: each request alone in one process, on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
from tiergate.load.arrivals import NOMINAL_RPS, poisson
from tiergate.load.catalogue import Catalogue
from tiergate.load.cutoffs import TrainingTrace, search
from tiergate.load.oracle import interval_rank
from tiergate.load.stage import fill
from tiergate.operation import Request
from tiergate.plugins import PluginHost
from tiergate.routing import Cutoffs, RequestFacts, Tier
from tiergate.worker import Service

CAPACITY = 2
"""Workers' worth of work that the machine of the simulation can do at a time."""


@dataclass(frozen=True)
class Measured:
    """Requests with what was known of them, their arrivals, and their sorted service times in seconds."""

    facts: Sequence[RequestFacts]
    starts: Sequence[float]
    times: Sequence[Sequence[float]]

    @property
    def service(self) -> list[float]:
        return [median(times) for times in self.times]

    def interval(self, request: int) -> tuple[float, float]:
        rank = interval_rank(len(self.times[request]))
        return self.times[request][rank], self.times[request][-1 - rank]

    def label(self, request: int, cutoffs: Cutoffs) -> Tier | None:
        low, high = self.interval(request)
        return cutoffs.tier(low) if cutoffs.tier(low) == cutoffs.tier(high) else None


def measure(seed: int, requests: int, passes: int, folder: Path, tasks: int = 3000) -> Measured:
    """Serve the requests of a seed one after the other, `passes` times, each time on a fresh store."""
    host = PluginHost()
    operations = list(host.all(OperationDeclaration))
    workload = host.get(WorkloadDeclaration, "agents")
    sessions = workload.sessions(seed, tasks)
    made = list(workload.requests(seed, sessions, requests))
    times: list[list[float]] = [[] for _ in made]
    facts: list[RequestFacts] = []
    for number in range(passes):
        store = host.opener().open(f"sqlite:{folder}/{seed}-{number}.db")
        fill(store, sessions)
        facts = Catalogue(store.sizes(), operations).all_facts(made)
        with Service(store, operations) as service:
            _warm_up(service, made)
            for request, found in zip(made, times, strict=True):
                found.append(service.handle(request).service_ns / 1e9)
    starts = [start * NOMINAL_RPS for start in poisson(seed, len(made))]
    return Measured(facts, starts, [sorted(found) for found in times])


def find_cutoffs(training: Measured, workers: dict[str, int], load: float = 0.4) -> Cutoffs:
    """The cut-offs of a training trace, as a load run finds them."""
    service = training.service
    rate = load * CAPACITY / (sum(service) / len(service))
    bounds = [training.interval(request) for request in range(len(service))]
    trace = TrainingTrace(
        [start / rate for start in training.starts],
        service,
        [low for low, _ in bounds],
        [high for _, high in bounds],
    )
    return search(trace, workers).cutoffs


def _warm_up(service: Service, requests: Sequence[Request]) -> None:
    for request in {request.operation: request for request in requests}.values():
        if not request.operation.endswith("_update"):
            service.handle(request)
