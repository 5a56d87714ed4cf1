"""The tier by the measured service time: what a perfect guess would reach."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.errors import UsageError
from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, PoolView, RequestFacts, Router, RouterSetup
from tiergate_plugins.routing.tiered import place


class Oracle(Router):
    """Looks up the sealed service time of the very request it routes. A bound, not a contestant."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        if setup.sealed is None:
            raise UsageError(
                "the oracle router needs sealed service times", hint="run it with `tiergate load`"
            )
        self._sealed = setup.sealed

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The tier of the sealed service time, and in it the session's worker."""
        seconds = self._sealed[facts.request]
        return place(self.setup.cutoffs.tier(seconds), facts.session, seconds, pool)


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="oracle",
        summary="the tier by the measured service time of the same request: a bound, not a contestant",
        build=Oracle,
        is_oracle=True,
    )
