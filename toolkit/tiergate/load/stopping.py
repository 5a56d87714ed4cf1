"""Being stopped in the middle: the first Ctrl-C or SIGTERM counts, and no other cuts the cleaning up short.

`asyncio.Runner` cancels at the first Ctrl-C and raises in the middle of the loop at the second, where it hits
whatever runs: pools half closed, temporary files left, tasks that nobody awaits any more.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class Stopping:
    """Runs coroutines one after the other, each until it is done or the run is stopped."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._main: asyncio.Task[Any] | None = None
        self._stopped = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work returns.

        Raises:
            KeyboardInterrupt: it was stopped, and has cleaned up.
        """
        try:
            return self._runner.run(self._as_main(work))
        except asyncio.CancelledError:
            if self._stopped:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._main = None

    async def _as_main(self, work: Coroutine[Any, Any, T]) -> T:
        self._main = asyncio.current_task()
        return await work

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """A handler of signals.

        Raises:
            KeyboardInterrupt: at the first signal, where no coroutine runs that could be cancelled.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._main is None:
            raise KeyboardInterrupt
        self._runner.get_loop().call_soon_threadsafe(self._main.cancel)


@contextmanager
def stopping(runner: asyncio.Runner) -> Iterator[Stopping]:
    """Take over the signals that would end the block in the middle; those that are ignored, or that would
    end the process, stay as they are. Outside the main thread there are none to take over.
    """
    found = Stopping(runner)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    taken = {number: handler for number, handler in before.items() if callable(handler)}
    if current_thread() is not main_thread():
        taken = {}
    for number in taken:
        signal.signal(number, found.stop)
    try:
        yield found
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
