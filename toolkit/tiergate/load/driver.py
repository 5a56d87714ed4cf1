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

BATCH = 32
"""Requests that are sent before the loop looks for answers, however many are due."""

LEAST_TIME_S = 1e-3
"""What a request gets that is sent past its deadline."""


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
        sending = _Sending(target, timetable)
        with undisturbed():
            cpu_s = process_time()
            await (sending.in_open_loop() if timetable.clients is None else sending.in_closed_loop())
            elapsed, cpu_s = perf_counter() - sending.began, process_time() - cpu_s
    finally:
        usage = await target.close()
    outcomes = [_outcome(flight, sending.began) for flight in sending.flights]
    return Round(number, outcomes, elapsed, usage, list(target.events()), cpu_s)


class _Sending:
    """The requests of one round on their way."""

    def __init__(self, target: Target, timetable: Timetable) -> None:
        self._target = target
        self._timetable = timetable
        self._in_flight = 0
        self._awaited: asyncio.Future[None] | None = None
        self.flights: list[Flight] = []
        self.began = perf_counter() + LEAD_S

    async def in_open_loop(self) -> None:
        """Send each request at its start."""
        starts = [self.began + start for start in self._timetable.starts]
        count, number = len(starts), 0
        while number < count:
            # Also when it is late: a driver that only sent would not see the answers until it is done.
            await asyncio.sleep(max(0.0, starts[number] - perf_counter()))
            most = min(count, number + BATCH)
            while number < most and starts[number] <= (now := perf_counter()):
                self._send(number, starts[number], now)
                number += 1
        await self._until_fewer_than(1)

    async def in_closed_loop(self) -> None:
        """Send each request as soon as a client is free; that moment is its intended start."""
        clients = self._timetable.clients or 1
        await asyncio.sleep(self.began - perf_counter())
        for number in range(len(self._timetable.requests)):
            if number % BATCH == 0:
                await asyncio.sleep(0)
            await self._until_fewer_than(clients)
            now = perf_counter()
            self._send(number, now, now)
        await self._until_fewer_than(1)

    def _send(self, number: int, intended: float, now: float) -> None:
        timetable = self._timetable
        flight = Flight(timetable.requests[number], timetable.facts[number], intended, now, self._landed)
        self.flights.append(flight)
        self._in_flight += 1
        self._target.send(flight, max(LEAST_TIME_S, intended + timetable.deadline_s - now))

    def _landed(self, flight: Flight) -> None:
        flight.ended = perf_counter()
        self._in_flight -= 1
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    async def _until_fewer_than(self, many: int) -> None:
        while self._in_flight >= many:
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited
            self._awaited = None


def _outcome(flight: Flight, began: float) -> Outcome:
    fate, reason = _fate(flight)
    reply = flight.reply
    return Outcome(
        request=flight.request.id,
        session=flight.request.session,
        fate=fate,
        tier=flight.tier,
        worker=reply.worker if reply else "",
        start_s=flight.intended - began,
        late_s=flight.sent - flight.intended,
        response_s=flight.ended - flight.intended,
        service_s=reply.service_ns / 1e9 if reply else 0.0,
        reason=reason,
    )


def _fate(flight: Flight) -> tuple[Fate, str]:
    """What became of a request, and why where it has no result."""
    error = flight.error
    if isinstance(error, Overloaded):
        return Fate.DROPPED, str(error)
    if isinstance(error, DeadlineExceeded):
        return Fate.TIMED_OUT, str(error)
    if error is not None:
        return Fate.FAILED, f"{type(error).__name__}: {error}"
    failure = flight.reply.failure if flight.reply else None
    if failure is not None:
        return Fate.FAILED, f"{failure.kind}: {failure.message}"
    return Fate.COMPLETED, ""
