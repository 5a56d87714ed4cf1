"""The coordinator's own profile: while requests are sent, and neither before nor after."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.operation import Request
from tiergate.pool import PoolEvent, PoolUsage
from tiergate.profiler import Profiler
from tiergate.sampling.gathering import Gatherer
from tiergate.target import Flight, Target


class ProfiledTarget(Target):
    """A target whose coordinator is sampled from the end of its warm-up until it is closed."""

    def __init__(self, target: Target, profiler: Profiler) -> None:
        self._target = target
        self._profiler = profiler
        self.gatherer = Gatherer()
        self.send = target.send  # type: ignore[method-assign]  # a call more would be a frame of every stack

    async def start(self) -> None:
        """Start the target."""
        await self._target.start()

    def send(self, flight: Flight) -> None:
        """Send a request to the target."""
        self._target.send(flight)

    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Warm the target up; then sampling begins."""
        await self._target.warm_up(requests)
        self._profiler.start(self.gatherer.saw)

    async def close(self) -> PoolUsage:
        """Stop sampling, and close the target."""
        self._profiler.stop()
        return await self._target.close()

    def events(self) -> Sequence[PoolEvent]:
        """What happened to the target."""
        return self._target.events()
