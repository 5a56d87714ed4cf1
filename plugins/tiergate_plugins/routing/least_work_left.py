"""Each request to the worker that has the least estimated work before it.

The policy LWL of Harchol-Balter, Crovella & Murta, On choosing a task assignment policy for a
distributed server system (1999).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router, RouterSetup, WorkerView
from tiergate_plugins.routing.estimate import ServiceTimeEstimate

STARTS_FIRST = "No worker is ready; the first that starts takes it."


class LeastWorkLeft(Router):
    """Picks the worker whose assigned requests are expected to end first."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._estimate = ServiceTimeEstimate(setup.training)

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The least loaded worker; among equals the one with fewer requests, then the first."""
        worker = lightest(pool).name if pool.has_ready() else None
        return Choice(worker=worker, estimate_s=self._estimate.expect(facts).seconds)

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The same, with what is left at the worker."""
        if not pool.has_ready():
            return msgspec.structs.replace(super().explain(facts, pool), reason=STARTS_FIRST)
        worker = lightest(pool)
        reason = f"{worker.name} has the least work left, about {1000 * worker.work_left_s:.3g} ms."
        return msgspec.structs.replace(super().explain(facts, pool), reason=reason)


def lightest(pool: PoolView) -> WorkerView:
    """Of at least one worker that with the least work left; among equals the one with fewer requests."""
    return min(pool.workers, key=lambda worker: (worker.work_left_s, worker.waiting))


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="least-work-left",
        summary="the worker with the least estimated work before it, whatever its tier",
        build=LeastWorkLeft,
        chooses_tier=False,
    )
