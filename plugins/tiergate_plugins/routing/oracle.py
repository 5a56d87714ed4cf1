"""The tier by the measured service time: what a perfect guess would reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from tiergate.errors import UsageError
from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router, RouterSetup
from tiergate_plugins.routing.affinity import Affinity
from tiergate_plugins.routing.tiered import serving


class Oracle(Router):
    """Looks up the sealed service time of the very request it routes. A bound, not a contestant.

    It keeps to the cut-offs, and no guard holds it back.
    """

    keeps_sessions: ClassVar[bool] = True

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        if setup.sealed is None:
            raise UsageError(
                "the oracle router needs sealed service times", hint="run it with `tiergate load`"
            )
        self._sealed = setup.sealed
        self._affinity = Affinity()

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The tier of the sealed service time, and in it the session's worker."""
        seconds = self._sealed[facts.request]
        tier, workers = serving(self.setup.cutoffs.tier(seconds), pool)
        choice = self._affinity.choice(tier, facts.session, seconds, workers)
        self._affinity.placed(facts.session, choice, workers)
        return choice

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The same, with the time that was looked up, which is beyond doubt."""
        reason = f"It was measured alone, at {1000 * self._sealed[facts.request]:.3g} ms."
        return msgspec.structs.replace(super().explain(facts, pool), uncertainty=1.0, reason=reason)


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="oracle",
        summary="the tier by the measured service time of the same request: a bound, not a contestant",
        build=Oracle,
        is_oracle=True,
    )
