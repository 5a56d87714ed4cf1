"""Each request to a worker drawn at random: what any policy with some sense must beat."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router, RouterSetup
from tiergate_plugins.routing.estimate import ServiceTimeEstimate


class RandomWorker(Router):
    """Draws among all workers with the setup's seed; each is as likely."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._random = Random(f"random {setup.seed}")
        self._estimate = ServiceTimeEstimate(setup.training)

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """Any worker."""
        if not pool.workers:
            raise LookupError("no worker is ready")
        worker = self._random.choice(pool.workers)
        return Choice(worker=worker.name, estimate_s=self._estimate.expect(facts).seconds)

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The same, with how many there were to draw from."""
        reason = f"It was drawn at random among {len(pool.workers)}."
        return msgspec.structs.replace(super().explain(facts, pool), reason=reason)


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="random",
        summary="a worker drawn at random, whatever its tier",
        build=RandomWorker,
        chooses_tier=False,
    )
