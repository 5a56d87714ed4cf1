"""The copies of a command, and how requests are spread over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from tiergate.errors import RunError
from tiergate.operation import Request
from tiergate.pool import DeadlineExceeded, Overloaded, PoolEvent, PoolUsage
from tiergate.target import BadAnswer, Flight, Target, TargetDied
from tiergate_plugins.targets.language import Language
from tiergate_plugins.targets.process import Carried, CommandProcess, Ended

QUEUE_LIMIT = 10_000
"""Requests that may be unanswered at once; one more is refused, as by a pool."""

STARTS = 6
"""Starts of one copy in one round, the first among them; after that its place stays empty."""

START_TIMEOUT_S = 30.0
"""How long a copy may take for the first answer, its own start-up included."""


class Copies(Target):
    """So many processes of one command; each request goes to the one with the fewest unanswered.

    Args:
        words: the command.
        copies: how many.
        store: address of the store that a copy may serve, in its environment as ``TIERGATE_STORE``.
        language: makes what one copy is spoken to in.
    """

    def __init__(
        self, words: Sequence[str], copies: int, store: str, language: Callable[[], Language]
    ) -> None:
        self._words = words
        self._language = language
        self._store = store
        self._names = [f"copy-{number}" for number in range(1, copies + 1)]
        self._alive: dict[str, CommandProcess] = {}
        self._starts = dict.fromkeys(self._names, 0)
        self._events: list[PoolEvent] = []
        self._ended: list[Ended] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._began = monotonic()

    async def start(self) -> None:
        """Start every copy.

        Raises:
            RunError: the command cannot be started.
        """
        self._began = monotonic()
        for name in self._names:
            await self._spawn(name)

    async def _spawn(self, name: str) -> None:
        copy = CommandProcess(name, self._language(), self._landed, self._lost)
        self._starts[name] += 1
        await copy.start(self._words, self._store)
        try:
            await copy.greet()
        except BaseException:
            self._ended.append(await copy.end(kill=True))
            raise
        self._alive[name] = copy
        self._note("spawn", name, f"process {copy.pid}")

    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Have each copy answer each request once.

        Raises:
            RunError: a copy did not answer; says what it wrote to its standard error.
        """
        for copy in list(self._alive.values()):
            for request in requests:
                problem = await copy.ask(request, START_TIMEOUT_S)
                if problem is not None:
                    raise RunError(f"no answer to {request.operation}: {problem}", where=copy.name)

    def send(self, flight: Flight) -> None:
        """Write the request to the copy with the fewest unanswered ones."""
        copies = self._alive.values()
        if not copies:
            self._refuse(flight, TargetDied("no copy of the command is running"))
            return
        copy = min(copies, key=lambda one: one.unanswered)
        if sum(one.unanswered for one in copies) >= QUEUE_LIMIT:
            self._refuse(
                flight, Overloaded(f"{QUEUE_LIMIT} requests wait already", hint="send fewer, or later")
            )
            return
        timer = asyncio.get_running_loop().call_later(flight.left_s, self._expire, copy, flight)
        copy.send(Carried(flight, timer))

    def _refuse(self, flight: Flight, error: Exception) -> None:
        flight.error = error
        flight.landed(flight)

    def _expire(self, copy: CommandProcess, flight: Flight) -> None:
        """Nobody waits any longer: the copy is told where its language can, and the answer is passed over."""
        if copy.forget(flight.request.id):
            error = f"{flight.request.operation} took longer than {flight.left_s:g} s"
            self._refuse(flight, DeadlineExceeded(error))

    def _landed(self, carried: Carried) -> None:
        carried.timer.cancel()
        carried.flight.landed(carried.flight)

    def _lost(self, copy: CommandProcess, fault: str) -> None:
        """A copy ended, or wrote what is no answer: its requests fail by name, and another one is started."""
        if self._alive.pop(copy.name, None) is None:
            return
        task = asyncio.get_running_loop().create_task(self._replace(copy, fault))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replace(self, copy: CommandProcess, fault: str) -> None:
        ended = await copy.end(kill=bool(fault))
        self._ended.append(ended)
        self._note("exit", copy.name, f"{fault}; {ended.status}" if fault else ended.status)
        for carried in copy.give_up():
            what = f"{copy.name} {fault}" if fault else f"{copy.name} ended ({ended.status})"
            carried.flight.error = BadAnswer(what) if fault else TargetDied(what)
            self._landed(carried)
        if not self._closing and self._starts[copy.name] < STARTS:
            try:
                await self._spawn(copy.name)
            except RunError as error:
                self._note("start-failed", copy.name, str(error))

    def _note(self, kind: str, copy: str, detail: str) -> None:
        self._events.append(PoolEvent(round(monotonic() - self._began, 6), kind, copy, detail))

    def events(self) -> Sequence[PoolEvent]:
        """Every start and end of a copy."""
        return tuple(self._events)

    async def close(self) -> PoolUsage:
        """Close the input of every copy, and kill the ones that do not end then."""
        self._closing = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        copies = list(self._alive.values())
        self._alive.clear()
        self._ended += await asyncio.gather(*(copy.end(kill=copy.unanswered > 0) for copy in copies))
        for copy in copies:
            for carried in copy.give_up():
                carried.flight.error = TargetDied("the target was closed")
                self._landed(carried)
        return PoolUsage(
            cpu_s=sum(ended.cpu_s for ended in self._ended),
            peak_rss_bytes=sum(ended.peak_rss_bytes for ended in self._ended),
            worker_seconds=sum(ended.lived_s for ended in self._ended),
        )
