"""What SQLite's errors mean to the user of a store."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tiergate.store import StoreDamaged, StoreError

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
    sqlite3.SQLITE_IOERR: ("reading or writing the disk failed", "check the disk"),
    sqlite3.SQLITE_NOTADB: ("the file is not an SQLite database", "name another file for the store"),
    sqlite3.SQLITE_TOOBIG: ("the value is larger than SQLite can hold", "1 GB is the limit of one task"),
}


@contextmanager
def sqlite_errors(where: str) -> Iterator[None]:
    """Turn every error of SQLite into a `StoreError`."""
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        raise _translated(error, where) from error


def _translated(error: Exception, where: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code == sqlite3.SQLITE_CORRUPT or _DAMAGE.search(str(error)):
        return StoreDamaged(
            f"the database is damaged: {error}",
            where=where,
            hint="restore it from a copy, or see `sqlite3 .recover`",
        )
    what, hint = _FAILURES.get(code, (f"SQLite failed: {error}", None))
    return StoreError(what, where=where, hint=hint)
