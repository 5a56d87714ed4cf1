"""The load driver: open arrivals, each request sent at its intended start whatever the others do.

Response time counts from the intended start, also when the driver itself was late, so that a stall
shows in every request that it held up (coordinated omission: Tene, How not to measure latency, 2015).

One loop sends everything that is due and sleeps until the next start; no request has a task of its own. It
never spins: it needs its core for reading answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

from tiergate.load.outcome import Fate, Outcome, Round
from tiergate.load.quiet import undisturbed
from tiergate.operation import Request
from tiergate.pool import DeadlineExceeded, Overloaded, Pool
from tiergate.routed import RoutedPool
from tiergate.routing import RequestFacts, Router
from tiergate.target import Flight, Target

LEAD_S = 0.02
"""Pause between the warm-up and the first intended start."""

LOOK_S = 2e-4
"""How long the driver sends before it looks for answers, however many requests are due."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What to send, and when: seconds from the start of the round, at the rate that is offered.

    Attributes:
        deadline_s: from its intended start, how long a request may take.
        clients: None for open arrivals. Else the loop is closed: so many clients send the requests in order,
            each its next one as soon as its last one was answered, and `starts` says nothing.
    """

    requests: Sequence[Request]
    facts: Sequence[RequestFacts]
    starts: Sequence[float]
    warm_up: Sequence[Request]
    deadline_s: float
    clients: int | None = None


async def drive(pool: Pool, router: Router, timetable: Timetable, number: int) -> Round:
    """Start a pool, send every request of the timetable through the router, and close the pool.

    Raises:
        WorkerFailedToStart: the pool could not start.
    """
    return await drive_target(RoutedPool(pool, router), timetable, number)


async def drive_target(target: Target, timetable: Timetable, number: int) -> Round:
    """Start a target, warm it up, send every request of the timetable, and close it.

    Raises:
        RunError: the target could not start.
    """
    try:
        await target.start()
        await target.warm_up(timetable.warm_up)
        with undisturbed():
            sending = _Sending(target, timetable)
            cpu_s = process_time()
            await (sending.in_open_loop() if timetable.clients is None else sending.in_closed_loop())
            elapsed, cpu_s = perf_counter() - sending.began, process_time() - cpu_s
            outcomes = sending.outcomes()
    finally:
        usage = await target.close()
    return Round(number, outcomes, elapsed, usage, list(target.events()), cpu_s)


class _Sending:
    """The requests of one round on their way."""

    def __init__(self, target: Target, timetable: Timetable) -> None:
        self._send = target.send
        self._timetable = timetable
        self._awaited: asyncio.Future[None] | None = None
        requests = zip(timetable.requests, timetable.facts, strict=True)
        # Made beforehand, so that little is left to do while the requests are due.
        self.flights = [Flight(request, facts, self._landed) for request, facts in requests]
        self.began = 0.0

    async def in_open_loop(self) -> None:
        """Send each request at its start."""
        self.began = perf_counter() + LEAD_S
        for flight, start in zip(self.flights, self._timetable.starts, strict=True):
            flight.intended = self.began + start
            flight.ends = flight.intended + self._timetable.deadline_s
        send, look_at = self._send, 0.0
        for flight in self.flights:
            now = perf_counter()
            while flight.intended > now:
                await asyncio.sleep(flight.intended - now)
                now = perf_counter()
                look_at = now + LOOK_S
            if now > look_at:
                # A driver that is behind and only sent would not see the answers until it is done.
                await asyncio.sleep(0)
                now = perf_counter()
                look_at = now + LOOK_S
            flight.sent = now
            send(flight)
        await self._all_landed()

    async def in_closed_loop(self) -> None:
        """Send each request as soon as a client is free; that moment is its intended start."""
        await asyncio.sleep(LEAD_S)
        self.began = perf_counter()
        free = asyncio.Semaphore(self._timetable.clients or 1)

        def landed(flight: Flight) -> None:
            self._landed(flight)
            free.release()

        look_at = 0.0
        for flight in self.flights:
            flight.landed = landed
            await free.acquire()
            if perf_counter() > look_at:
                await asyncio.sleep(0)
                look_at = perf_counter() + LOOK_S
            flight.intended = flight.sent = perf_counter()
            flight.ends = flight.sent + self._timetable.deadline_s
            self._send(flight)
        await self._all_landed()

    def outcomes(self) -> list[Outcome]:
        """What became of each request, once all have landed."""
        return [_outcome(flight, self.began) for flight in self.flights]

    def _landed(self, flight: Flight) -> None:
        flight.ended = perf_counter()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    async def _all_landed(self) -> None:
        for flight in self.flights:
            while not flight.ended:
                self._awaited = asyncio.get_running_loop().create_future()
                await self._awaited


def _outcome(flight: Flight, began: float) -> Outcome:
    request, reply, intended = flight.request, flight.reply, flight.intended
    fate, reason = Fate.COMPLETED, ""
    if reply is None or reply.failure is not None:
        fate, reason = _loss(flight)
    return Outcome(
        request=request.id,
        session=request.session,
        fate=fate,
        tier=flight.tier,
        worker=reply.worker if reply else "",
        start_s=intended - began,
        late_s=flight.sent - intended,
        response_s=flight.ended - intended,
        service_s=reply.service_ns / 1e9 if reply else 0.0,
        reason=reason,
    )


def _loss(flight: Flight) -> tuple[Fate, str]:
    """What became of a request that has no result, and why."""
    error = flight.error
    if isinstance(error, Overloaded):
        return Fate.DROPPED, str(error)
    if isinstance(error, DeadlineExceeded):
        return Fate.TIMED_OUT, str(error)
    failure = flight.reply.failure if flight.reply else None
    if failure is not None:
        return Fate.FAILED, f"{failure.kind}: {failure.message}"
    return Fate.FAILED, f"{type(error).__name__}: {error}"
