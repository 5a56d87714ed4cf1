"""What became of each request of one round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tiergate.pool import PoolEvent, PoolUsage


class Fate(StrEnum):
    """How a request ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request of one round; times in seconds.

    Attributes:
        tier: the tier that the router chose; None when it chose none.
        late_s: from the intended start to the moment at which it was sent.
        response_s: from the intended start to the answer.
        service_s: time in the worker.
    """

    request: int
    session: str | None
    fate: Fate
    tier: str | None
    worker: str
    late_s: float
    response_s: float
    service_s: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One variant, one time through the trace, in the order of the requests.

    Attributes:
        elapsed_s: from the first intended start to the last answer.
    """

    number: int
    outcomes: Sequence[Outcome]
    elapsed_s: float
    usage: PoolUsage
    events: Sequence[PoolEvent]
