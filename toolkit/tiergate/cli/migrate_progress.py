"""Progress of a migration on standard error: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic

from tiergate.cli.progress import suited
from tiergate.cli.sessions_tables import counted, human_bytes
from tiergate.migrate.progress import Progress, Silent

LINE_EVERY_S = 5.0
"""A step that takes longer says how far it is each time so much has passed."""


class Lines:
    """For logs: a line when a step ends, and now and then before, with rate and the time that is left."""

    def begin(self, step: str, sessions: int, size: int | None) -> None:
        """A step begins that handles so many sessions, of so many bytes where that is known."""
        self._step, self._total, self._size = step, sessions, size
        self._done = self._bytes = 0
        self._began = self._said = monotonic()

    def advance(self, size: int) -> None:
        """One more session is done, of so many bytes."""
        self._done += 1
        self._bytes += size
        now = monotonic()
        if now - self._said >= LINE_EVERY_S:
            self._said = now
            print(self._line(now - self._began), file=sys.stderr, flush=True)

    def end(self) -> None:
        """The step is done."""
        took = monotonic() - self._began
        rate = f", {human_bytes(int(self._bytes / took))}/s" if took > 0 and self._bytes else ""
        print(
            f"{self._step}: {counted(self._done, 'session')} in {took:.1f} s{rate}",
            file=sys.stderr,
            flush=True,
        )

    def _line(self, took: float) -> str:
        share = self._bytes / self._size if self._size else self._done / max(1, self._total)
        left = f", {took / share - took:.0f} s left" if share > 0 else ""
        rate = f"{self._done / took:.0f} sessions/s, {human_bytes(int(self._bytes / took))}/s"
        return f"{self._step}: {100 * share:.0f} %, {self._done} of {self._total} sessions, {rate}{left}"


def shown(*, quiet: bool) -> AbstractContextManager[Progress]:
    """Progress as suits where standard error goes."""
    return suited(Silent, Lines, _bar, quiet=quiet)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console  # a run in a log must not pay for it
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
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as rich:

        class Bar:
            """The bars of rich, one a step."""

            def begin(self, step: str, sessions: int, size: int | None) -> None:  # noqa: ARG002
                self.task = rich.add_task(step, total=sessions, rate="")
                self.began = self.drawn = monotonic()
                self.waiting = self.bytes = 0

            def advance(self, size: int) -> None:
                self.waiting += 1
                self.bytes += size
                now = monotonic()
                if now - self.drawn > 0.1:
                    self.draw(now)

            def end(self) -> None:
                self.draw(monotonic())

            def draw(self, now: float) -> None:
                speed = int(self.bytes / max(now - self.began, 0.001))
                rich.update(self.task, advance=self.waiting, rate=f"{human_bytes(speed)}/s")
                self.waiting, self.drawn = 0, now

        yield Bar()
