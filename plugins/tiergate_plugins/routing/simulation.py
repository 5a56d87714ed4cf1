"""A pool in simulated time: any router, any service times, seconds of traffic in a moment.

Workers serve one request at a time, first come first served, from their own queue, their tier's and that of
all, as a local pool's do. They share no cores: this is what queues alone do to response times.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tiergate.routing import Choice, PoolView, RequestFacts, Router, WorkerView
from tiergate.tracetime import TraceClock


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request, when it arrives, and how long it will take; the router is shown the facts alone."""

    at_s: float
    facts: RequestFacts
    service_s: float


@dataclass(frozen=True, slots=True)
class Served:
    """What became of a request."""

    arrival: Arrival
    choice: Choice
    worker: str
    response_s: float


@dataclass(slots=True)
class _Job:
    number: int
    arrival: Arrival
    choice: Choice


@dataclass(slots=True)
class _Worker:
    name: str
    tier: str
    queue: list[_Job] = field(default_factory=list)
    running: _Job | None = None

    def view(self) -> WorkerView:
        jobs = [*self.queue, self.running] if self.running else self.queue
        return WorkerView(self.name, self.tier, len(jobs), sum(job.choice.estimate_s for job in jobs))


class SimulatedPool:
    """Workers by tier, and the queues before them."""

    def __init__(self, tiers: Mapping[str, int], router: Router, clock: TraceClock) -> None:
        self._workers = {
            f"{tier}-{number}": _Worker(f"{tier}-{number}", tier)
            for tier, count in tiers.items()
            for number in range(1, count + 1)
        }
        self._router = router
        self._clock = clock
        self._shared: list[_Job] = []
        self._ends: list[tuple[float, int, str]] = []
        self._served: list[Served] = []

    def run(self, arrivals: Sequence[Arrival]) -> list[Served]:
        """Serve all arrivals, in ascending order of time, and return them in the order of their ends."""
        for number, arrival in enumerate(arrivals):
            self._end_until(arrival.at_s)
            self._clock.now = arrival.at_s
            view = PoolView([worker.view() for worker in self._workers.values()])
            choice = self._router.choose(arrival.facts, view)
            self._add(_Job(number, arrival, choice))
        self._end_until(float("inf"))
        return self._served

    def _add(self, job: _Job) -> None:
        for worker in self._workers.values():
            if worker.running is None and _may(worker, job.choice):
                self._begin(worker, job)
                return
        if job.choice.worker is not None:
            self._workers[job.choice.worker].queue.append(job)
        else:
            self._shared.append(job)

    def _begin(self, worker: _Worker, job: _Job) -> None:
        worker.running = job
        heapq.heappush(self._ends, (self._clock.now + job.arrival.service_s, job.number, worker.name))

    def _end_until(self, at_s: float) -> None:
        while self._ends and self._ends[0][0] <= at_s:
            self._clock.now, _, name = heapq.heappop(self._ends)
            worker = self._workers[name]
            job, worker.running = worker.running, None
            assert job is not None, "a worker that ends a request was running one"
            arrival = job.arrival
            self._served.append(Served(arrival, job.choice, name, self._clock.now - arrival.at_s))
            self._router.completed(arrival.facts, job.choice, arrival.service_s)
            self._next(worker)

    def _next(self, worker: _Worker) -> None:
        common = next((job for job in self._shared if _may(worker, job.choice)), None)
        own = worker.queue[0] if worker.queue else None
        waiting = [job for job in (own, common) if job is not None]
        if not waiting:
            return
        job = min(waiting, key=lambda found: found.number)
        (worker.queue if job is own else self._shared).remove(job)
        self._begin(worker, job)


def _may(worker: _Worker, choice: Choice) -> bool:
    return choice.worker in (None, worker.name) and choice.tier in (None, worker.tier)


def percentile_s(served: Sequence[Served], shortest_s: float, longest_s: float, percent: float) -> float:
    """A percentile of the response times of requests that take `shortest_s` to `longest_s`, in seconds."""
    chosen = [one.response_s for one in served if shortest_s <= one.arrival.service_s <= longest_s]
    return float(np.percentile(chosen, percent))


def hit_rate(served: Sequence[Served]) -> float:
    """Share of requests that met the worker which last served their session in that tier, if any did."""
    hits = asked = 0
    last: dict[tuple[str, str], str] = {}
    for one in sorted(served, key=lambda found: found.arrival.at_s):
        session = one.arrival.facts.session
        if session is None:
            continue
        key = (one.worker.rpartition("-")[0], session)
        asked += key in last
        hits += last.get(key) == one.worker
        last[key] = one.worker
    return hits / asked if asked else 1.0


def largest_load(served: Sequence[Served], tier: str, workers: int) -> float:
    """Requests of the busiest worker of a tier over the mean of its workers."""
    counts = Counter(one.worker for one in served if one.worker.rpartition("-")[0] == tier)
    return max(counts.values()) * workers / counts.total()
