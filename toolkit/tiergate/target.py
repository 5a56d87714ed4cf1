"""What a load run is aimed at: anything that takes requests and answers each of them.

A target is driven from one asyncio loop, which must not be blocked. Nothing here assumes that requests
leave the process, or that they stay in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tiergate.errors import TiergateError
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolEvent, PoolUsage
from tiergate.routing import RequestFacts, Router

LEAST_TIME_S = 1e-3
"""What a request gets that is sent past its deadline."""


class TargetError(TiergateError):
    """The target did not answer a request."""


class TargetDied(TargetError):
    """What answers requests ended while it held this one."""


class BadAnswer(TargetError):
    """The target wrote something that is no answer."""


class Flight(msgspec.Struct, eq=False):
    """One request on its way, and what becomes of it.

    Attributes:
        facts: what is known of it before it runs.
        landed: called with the flight once `reply` or `error` is set, at once or later, from the loop.
        intended: when it is meant to start, in seconds of the clock `time.perf_counter`; so for the others.
        ends: when nobody waits for it any longer.
        sent: when it was sent; the driver notes it.
        tier: that the target chose for it; None for a target that has no tiers.
        reply: the answer; one with a failure when the request was refused.
        error: what was raised instead of an answer.
        ended: when it landed; the driver notes it.
    """

    request: Request
    facts: RequestFacts
    landed: Callable[[Flight], None]
    intended: float = 0.0
    ends: float = 0.0
    sent: float = 0.0
    tier: str | None = None
    reply: Reply | None = None
    error: Exception | None = None
    ended: float = 0.0

    @property
    def left_s(self) -> float:
        """Seconds from when it was sent until `ends`; next to nothing where that has passed."""
        return max(LEAST_TIME_S, self.ends - self.sent)


class Target(ABC):
    """Answers requests. The load driver starts it, warms it up, sends the trace, and closes it."""

    @abstractmethod
    async def start(self) -> None:
        """Return when requests can be sent.

        Raises:
            RunError: it cannot be started; nothing of it is left.
        """

    @abstractmethod
    def send(self, flight: Flight) -> None:
        """Send one request now; never blocks, and never raises what became of the request.

        Every flight lands exactly once: answered, refused by name (`Overloaded` where too many wait,
        `DeadlineExceeded` after `flight.left_s` seconds, `TargetDied`, `BadAnswer`), or with another error.
        """

    @abstractmethod
    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Serve each request once in every part that can be reached; answers are thrown away."""

    @abstractmethod
    async def close(self) -> PoolUsage:
        """End it, and say what it used, as far as that can be known. Closing twice does nothing more."""

    def events(self) -> Sequence[PoolEvent]:
        """What happened to its processes so far."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a target does which defines its operations itself.

    Attributes:
        name: also the operation of a request that calls it.
        schema: JSON Schema of its arguments, an object.
        writes: whether it may change something.
        destroys: whether it may take away or overwrite what was there.
    """

    name: str
    schema: Mapping[str, Any]
    writes: bool
    destroys: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSetup:
    """What a target is made from.

    Attributes:
        argument: what follows the colon in ``--target NAME?KEY=VALUE:ARGUMENT``; empty without one.
        options: the keys and values between question mark and colon.
        store: address of a fresh store that holds the sessions of the trace, for a target that serves them.
        pool: a pool on that store, not started; None unless the declaration is ``routed``.
        router: what chooses its workers; likewise.
    """

    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    pool: Pool | None = None
    router: Router | None = None
