"""The pool as a target of load: a router chooses, the pool carries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolError, PoolEvent, PoolUsage
from tiergate.routing import Choice, Router
from tiergate.target import Flight, Target

if TYPE_CHECKING:
    import asyncio


class RoutedPool(Target):
    """Sends each request where the router says, and tells the router of each answer."""

    def __init__(self, pool: Pool, router: Router) -> None:
        self._pool = pool
        self._router = router

    async def start(self) -> None:
        """Start the pool."""
        await self._pool.start()

    def send(self, flight: Flight) -> None:
        """Choose and submit; a choice that cannot be made is what becomes of the request."""
        try:
            choice = self._router.choose(flight.facts, self._pool.view())
            flight.tier = choice.meant_tier
            future = self._pool.submit_nowait(flight.request, choice, deadline_s=flight.left_s)
        except (PoolError, LookupError) as error:
            flight.error = error
            flight.landed(flight)
            return
        if future.done():
            self._land(flight, choice, future)
        else:
            future.add_done_callback(partial(self._land, flight, choice))

    def _land(self, flight: Flight, choice: Choice, future: asyncio.Future[Reply]) -> None:
        if future.cancelled():
            flight.error = PoolError("the pool gave the request up")
        else:
            try:
                flight.reply = future.result()
            except Exception as error:
                flight.error = error
        flight.landed(flight)
        if flight.reply is not None and flight.reply.failure is None:
            # Who asked does not wait until the router has learned from it.
            self._router.completed(flight.facts, choice, flight.reply.service_ns / 1e9)

    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Have each worker serve each request once."""
        await warm_up(self._pool, requests)

    async def close(self) -> PoolUsage:
        """Close the pool."""
        return await self._pool.close()

    def events(self) -> Sequence[PoolEvent]:
        """What happened to the workers."""
        return self._pool.events()


async def warm_up(pool: Pool, requests: Sequence[Request]) -> list[Reply]:
    """Have each worker serve each request once; the times are thrown away."""
    return [
        await pool.submit(request, Choice(worker=worker.name))
        for worker in pool.view().workers
        for request in requests
    ]
