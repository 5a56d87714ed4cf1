"""How often estimating routers are right on the `agents` workload, beside guesses that need no skill.

Requests are measured alone, in this process, on SQLite; the routers are scored as the trace goes. Run as a
script it measures as many requests as a load run does, and prints the figures::

    python tests/routing/test_agents_accuracy.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

import pytest

from tiergate.arrivals import NOMINAL_RPS, poisson
from tiergate.catalogue import Catalogue
from tiergate.hooks import OperationDeclaration, RouterDeclaration, WorkloadDeclaration
from tiergate.load.accuracy import Judged, by_payload_size, confusion, majority, scores
from tiergate.load.cutoffs import TrainingTrace, search
from tiergate.load.oracle import interval_rank
from tiergate.load.stage import fill
from tiergate.plugins import PluginHost
from tiergate.routing import Cutoffs, Observation, RequestFacts, RouterSetup, Tier
from tiergate.testing import make_pool
from tiergate.tracetime import TimedRequest, replay
from tiergate.worker import Service

WORKERS = {"hot": 2, "warm": 1, "cold": 2}
POOL = make_pool(WORKERS)
CORES, LOAD = 2, 0.4
ROUTERS = ("operation-table", "size-heuristic", "learned")
HOST = PluginHost()


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
        low, high = (cutoffs.tier(seconds) for seconds in self.interval(request))
        return low if low == high else None


def measure(seed: int, requests: int, passes: int, tasks: int, folder: Path) -> Measured:
    """Serve the requests of a seed one after the other, `passes` times, each time on a fresh store."""
    operations = list(HOST.all(OperationDeclaration))
    workload = HOST.get(WorkloadDeclaration, "agents")
    sessions = workload.sessions(seed, tasks)
    made = list(workload.requests(seed, sessions, requests))
    times: list[list[float]] = [[] for _ in made]
    facts: list[RequestFacts] = []
    for number in range(passes):
        store = HOST.opener().open(f"sqlite:{folder}/{seed}-{number}.db")
        fill(store, sessions)
        facts = Catalogue(store.sizes(), operations).all_facts(made)
        with Service(store, operations) as service:
            for request in {one.operation: one for one in made if one.operation != "task_update"}.values():
                service.handle(request)  # loads code and opens files
            for request, found in zip(made, times, strict=True):
                found.append(service.handle(request).service_ns / 1e9)
    starts = [start * NOMINAL_RPS for start in poisson(seed, len(made))]
    return Measured(facts, starts, [sorted(found) for found in times])


def find_cutoffs(training: Measured) -> Cutoffs:
    """The cut-offs of a training trace, as a load run finds them."""
    service = training.service
    rate = LOAD * CORES / fmean(service)
    bounds = [training.interval(request) for request in range(len(service))]
    return search(
        TrainingTrace(
            [start / rate for start in training.starts],
            service,
            [low for low, _ in bounds],
            [high for _, high in bounds],
        ),
        WORKERS,
    ).cutoffs


def score(training: Measured, judged: Measured) -> tuple[dict[str, float], Counter[Tier | None]]:
    """Balanced accuracy of each router and control, and how many requests have which label."""
    cutoffs = find_cutoffs(training)
    labels = [judged.label(request, cutoffs) for request in range(len(judged.facts))]
    found: dict[str, float] = {}
    for name in ROUTERS:
        chosen = _choices(name, cutoffs, training, judged)
        found[name] = _balanced(judged.facts, labels, chosen)
    known = [
        (facts.payload_bytes, label)
        for number, facts in enumerate(training.facts)
        if (label := training.label(number, cutoffs)) is not None
    ]
    sizes = [facts.payload_bytes for facts in judged.facts]
    found["majority"] = _balanced(judged.facts, labels, majority([tier for _, tier in known], len(sizes)))
    found["payload size only"] = _balanced(judged.facts, labels, by_payload_size(known, sizes))
    return found, Counter(labels)


def _choices(name: str, cutoffs: Cutoffs, training: Measured, judged: Measured) -> list[Tier]:
    """What a router chose; it is told what a request took only after it chose."""
    observations = [Observation(*one) for one in zip(training.facts, training.service, strict=True)]
    rate = LOAD * CORES / fmean(judged.service)
    requests = [
        TimedRequest(start / rate, facts, service_s)
        for start, facts, service_s in zip(judged.starts, judged.facts, judged.service, strict=True)
    ]
    build = HOST.get(RouterDeclaration, name).build
    choices, _ = replay(build, RouterSetup(cutoffs=cutoffs, training=observations), requests, POOL)
    tiers: dict[str | None, Tier] = {"hot": "hot", "warm": "warm", "cold": "cold"}
    return [tiers[choice.meant_tier] for choice in choices]


def _balanced(facts: Sequence[RequestFacts], labels: Sequence[Tier | None], chosen: Sequence[Tier]) -> float:
    judged = [
        Judged(one, label, tier)
        for one, label, tier in zip(facts, labels, chosen, strict=True)
        if label is not None
    ]
    return scores(confusion(judged)).balanced_accuracy


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The scores of a short trace on a small store."""
    folder = tmp_path_factory.mktemp("agents")
    training, judged = (measure(seed, 300, 3, 600, folder) for seed in (101, 202))
    return score(training, judged)[0]


@pytest.mark.parametrize("router", ["size-heuristic", "learned"])
def test_estimates_beat_guesses(small: dict[str, float], router: str) -> None:
    assert small[router] > small["majority"]
    assert small[router] > small["payload size only"]


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        one, other = (measure(seed, 900, 5, 3000, Path(temporary)) for seed in (11, 12))
    for trained, tested in ((one, other), (other, one)):
        figures, classes = score(trained, tested)
        print(dict(classes), {name: round(value, 3) for name, value in figures.items()})
