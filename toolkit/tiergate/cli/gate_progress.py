"""Progress of a paired comparison on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from tiergate.cli.progress import suited

if TYPE_CHECKING:
    from rich.status import Status

TELL_EVERY_S = 10.0


class Quiet:
    """Tells nothing."""

    def doing(self, what: str) -> None:
        """Something that takes a while begins."""

    def generation(self, number: int, undecided: int) -> None:
        """A generation begins, with so many benchmarks that are not decided."""

    def benchmark(self) -> None:
        """One of them was played."""


class Lines(Quiet):
    """A line now and then, for logs."""

    def __init__(self) -> None:
        self._told = 0.0

    def doing(self, what: str) -> None:
        """Say so."""
        print(f"{what} …", file=sys.stderr, flush=True)

    def generation(self, number: int, undecided: int) -> None:
        """Say so, but not too often."""
        now = monotonic()
        if now - self._told > TELL_EVERY_S:
            self._told = now
            print(f"generation {number}: {undecided} undecided", file=sys.stderr, flush=True)


class Bar(Quiet):
    """One line in a terminal, which is written over."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._text = ""
        self._played = self._all = 0

    def doing(self, what: str) -> None:
        """Say so."""
        self._status.update(f"{what} …")

    def generation(self, number: int, undecided: int) -> None:
        """Say so."""
        self._text, self._played, self._all = f"generation {number}", 0, undecided
        self._show()

    def benchmark(self) -> None:
        """Count it."""
        self._played += 1
        self._show()

    def _show(self) -> None:
        self._status.update(f"{self._text}: {self._played} of {self._all} undecided benchmarks")


def shown(*, quiet: bool) -> AbstractContextManager[Quiet]:
    """Progress as suits where standard error goes."""
    return suited(Quiet, Lines, _bar, quiet=quiet)


@contextmanager
def _bar() -> Iterator[Quiet]:
    from rich.console import Console

    with Console(stderr=True).status("collect …") as status:
        yield Bar(status)
