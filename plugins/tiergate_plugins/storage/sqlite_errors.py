"""What SQLite's errors mean to the user of a store."""

from __future__ import annotations

import re
import sqlite3
from types import TracebackType

from tiergate.store import StoreDamaged, StoreError, StoreFailed

BUSY_TIMEOUT_S = 30.0
"""How long a call waits for other processes. Their writes take milliseconds; this is for a stopped one."""

_WRITABLE = "check that the file and its folder can be written"
_PRIMARY = 0xFF
"""Extended result codes keep the primary one in their lowest byte."""

_DAMAGE = re.compile("decode to UTF-8|no such table|no such column")
"""Damage that SQLite reports without a code of its own."""

_FAILURES = {
    sqlite3.SQLITE_BUSY: (
        f"another process kept the database locked for {BUSY_TIMEOUT_S:g} s",
        "wait for it, or stop it",
    ),
    sqlite3.SQLITE_LOCKED: ("the database is locked", "close what else uses it"),
    sqlite3.SQLITE_FULL: ("the disk is full; nothing was written", "free some space and repeat"),
    sqlite3.SQLITE_READONLY: ("the database cannot be written", _WRITABLE),
    sqlite3.SQLITE_CANTOPEN: ("the database cannot be opened", _WRITABLE),
    sqlite3.SQLITE_PERM: ("the database may not be opened", _WRITABLE),
    sqlite3.SQLITE_IOERR: (
        "reading or writing the disk failed",
        "check the disk, its quota, and the largest file that `ulimit -f` allows",
    ),
    sqlite3.SQLITE_NOTADB: ("the file is not an SQLite database", "name another file for the store"),
    sqlite3.SQLITE_TOOBIG: ("the value is larger than SQLite can hold", "1 GB is the limit of one task"),
}
_WRONG = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG, 0})
"""What was asked for cannot be; 0 is what the module refuses before SQLite sees it. Else the run broke."""

RAISED = (sqlite3.Error, OverflowError)
"""What the module raises, for values that it cannot take too."""


class SqliteErrors:
    """Turns every error of SQLite in a block into a `StoreError`; it stands around every call of a store, so
    it is no generator, which would take several times as long."""

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, RAISED):
            raise translated(error, self._where) from error


def translated(error: Exception, where: str) -> StoreError:
    """What an error of SQLite means to the user of a store."""
    extended = getattr(error, "sqlite_errorcode", 0)
    if extended == sqlite3.SQLITE_READONLY_ROLLBACK:
        return StoreFailed(
            "a write was cut short here, and half of it is in the file",
            where=where,
            hint="let it be undone: make the file and its folder writable, then open the store again",
        )
    code = extended & _PRIMARY
    if code == sqlite3.SQLITE_CORRUPT or _DAMAGE.search(str(error)):
        return StoreDamaged(
            f"the database is damaged: {error}",
            where=where,
            hint="restore it from a copy, or see `sqlite3 .recover`",
        )
    what, hint = _FAILURES.get(code, (f"SQLite failed: {error}", None))
    kind = StoreError if code in _WRONG else StoreFailed
    return kind(what, where=where, hint=hint)
