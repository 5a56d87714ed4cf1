"""Progress of a reconciliation on standard error: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic

from tiergate.cli.progress import suited
from tiergate.matching import Progress

LINE_EVERY_S = 5.0


def shown(*, quiet: bool) -> AbstractContextManager[Progress]:
    """Progress as suits where standard error goes."""
    return suited(lambda: _silent, _Lines, _bar, quiet=quiet)


def _silent(_step: str, _done: int, _total: int) -> None:
    """Say nothing."""


class _Lines:
    """For logs: a line now and then, and none where all of it is quick."""

    def __init__(self) -> None:
        self._said = monotonic()

    def __call__(self, step: str, done: int, total: int) -> None:
        now = monotonic()
        if now - self._said >= LINE_EVERY_S:
            self._said = now
            print(f"{step}: {done} of {total}", file=sys.stderr, flush=True)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console  # a run in a log must not pay for it
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as rich:
        bars: dict[str, object] = {}

        def say(step: str, done: int, total: int) -> None:
            if step not in bars:
                bars[step] = rich.add_task(step, total=max(total, 1))
            rich.update(bars[step], completed=done, total=max(total, 1))  # type: ignore[arg-type]

        yield say
