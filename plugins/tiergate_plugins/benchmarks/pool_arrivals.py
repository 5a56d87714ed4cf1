"""Open arrivals on a pool: response time counts from the intended start of each request."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from tiergate.errors import RunError
from tiergate.operation import Reply, Request, Scope
from tiergate.pool import Pool
from tiergate.routing import Choice, RequestFacts, Router
from tiergate_plugins.benchmarks.pool_found import DEADLINE_S, sender

_LEAD_S = 0.02


@dataclass(frozen=True, slots=True)
class Due:
    """A request, and when it is to be sent: seconds from the start of its round."""

    at_s: float
    request: Request
    facts: RequestFacts


@dataclass(slots=True)
class Answered:
    """What came of a request: how late it was sent and when it was answered, from its intended start."""

    due: Due
    late_s: float
    response_s: float = math.nan
    reply: Reply | None = None


def facts_of(request: Request) -> RequestFacts:
    """The facts of a request that reads nothing from the store."""
    return RequestFacts(
        request=request.id,
        operation=request.operation,
        session=request.session,
        arguments=request.arguments,
        payload_bytes=16,
        scope=Scope.TASK,
        read_tasks=1,
        read_bytes=1000,
        writes=False,
    )


def poisson(seed: int, count: int, rate: float, make: Callable[[int, Random], Request]) -> list[Due]:
    """So many requests with exponential pauses, `rate` a second; `make` makes each of its number."""
    draw = Random(seed)
    at_s = 0.0
    found = []
    for number in range(count):
        at_s += draw.expovariate(rate)
        request = make(number, draw)
        found.append(Due(at_s, request, facts_of(request)))
    return found


async def drive(pool: Pool, router: Router, dues: Sequence[Due]) -> list[Answered]:
    """Send every request through the router; the pool has been started.

    Raises:
        RunError: one of them was not answered, or the operation failed.
    """
    send = sender(pool)
    futures: list[asyncio.Future[Reply]] = []
    answers: list[Answered] = []
    began = perf_counter() + _LEAD_S
    for due in dues:
        intended = began + due.at_s
        if (pause := intended - perf_counter()) > 0:
            await asyncio.sleep(pause)
        choice = router.choose(due.facts, pool.view())
        answer = Answered(due, perf_counter() - intended)
        future = send(due.request, choice, deadline_s=DEADLINE_S)
        future.add_done_callback(_recorder(answer, intended, router, choice))
        futures.append(future)
        answers.append(answer)
    await asyncio.wait(futures)
    await asyncio.sleep(0)
    require_answers(answers, len(dues))
    return answers


def _recorder(
    answer: Answered, intended: float, router: Router, choice: Choice
) -> Callable[[asyncio.Future[Reply]], None]:
    def record(future: asyncio.Future[Reply]) -> None:
        answer.response_s = perf_counter() - intended
        if future.cancelled() or future.exception() is not None:
            return
        answer.reply = future.result()
        router.completed(answer.due.facts, choice, answer.reply.service_ns / 1e9)

    return record


def require_answers(answers: Sequence[Answered], count: int) -> None:
    """Refuse figures of a side that did less than it was asked.

    Raises:
        RunError: fewer than `count` requests have a result.
    """
    good = sum(one.reply is not None and one.reply.failure is None for one in answers)
    if good != count:
        failed = next((one.reply.failure for one in answers if one.reply and one.reply.failure), None)
        reason = f": {failed.kind}: {failed.message}" if failed else ""
        raise RunError(f"{count - good} of {count} requests have no result{reason}")


def p95(values: Sequence[float]) -> float:
    """The smallest value that at least 95 % do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
