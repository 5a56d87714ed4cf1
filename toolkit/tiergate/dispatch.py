"""One request after another, as they come: a router chooses, the pool carries, watchers see each call.

What serves people (the coordinator) and what observes it meet here: whoever wants to count, log or trace
is a `Watcher`, whoever may turn a call away before it runs is a `Gatekeeper`. Neither knows of protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import count
from time import perf_counter
from typing import Any, Protocol

import msgspec

from tiergate.operation import Reply, Request
from tiergate.pool import DeadlineExceeded, Overloaded, Pool, PoolError
from tiergate.routing import Choice, RequestFacts, Router


class Outcome(StrEnum):
    """What became of a call."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SHED = "shed"
    OVERLOADED = "overloaded"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Shed(PoolError):
    """The call was turned away before it ran, to keep others served; its message says until when."""


class Call(msgspec.Struct, eq=False):
    """One request on its way, and what became of it.

    Attributes:
        id: names it in logs and traces; unique among all that this process was asked.
        facts: what is known of it before it runs.
        began: when it came, in seconds of the clock `time.perf_counter`; so for `ended`.
        choice: where it was sent; None while nobody chose.
        outcome: None while it runs.
        reply: the answer, also one with a failure; None where there is none.
        error: what was raised instead of an answer.
        notes: what watchers keep with it, each under its own name; not sent anywhere.
    """

    id: str
    request: Request
    facts: RequestFacts
    began: float
    choice: Choice | None = None
    ended: float = 0.0
    outcome: Outcome | None = None
    reply: Reply | None = None
    error: BaseException | None = None
    notes: dict[str, Any] = {}

    @property
    def response_s(self) -> float:
        """Seconds from when it came to its end."""
        return self.ended - self.began

    @property
    def service_s(self) -> float:
        """Seconds in the worker; 0 where none answered."""
        return self.reply.service_ns / 1e9 if self.reply is not None else 0.0


class Watcher(Protocol):
    """Sees every call twice. Must not block; what it raises is reported once, and it is then left out."""

    def began(self, call: Call) -> None:
        """It came: nothing was chosen yet."""

    def ended(self, call: Call) -> None:
        """It has its outcome."""


class Gatekeeper(Protocol):
    """Decides whether a call may run, and learns from what became of those that did.

    It is asked once the router has chosen, so that it can tell a short call from a long one.
    """

    def admit(self, call: Call) -> None:
        """Return to let it run. Must not block.

        Raises:
            Shed: it may not.
        """

    def learn(self, call: Call) -> None:
        """A call that was let in has its outcome."""


class Dispatcher:
    """Carries calls to a pool that was started, from one asyncio loop.

    Args:
        facts: what is known of a request before it runs; raises a `TiergateError` for one that cannot be.
        deadline_s: how long a call may take where it names no deadline.
        on_fault: told of a watcher that raised.
    """

    def __init__(
        self,
        pool: Pool,
        router: Router,
        facts: Callable[[Request], RequestFacts],
        *,
        deadline_s: float,
        watchers: Sequence[Watcher] = (),
        gatekeepers: Sequence[Gatekeeper] = (),
        on_fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.pool = pool
        self.router = router
        self.watchers = list(watchers)
        self.gatekeepers = list(gatekeepers)
        self.running: dict[str, Call] = {}
        self._facts = facts
        self._deadline_s = deadline_s
        self._on_fault = on_fault
        self._numbers = count(1)

    async def call(
        self,
        operation: str,
        session: str | None,
        arguments: Mapping[str, Any],
        *,
        id: str = "",  # noqa: A002 (it is that of the call)
        key: str | None = None,
        deadline_s: float | None = None,
    ) -> Reply:
        """Have an operation run. One that refused its arguments is a reply with a failure.

        Cancelling it stops the work.

        Args:
            id: of the call; one is made where it is empty.
            key: names a write that may be sent again, see `tiergate.store.Store.once`.

        Raises:
            TiergateError: nobody declares the operation.
            msgspec.ValidationError: its arguments are not those of the operation.
            Shed: it was turned away.
            PoolError: as `tiergate.pool.Pool.submit`.
        """
        request = Request(next(self._numbers), operation, session, dict(arguments), key)
        call = Call(id or f"call-{request.id}", request, self._facts(request), perf_counter())
        self.running[call.id] = call
        self._tell("began", call)
        admitted: list[Gatekeeper] = []
        try:
            call.choice = self._choose(call.facts)
            for gatekeeper in self.gatekeepers:
                gatekeeper.admit(call)
                admitted.append(gatekeeper)
            call.reply = reply = await self._carried(call, call.choice, deadline_s)
            call.outcome = Outcome.ANSWERED if reply.failure is None else Outcome.REFUSED
        except BaseException as error:
            call.error = error
            call.outcome = _outcome_of(error)
            raise
        else:
            return reply
        finally:
            call.ended = perf_counter()
            self.running.pop(call.id, None)
            for gatekeeper in admitted:
                gatekeeper.learn(call)
            self._tell("ended", call)

    async def _carried(self, call: Call, choice: Choice, deadline_s: float | None) -> Reply:
        reply = await self.pool.submit(call.request, choice, deadline_s=deadline_s or self._deadline_s)
        if reply.failure is None:
            self.router.completed(call.facts, choice, reply.service_ns / 1e9)
        return reply

    def _choose(self, facts: RequestFacts) -> Choice:
        try:
            return self.router.choose(facts, self.pool.view())
        except LookupError as error:
            raise PoolError(f"{facts.operation} has no worker: {error}") from error

    def _tell(self, moment: str, call: Call) -> None:
        for watcher in tuple(self.watchers):
            try:
                getattr(watcher, moment)(call)
            except Exception as error:
                # What only looks must never break what it looks at.
                self.watchers.remove(watcher)
                self._on_fault(f"{type(watcher).__name__} is left out: {error!r}")


def _outcome_of(error: BaseException) -> Outcome:
    if isinstance(error, Shed):
        return Outcome.SHED
    if isinstance(error, Overloaded):
        return Outcome.OVERLOADED
    if isinstance(error, DeadlineExceeded):
        return Outcome.TIMED_OUT
    return Outcome.FAILED if isinstance(error, Exception) else Outcome.CANCELLED
