"""Each request to the worker that has the least estimated work before it.

The policy LWL of Harchol-Balter, Crovella & Murta, On choosing a task assignment policy for a
distributed server system (1999).
"""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, PoolView, RequestFacts, Router, RouterSetup
from tiergate_plugins.routing.estimate import ServiceTimeEstimate


class LeastWorkLeft(Router):
    """Picks the worker whose assigned requests are expected to end first."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._estimate = ServiceTimeEstimate(setup.training)

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The least loaded worker; among equals the one with fewer requests, then the first."""
        if not pool.workers:
            raise LookupError("no worker is ready")
        worker = min(pool.workers, key=lambda candidate: (candidate.work_left_s, candidate.waiting))
        return Choice(worker=worker.name, estimate_s=self._estimate.seconds(facts))


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="least-work-left",
        summary="the worker with the least estimated work before it, whatever its tier",
        build=LeastWorkLeft,
        chooses_tier=False,
    )
