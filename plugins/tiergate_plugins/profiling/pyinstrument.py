"""The profiler `pyinstrument`: samples when a function is called or returns, built-in ones included.

Its sampler is used without the session that `pyinstrument.Profiler` keeps: a session is complete only when
it is stopped, and a worker that is killed never stops one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tiergate.hooks import ProfilerDeclaration, hookimpl
from tiergate.profiler import Frame, Profiler, Saw

if TYPE_CHECKING:
    from pyinstrument.stack_sampler import StackSampler

_FIELD, _ATTRIBUTE, _CLASS = "\0", "\1", "c"
"""How pyinstrument writes a frame: function, file and line, and after them attributes that begin with what
they are."""


class Pyinstrument(Profiler):
    """Samples the calling thread.

    Args:
        interval_s: between two samples, at the least; the next call or return after it is seen.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._sampler: StackSampler | None = None
        self._saw: Saw | None = None
        self._frames: dict[str, Frame] = {}

    def start(self, saw: Saw) -> None:
        """Begin."""
        from pyinstrument.stack_sampler import get_stack_sampler

        self._saw = saw
        self._sampler = get_stack_sampler()
        # Without the context of one task: whole stacks, of whatever the loop runs.
        self._sampler.subscribe(self._sampled, desired_interval=self._interval_s, use_async_context=False)

    def stop(self) -> None:
        """End it."""
        if self._sampler is not None:
            self._sampler.unsubscribe(self._sampled)
            self._sampler = None

    def _sampled(self, stack: list[str], seconds: float, _state: Any) -> None:
        assert self._saw is not None
        frames = self._frames
        # The first entry is the thread.
        self._saw(tuple([frames.get(entry) or self._frame(entry) for entry in stack[1:]]), seconds)

    def _frame(self, entry: str) -> Frame:
        identity, *attributes = entry.split(_ATTRIBUTE)
        function, file, line = identity.split(_FIELD)
        of_class = next((text[1:] for text in attributes if text.startswith(_CLASS)), "")
        frame = Frame(f"{of_class}.{function}" if of_class else function, file, int(line))
        self._frames[entry] = frame
        return frame


@hookimpl
def tiergate_profilers() -> Iterator[ProfilerDeclaration]:
    """The profiler of this module."""
    yield ProfilerDeclaration(
        name="pyinstrument",
        summary="every call and return may be seen, built-in functions too; slows down code that calls much",
        build=Pyinstrument,
    )
