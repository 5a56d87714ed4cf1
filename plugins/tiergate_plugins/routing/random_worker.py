"""Each request to a worker drawn at random: what any policy with some sense must beat."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router, RouterSetup
from tiergate_plugins.routing.estimate import ServiceTimeEstimate
from tiergate_plugins.routing.least_work_left import STARTS_FIRST


class RandomWorker(Router):
    """Draws among all workers with the setup's seed; each is as likely."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._random = Random(f"random {setup.seed}")
        self._estimate = ServiceTimeEstimate(setup.training)

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """Any worker."""
        estimate_s = self._estimate.expect(facts).seconds
        if not pool.has_ready():
            return Choice(estimate_s=estimate_s)
        return Choice(worker=self._random.choice(pool.workers).name, estimate_s=estimate_s)

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The same, with how many there were to draw from."""
        drawn = f"It was drawn at random among {len(pool.workers)}."
        reason = drawn if pool.has_ready() else STARTS_FIRST
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
