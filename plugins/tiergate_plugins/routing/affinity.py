"""Which worker of a tier takes a request: sessions stay together, as far as no worker gets too much.

Where a session begins is settled by rendezvous hashing (Thaler & Ravishankar, Using name-based mappings
to increase hit rates, 1998): each worker gets a hash with the session, and the highest wins, so that all
routers agree without talking, and a worker that ends moves its own sessions only. The bound is that of
Mirrokni, Thorup & Zadimoghaddam, Consistent hashing with bounded loads (2018): a worker above
`BOUND` times the mean of its tier is passed over for the next in the order.

A very popular session is more than one worker may have at all. To pass on each of its requests beyond the
bound would tear it in two, each half missing what the other wrote. So a session *stays* where it was last
served until that worker is over the bound, and then moves as a whole, to the worker that has most room:
it wanders, rarely, instead of alternating. docs/explanation/tiers.md shows what either does to hits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType

from tiergate.routing import Choice, Tier, WorkerView

BOUND = 1.25
"""Largest load of a worker, over the mean of its tier."""

SLACK = 2
"""Requests that a worker may have beyond the bound of recent load: of few, one more is a large share."""

QUEUE = 3
"""Unfinished requests that a worker may have beyond their bound: a short queue is no reason to move."""

WINDOW = 64
"""Requests per worker over which its recent load decays to 1/e."""

REMEMBERED = 10_000
"""Sessions of a tier whose worker is remembered."""

_RESCALE = 1e100


class TierAffinity:
    """The sessions of one tier, and the recent load of its workers.

    Recent load is counted with weights that grow instead of sums that shrink (Cormode et al., Forward
    decay, 2009), so that a request costs one addition, however many workers there are.

    Args:
        remembered: sessions whose worker is remembered; the one asked for longest ago is forgotten first.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._owners: dict[str, str] = {}
        self._recent: dict[str, float] = {}
        self._weight = 1.0

    def pick(self, session: str, workers: Sequence[WorkerView]) -> str:
        """The worker that a request of this session should go to now; changes nothing."""
        if len(workers) == 1:
            return workers[0].name
        owner = self._owners.get(session)
        owning = None
        recent, waiting = 0.0, 0
        for worker in workers:
            recent += self._recent.get(worker.name, 0.0)
            waiting += worker.waiting
            if worker.name == owner:
                owning = worker
        share = BOUND / len(workers)
        # The request that is placed counts itself, with this weight.
        most_recent = share * (recent + self._weight) + (SLACK - 1) * self._weight
        most_waiting = share * waiting + QUEUE

        def fits(worker: WorkerView) -> bool:
            return self._recent.get(worker.name, 0.0) <= most_recent and worker.waiting <= most_waiting

        if owning and fits(owning):
            return owning.name
        fitting = [worker for worker in workers if fits(worker)]
        if owning or not fitting:
            return self._roomiest(fitting or workers)
        return max(fitting, key=lambda worker: score(session, worker.name)).name

    def placed(self, session: str | None, worker: str, workers: Sequence[WorkerView]) -> None:
        """Remember where a request went."""
        self._weight *= 1 + 1 / (WINDOW * len(workers))
        self._recent[worker] = self._recent.get(worker, 0.0) + self._weight
        if self._weight > _RESCALE:
            names = {view.name for view in workers}
            self._recent = {name: load / self._weight for name, load in self._recent.items() if name in names}
            self._weight = 1.0
        if session is None:
            return
        self._owners.pop(session, None)
        self._owners[session] = worker
        if len(self._owners) > self._remembered:
            del self._owners[next(iter(self._owners))]

    def recent(self, worker: str) -> float:
        """Recent load of a worker, in requests."""
        return self._recent.get(worker, 0.0) / self._weight

    def owners(self) -> Mapping[str, str]:
        """The worker of each session that is remembered, the one asked for longest ago first."""
        return MappingProxyType(self._owners)

    def _roomiest(self, workers: Sequence[WorkerView]) -> str:
        """The worker with the least recent load and what waits there, both in requests."""
        return min(
            workers,
            key=lambda worker: self.recent(worker.name) + worker.waiting,
        ).name


def score(session: str, worker: str) -> bytes:
    """The rendezvous hash of a session and a worker; the same in every process, unlike the built-in one."""
    return blake2b(f"{session}\0{worker}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


class Affinity:
    """The affinity of every tier."""

    def __init__(self) -> None:
        self._tiers: dict[str, TierAffinity] = {}

    def choice(
        self, tier: Tier, session: str | None, estimate_s: float, workers: Sequence[WorkerView]
    ) -> Choice:
        """The choice among the workers of a tier; changes nothing.

        Requests without a session go to whichever worker of the tier is free first, as do those of a tier
        that has yet to start a worker.
        """
        if session is None or not workers:
            return Choice(tier, None, estimate_s)
        found = self._tiers.get(tier) or TierAffinity()
        return Choice(tier, found.pick(session, workers), estimate_s)

    def placed(self, session: str | None, choice: Choice, workers: Sequence[WorkerView]) -> None:
        """Remember a choice among these workers of its tier."""
        if choice.worker is not None and choice.tier is not None:
            self._tiers.setdefault(choice.tier, TierAffinity()).placed(session, choice.worker, workers)
