"""Each request to the better of two workers that are drawn at random.

Mitzenmacher, The power of two choices in randomized load balancing (2001): the second look shortens the
longest queue exponentially, at a cost that does not grow with the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router, RouterSetup
from tiergate_plugins.routing.estimate import ServiceTimeEstimate
from tiergate_plugins.routing.least_work_left import STARTS_FIRST


class PowerOfTwo(Router):
    """Draws two workers with the setup's seed and takes the one with fewer requests, then less work."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._random = Random(f"power of two {setup.seed}")
        self._estimate = ServiceTimeEstimate(setup.training)

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The one of two with the shorter queue; of a single worker, that one."""
        estimate_s = self._estimate.expect(facts).seconds
        if not pool.has_ready():
            return Choice(estimate_s=estimate_s)
        drawn = self._random.sample(pool.workers, k=min(2, len(pool.workers)))
        worker = min(drawn, key=lambda candidate: (candidate.waiting, candidate.work_left_s))
        return Choice(worker=worker.name, estimate_s=estimate_s)

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The same, with the length of the queue."""
        found = super().explain(facts, pool)
        if found.worker is None:
            return msgspec.structs.replace(found, reason=STARTS_FIRST)
        waiting = next(worker.waiting for worker in pool.workers if worker.name == found.worker)
        return msgspec.structs.replace(
            found, reason=f"Of two workers drawn at random it has the shorter queue, {waiting} unfinished."
        )


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="power-of-two",
        summary="of two workers drawn at random the one with the shorter queue, whatever its tier",
        build=PowerOfTwo,
        chooses_tier=False,
    )
