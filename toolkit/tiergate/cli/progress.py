"""Progress of a run on standard error: a bar in a terminal, one line per stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import TypeVar

from tiergate.load.plan import Progress, Silent

_Kind = TypeVar("_Kind")


class Lines:
    """One line when a stage begins and one when it is done, for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._left = 0
        self._began = 0.0

    def begin(self, stage: str, steps: int) -> None:
        """A stage of so many steps begins."""
        self._stage, self._left, self._began = stage, steps, monotonic()
        print(f"{stage} …", file=sys.stderr, flush=True)

    def step(self) -> None:
        """One step of the stage is done."""
        self._left -= 1
        if not self._left:
            took = monotonic() - self._began
            print(f"{self._stage}: done in {took:.1f} s", file=sys.stderr, flush=True)


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
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(stderr=True)) as rich:

        class Bar:
            """The bars of rich, one per stage."""

            def begin(self, stage: str, steps: int) -> None:
                self.task = rich.add_task(stage, total=steps)

            def step(self) -> None:
                rich.advance(self.task)

        yield Bar()
