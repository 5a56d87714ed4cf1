"""Shedding load by class: when more comes than can be served, the long requests are turned away first.

A tier is shed while the pool's queue is longer than its part of the limit, or while what waits for it takes
longer than a caller would wait. One call a second is let in all the same, so that no class starves for ever
and the end of the trouble is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from time import monotonic

from tiergate.dispatch import Call, Shed
from tiergate.pool import Pool
from tiergate.recovery.policy import Note

PARTS: Mapping[str, float] = {"cold": 0.5, "warm": 0.75, "hot": 0.95}
"""How much of the queue's limit may be in use while a tier is served; others have the last one."""

PATIENCE = 0.5
"""The part of the deadline that may be spent waiting."""

EASED = 0.8
"""It ends below this part of what it began at, so that it does not begin and end with every other call."""

LOOK_S = 0.05
"""How often it is looked at what the workers of a tier have to do; at every call it would cost too much."""

TRICKLE_S = 1.0
"""One call of a tier that is shed is let in each time so many seconds have passed."""


class Shedder:
    """Turns calls of a tier away while it has too much to do.

    Args:
        pool: whose queue it looks at.
        queue_limit: requests that may wait in it.
        deadline_s: how long a call may take.
        note: told when it begins and ends for a tier.
        clock: seconds since some moment.
    """

    def __init__(
        self,
        pool: Pool,
        queue_limit: int,
        deadline_s: float,
        note: Note,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._pool = pool
        self._limit = queue_limit
        self._deadline_s = deadline_s
        self._note = note
        self._clock = clock
        self._shed: dict[str, str] = {}
        self._let_in: dict[str, float] = {}
        self._waits: dict[str, tuple[float, float]] = {}

    def admit(self, call: Call) -> None:
        """Let it run unless its tier has too much to do.

        Raises:
            Shed: it has.
        """
        tier = call.choice.tier if call.choice is not None else None
        if tier is None:
            return
        cause, wait_s = self._cause(tier)
        self._tell(tier, cause)
        if not cause:
            return
        now = self._clock()
        if now - self._let_in.get(tier, -TRICKLE_S) >= TRICKLE_S:
            self._let_in[tier] = now
            return
        raise Shed(
            f"{call.request.operation} is turned away: {cause}",
            where=f"tier {tier}",
            hint=f"try again in {max(1.0, wait_s):.0f} s",
        )

    def learn(self, call: Call) -> None:
        """What became of it changes nothing; the queue is looked at when the next one comes."""

    def troubles(self) -> Sequence[str]:
        """The tiers that are shed, as things stand now."""
        for tier in tuple(self._shed):
            self._tell(tier, self._cause(tier)[0])
        return [
            f"calls of the {tier} tier are turned away: {why}" for tier, why in sorted(self._shed.items())
        ]

    def _cause(self, tier: str) -> tuple[str, float]:
        """Why the tier is shed, empty where it is not; and the seconds that are waited for it."""
        wait_s = self._wait_s(tier)
        eased = EASED if tier in self._shed else 1.0
        waiting, most = self._pool.unanswered(), PARTS.get(tier, max(PARTS.values())) * self._limit
        if waiting >= eased * most:
            return f"{waiting} requests wait, of {self._limit} at most", wait_s
        if wait_s > eased * PATIENCE * self._deadline_s:
            return f"what waits for it takes {wait_s:.0f} s", wait_s
        return "", wait_s

    def _wait_s(self, tier: str) -> float:
        """Seconds of work that the least busy worker of a tier has left, as it was a moment ago."""
        now = self._clock()
        looked, wait_s = self._waits.get(tier, (-inf, 0.0))
        if now - looked >= LOOK_S:
            workers = self._pool.view().of_tier(tier)
            wait_s = min((worker.work_left_s for worker in workers), default=0.0)
            self._waits[tier] = (now, wait_s)
        return wait_s

    def _tell(self, tier: str, cause: str) -> None:
        if cause and tier not in self._shed:
            self._note("shedding", tier, cause, "its calls are turned away but for one a second")
        elif not cause and tier in self._shed:
            self._note("shedding-ended", tier, "the queue is short again", "its calls run")
        if cause:
            self._shed[tier] = cause
        else:
            self._shed.pop(tier, None)
