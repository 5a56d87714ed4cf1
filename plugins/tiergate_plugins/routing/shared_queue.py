"""One queue for all workers: what most pools do, and what every other router is compared with."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router


class SharedQueue(Router):
    """Leaves every request to whichever worker is free first."""

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The same choice for every request."""
        del facts, pool
        return Choice()

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The same reason for every request."""
        reason = "Whichever worker is free first takes it."
        return msgspec.structs.replace(super().explain(facts, pool), reason=reason)


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="shared-queue",
        summary="one queue, served by whichever worker is free first",
        build=SharedQueue,
        chooses_tier=False,
    )
