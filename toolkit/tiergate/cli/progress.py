"""Progress of a run on standard error: a bar in a terminal, one line per stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import TypeVar

from tiergate.load.plan import Progress, Silent

_Kind = TypeVar("_Kind")

TELL_EVERY_S = 10.0
"""How often a log is told how much of a stage is left."""


class Lines:
    """One line when a stage begins, one when it is done, and now and then how much is left, for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._steps = self._done = 0
        self._began = self._told = 0.0

    def begin(self, stage: str, steps: int) -> None:
        """A stage of so many steps begins."""
        self._stage, self._steps, self._done = stage, steps, 0
        self._began = self._told = monotonic()
        print(f"{stage} …", file=sys.stderr, flush=True)

    def step(self) -> None:
        """One step of the stage is done."""
        self._done += 1
        now = monotonic()
        took = now - self._began
        if self._done == self._steps:
            print(f"{self._stage}: done in {took:.1f} s", file=sys.stderr, flush=True)
        elif now - self._told > TELL_EVERY_S:
            self._told = now
            left = took / self._done * (self._steps - self._done)
            line = f"{self._stage}: {self._done} of {self._steps}, about {left:.0f} s left"
            print(line, file=sys.stderr, flush=True)


def shown(*, quiet: bool) -> AbstractContextManager[Progress]:
    """Progress as suits where standard error goes."""
    return suited(Silent, Lines, _bar, quiet=quiet)


def suited(
    silent: Callable[[], _Kind],
    lines: Callable[[], _Kind],
    bar: Callable[[], AbstractContextManager[_Kind]],
    *,
    quiet: bool,
) -> AbstractContextManager[_Kind]:
    """Of three kinds of progress, the one that suits where standard error goes."""
    if quiet:
        return nullcontext(silent())
    return bar() if sys.stderr.isatty() else nullcontext(lines())


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as rich:

        class Bar:
            """The bars of rich, one per stage."""

            def begin(self, stage: str, steps: int) -> None:
                self.task = rich.add_task(stage, total=steps)

            def step(self) -> None:
                rich.advance(self.task)

        yield Bar()
