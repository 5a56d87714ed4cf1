"""How a migration tells how far it is, and how it keeps to a speed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Protocol

from tiergate.errors import UsageError

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(sessions|KiB|MiB|GiB)/s")
_BYTES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Progress(Protocol):
    """Told how far a migration is."""

    def begin(self, step: str, sessions: int, size: int | None) -> None:
        """A step begins that handles so many sessions, of so many bytes where that is known."""

    def advance(self, size: int) -> None:
        """One more session is done, of so many bytes."""

    def end(self) -> None:
        """The step is done."""


class Silent:
    """Shows nothing."""

    def begin(self, step: str, sessions: int, size: int | None) -> None:
        """Do nothing."""

    def advance(self, size: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A speed that no step exceeds.

    Attributes:
        per_second: sessions, or bytes of their canonical form.
        of_bytes: which of the two.
    """

    per_second: float
    of_bytes: bool

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"{self.per_second / 2**20:g}MiB/s" if self.of_bytes else f"{self.per_second:g}sessions/s"

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``50sessions/s`` or ``2.5MiB/s``.

        Raises:
            UsageError: it is none, or 0.
        """
        found = _RATE.fullmatch(text.strip())
        value = float(found[1]) if found else 0.0
        if found is None or value <= 0:
            raise UsageError(
                f"{text!r} is not a rate", hint="write it with its unit, as 50sessions/s or 2MiB/s"
            )
        return cls(value * _BYTES.get(found[2], 1), found[2] in _BYTES)


class Pace:
    """Keeps one step to a rate, on the average since the step began."""

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._began = time.monotonic()
        self._done = 0.0

    def wait(self, size: int) -> None:
        """One more session of so many bytes was handled; wait until that was allowed."""
        if self._rate is None:
            return
        self._done += size if self._rate.of_bytes else 1
        ahead = self._began + self._done / self._rate.per_second - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
