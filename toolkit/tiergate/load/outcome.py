"""What became of each request of one round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import msgspec

from tiergate.pool import PoolEvent, PoolUsage
from tiergate.routing import Router


class Fate(StrEnum):
    """How a request ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    DROPPED = "dropped"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """One request of one round; times in seconds.

    Attributes:
        tier: the tier that the router chose; None when it chose none.
        start_s: its intended start, from the start of the round; in a closed loop the moment it was sent.
        late_s: from the intended start to the moment at which it was sent.
        response_s: from the intended start to the answer.
        service_s: time in the worker.
    """

    request: int
    session: str | None
    fate: Fate
    tier: str | None
    worker: str
    start_s: float
    late_s: float
    response_s: float
    service_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One variant, one time through the trace, in the order of the requests.

    Attributes:
        elapsed_s: from the first intended start to the last answer.
        driver_cpu_s: processor time of the driver's own process in that time: it sends, routes, and reads
            answers.
        router: what chose, as it was at the end; None where nothing did.
    """

    number: int
    # asyncio puts the result of a task into words for an error that it swallows; a hundred thousand are many.
    outcomes: Sequence[Outcome] = field(repr=False)
    elapsed_s: float
    usage: PoolUsage
    events: Sequence[PoolEvent]
    driver_cpu_s: float = 0.0
    router: Router | None = None

    def by(self, router: Router) -> Round:
        """The same round, with the router that chose."""
        return replace(self, router=router)

    @property
    def driver_busy(self) -> float:
        """Share of one core that the driver's process used."""
        return self.driver_cpu_s / self.elapsed_s if self.elapsed_s else 0.0
