"""Blocks of statements that SQLite sees as one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tiergate.store import StoreError, read_only
from tiergate_plugins.storage.sqlite_errors import sqlite_errors


class Transactions:
    """Begins, ends and undoes the transactions of one connection.

    What a block raises goes through unchanged; only the errors of these statements are translated.
    """

    def __init__(self, connection: sqlite3.Connection, where: str, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._where = where
        self._depth = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let several statements see the database at one moment."""
        if self._connection.in_transaction:
            yield
            return
        self._execute("BEGIN")
        try:
            yield
        finally:
            self._undo("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make the writes of a block one. Inside another block it is a part that can fail by itself."""
        if not self._writable:
            raise read_only(self._where)
        self._require_unbroken()
        part = f"part_{self._depth}"
        if self._depth == 0:
            begin, end, undo = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
        else:
            begin, end, undo = f"SAVEPOINT {part}", f"RELEASE {part}", f"ROLLBACK TO {part}"
        self._execute(begin)
        self._depth += 1
        try:
            yield
            self._require_unbroken()
            self._execute(end)
        except BaseException:
            self._undo(undo)
            raise
        finally:
            self._depth -= 1

    def _execute(self, statement: str) -> None:
        with sqlite_errors(self._where):
            self._connection.execute(statement)

    def _undo(self, statement: str) -> None:
        """Undo, unless SQLite has done so itself, as it does when the disk is full."""
        if self._connection.in_transaction:
            self._execute(statement)

    def _require_unbroken(self) -> None:
        if self._depth and not self._connection.in_transaction:
            raise StoreError(
                "an earlier error has undone the transaction", where=self._where, hint="repeat all of it"
            )
