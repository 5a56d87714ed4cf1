"""The load driver: open arrivals, each request sent at its intended start whatever the others do.

Response time counts from the intended start, also when the driver itself was late, so that a stall
shows in every request that it held up (coordinated omission: Tene, How not to measure latency, 2015).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from tiergate.load.oracle import warm_up
from tiergate.load.outcome import Fate, Outcome, Round
from tiergate.operation import Request
from tiergate.pool import DeadlineExceeded, Overloaded, Pool, PoolError
from tiergate.routing import Choice, RequestFacts, Router

LEAD_S = 0.02
"""Pause between the warm-up and the first intended start."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What to send, and when: seconds from the start of the round, at the rate that is offered."""

    requests: Sequence[Request]
    facts: Sequence[RequestFacts]
    starts: Sequence[float]
    warm_up: Sequence[Request]
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Due:
    """One request, its intended start, and the moment at which nobody waits for it any more."""

    request: Request
    facts: RequestFacts
    intended: float
    ends: float


async def drive(pool: Pool, router: Router, timetable: Timetable, number: int) -> Round:
    """Start a pool, send every request of the timetable through the router, and close the pool.

    Raises:
        WorkerFailedToStart: the pool could not start.
    """
    try:
        await pool.start()
        await warm_up(pool, timetable.warm_up)
        with _no_garbage_collection():
            began = perf_counter() + LEAD_S
            outcomes = await _send_all(pool, router, timetable, began)
            elapsed = perf_counter() - began
    finally:
        usage = await pool.close()
    return Round(number, outcomes, elapsed, usage, list(pool.events()))


async def _send_all(pool: Pool, router: Router, timetable: Timetable, began: float) -> list[Outcome]:
    tasks: list[asyncio.Task[Outcome]] = []
    for request, facts, start in zip(timetable.requests, timetable.facts, timetable.starts, strict=True):
        intended = began + start
        # Also when it is late: a driver that only sent would not see the answers until it is done.
        await asyncio.sleep(max(0.0, intended - perf_counter()))
        due = Due(request, facts, intended, intended + timetable.deadline_s)
        tasks.append(asyncio.create_task(_send(pool, router, due)))
    return list(await asyncio.gather(*tasks))


async def _send(pool: Pool, router: Router, due: Due) -> Outcome:
    sent = perf_counter()
    choice = Choice()
    service_s, worker, fate, reason = 0.0, "", Fate.COMPLETED, ""
    try:
        choice = router.choose(due.facts, pool.view())
        reply = await pool.submit(due.request, choice, deadline_s=max(1e-3, due.ends - sent))
        service_s, worker = reply.service_ns / 1e9, reply.worker
        if reply.failure is None:
            router.completed(due.facts, choice, service_s)
        else:
            fate, reason = Fate.FAILED, f"{reply.failure.kind}: {reply.failure.message}"
    except Overloaded as error:
        fate, reason = Fate.DROPPED, str(error)
    except DeadlineExceeded as error:
        fate, reason = Fate.TIMED_OUT, str(error)
    except (PoolError, LookupError) as error:
        fate, reason = Fate.FAILED, f"{type(error).__name__}: {error}"
    answered = perf_counter()
    return Outcome(
        request=due.request.id,
        session=due.request.session,
        fate=fate,
        tier=choice.meant_tier,
        worker=worker,
        late_s=sent - due.intended,
        response_s=answered - due.intended,
        service_s=service_s,
        reason=reason,
    )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection in the driver would make it late, and the delay would look like the pool's."""
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
