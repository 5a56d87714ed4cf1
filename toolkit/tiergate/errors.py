"""Errors that reach a person: one line that says what is wrong, where, and what to do.

The exit codes are the same for every command.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BROKE = 3
EXIT_INCONCLUSIVE = 4
EXIT_INTERRUPTED = 130

MOST_NAMES = 24
"""Names that an error lists."""


class TiergateError(Exception):
    """The root of every error that tiergate raises on purpose.

    Args:
        what: what is wrong, without a final full stop.
        where: the file, line, option or plugin that it is about.
        hint: what the reader can do about it.
    """

    exit_code = EXIT_USAGE

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what, where, hint)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return " ".join(f"{place}{self.what}{advice}".split())


class UsageError(TiergateError):
    """Wrong usage or configuration: exit code 2."""


class SourceError(TiergateError):
    """A source that is missing, unreadable or of the wrong format: exit code 2."""


class RunError(TiergateError):
    """The run itself broke, so it says nothing about what was measured: exit code 3."""

    exit_code = EXIT_BROKE


def counted(count: int, thing: str) -> str:
    """A number with its noun, as in ``1 task`` and ``2 tasks``."""
    return f"{count} {thing}" + ("" if count == 1 else "s")


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str | None = None) -> UsageError:
    """An error for a misspelt name that offers the nearest one, or else lists the known ones."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    known_names = ", ".join(names[:MOST_NAMES]) or "none"
    hint = f"did you mean {near[0]!r}?" if near else f"known: {known_names}{more}"
    return UsageError(f"unknown {kind} {name!r}", where=where, hint=hint)
