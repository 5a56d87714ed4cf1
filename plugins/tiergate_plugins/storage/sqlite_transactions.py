"""Blocks of statements that SQLite sees as one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tiergate.store import StoreError, read_only
from tiergate_plugins.storage.sqlite_errors import BUSY_TIMEOUT_S, sqlite_errors
from tiergate_plugins.storage.sqlite_wal import LogSync


class Transactions:
    """Begins, ends and undoes the transactions of one connection.

    What a block raises goes through unchanged; only the errors of these statements are translated.

    Args:
        logged: whether the database has a write-ahead log.
    """

    def __init__(
        self, connection: sqlite3.Connection, where: str, log: LogSync, *, writable: bool, logged: bool
    ) -> None:
        self._connection = connection
        self._log = log
        self._writable = writable
        self._logged = logged
        self._where = where
        self._depth = 0
        self._waits = True

    @property
    def inner(self) -> bool:
        """Whether the block of writes that this is asked in stands in another."""
        return self._depth > 1

    def set_logged(self, logged: bool) -> None:
        """Take note that the database has a write-ahead log now, or no longer has it."""
        self._logged = logged
        self._waits = True
        self._log.restart(logged=logged)

    def require_waiting(self) -> None:
        """Let SQLite wait for other processes again. Writers do it themselves; to tell it so each time, and
        back, would take a tenth of the time of a small write."""
        if not self._waits:
            self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
            self._waits = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let several statements see the database at one moment."""
        self.require_waiting()
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
        """Make the writes of a block one, on disk at its end. Inside another it is a part that can fail."""
        if not self._writable:
            raise read_only(self._where)
        self._require_unbroken()
        if self._depth == 0:
            self._log.require_sound()
            self._begin()
            try:
                self._log.mend()
            except StoreError:
                self._undo("ROLLBACK")
                raise
            end, undo = "COMMIT", "ROLLBACK"
        else:
            part = f"part_{self._depth}"
            self._execute(f"SAVEPOINT {part}")
            end, undo = f"RELEASE {part}", f"ROLLBACK TO {part}"
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
        if self._depth == 0:
            self._log.run()

    def _begin(self) -> None:
        """Wait for other writers. They are done in a tenth of the time that SQLite would sleep at least."""
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        pause = 0.00005
        with sqlite_errors(self._where):
            if self._waits:
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._waits = False
            while True:
                try:
                    self._connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(pause)
                    pause = min(pause * 1.5, 0.002)
                else:
                    break
            if not self._logged:  # then a commit waits for readers
                self.require_waiting()

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
