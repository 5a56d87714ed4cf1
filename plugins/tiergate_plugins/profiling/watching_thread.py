"""The profiler `thread`: another thread looks at the stack of the one that works.

It costs next to nothing, and sees less: it has to wait for the interpreter's lock, so that its samples fall
where that is given up, and built-in functions have no frames of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from threading import Event, Thread, get_ident
from time import perf_counter
from types import CodeType, FrameType

from tiergate.hooks import ProfilerDeclaration, hookimpl
from tiergate.profiler import Frame, Profiler, Saw


class WatchingThread(Profiler):
    """Looks at the calling thread from another one.

    Args:
        interval_s: how long that sleeps between two looks.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._ends = Event()
        self._thread: Thread | None = None
        self._frames: dict[CodeType, Frame] = {}

    def start(self, saw: Saw) -> None:
        """Begin."""
        self._ends.clear()
        self._thread = Thread(target=self._run, args=(get_ident(), saw), name="sample stacks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, watched: int, saw: Saw) -> None:
        last = perf_counter()
        while not self._ends.wait(self._interval_s):
            frame = sys._current_frames().get(watched)
            now = perf_counter()
            if frame is not None:
                saw(self._stack(frame), now - last)
            last = now

    def _stack(self, innermost: FrameType) -> tuple[Frame, ...]:
        found: list[Frame] = []
        frame: FrameType | None = innermost
        while frame is not None:
            found.append(self._frame(frame.f_code))
            frame = frame.f_back
        return tuple(reversed(found))

    def _frame(self, code: CodeType) -> Frame:
        frame = self._frames.get(code)
        if frame is None:
            frame = self._frames[code] = Frame(
                _short(code.co_qualname), code.co_filename, code.co_firstlineno
            )
        return frame


def _short(qualified: str) -> str:
    """The name of a function with its class, without what it is nested in."""
    return ".".join(qualified.replace(".<locals>", "").split(".")[-2:])


@hookimpl
def tiergate_profilers() -> Iterator[ProfilerDeclaration]:
    """The profiler of this module."""
    yield ProfilerDeclaration(
        name="thread",
        summary="looks from another thread; costs next to nothing, and sees no built-in functions",
        build=WatchingThread,
    )
