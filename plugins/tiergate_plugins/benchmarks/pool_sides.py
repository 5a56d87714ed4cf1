"""Who takes part in the rows about no-ops: our pool; `pool_echo` and `pool_peers` have the others.

Every one gives a number to a worker and gets it back. What it got is added up, so that one that did
less would be found out.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque

from tiergate.errors import RunError
from tiergate.operation import Reply, Request
from tiergate.pool import Pool
from tiergate.routing import Choice
from tiergate_plugins.benchmarks.pool_found import DEADLINE_S, make_runner, sender


class Side(ABC):
    """Something that carries numbers to another process and back."""

    most_in_flight = 64

    @abstractmethod
    def round_trips(self, count: int) -> list[float]:
        """Seconds of each of so many no-ops, one after the other."""

    @abstractmethod
    def window(self, count: int, in_flight: int) -> int:
        """Do the no-ops 0, 1, … `count` - 1, so many in flight, and add up what came back."""

    @abstractmethod
    def close(self) -> None:
        """End its processes."""


def do_all(side: Side, count: int, in_flight: int) -> float:
    """Do no-ops; how long all of them took together, in seconds.

    Raises:
        RunError: what came back is not what was sent.
    """
    start = time.perf_counter()
    total = side.window(count, in_flight)
    took = time.perf_counter() - start
    if total != count * (count - 1) // 2:
        raise RunError(f"not all of {count} no-ops were done", hint="its time would not count")
    return took


class Ours(Side):
    """Our pool: any worker, a deadline for each request, a subscriber of its events."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._send = sender(pool)
        self._runner = make_runner()
        self._runner.run(pool.start())
        self.events = 0
        subscribe = getattr(pool, "subscribe", None)
        if subscribe is not None:
            subscribe(self._heard)

    def _heard(self, _event: object) -> None:
        self.events += 1

    def round_trips(self, count: int) -> list[float]:
        return self._runner.run(self._round_trips(count))

    async def _round_trips(self, count: int) -> list[float]:
        took = []
        for number in range(count):
            start = time.perf_counter()
            await self._submit(number)
            took.append(time.perf_counter() - start)
        return took

    def window(self, count: int, in_flight: int) -> int:
        return self._runner.run(self._window(count, in_flight))

    async def _window(self, count: int, in_flight: int) -> int:
        total = 0
        waiting = deque(self._submit(number) for number in range(min(in_flight, count)))
        for number in range(len(waiting), count):
            total += (await waiting.popleft()).result
            waiting.append(self._submit(number))
        for one in waiting:
            total += (await one).result
        return total

    def _submit(self, number: int) -> asyncio.Future[Reply]:
        request = Request(number, "bench_echo", None, {"number": number})
        return self._send(request, Choice(), deadline_s=DEADLINE_S)

    def close(self) -> None:
        self._runner.run(self._pool.close())
        self._runner.close()
