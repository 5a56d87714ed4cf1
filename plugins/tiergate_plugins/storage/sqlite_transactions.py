"""Blocks of statements that SQLite sees as one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from tiergate.store import SessionNotFound, StaleVersion, StoreError, read_only
from tiergate_plugins.storage.sqlite_checkpoints import Checkpoints
from tiergate_plugins.storage.sqlite_errors import BUSY_TIMEOUT_S, RAISED, translated
from tiergate_plugins.storage.sqlite_wal import LogSync

_NOTHING_DONE = (SessionNotFound, StaleVersion)
"""What a write raises before it has changed anything."""


class Transactions:
    """Begins, ends and undoes the transactions of one connection.

    What a block raises goes through unchanged; only the errors of these statements are translated.

    Args:
        checkpoints: told of every commit to the log.
        logged: whether the database has a write-ahead log.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        where: str,
        log: LogSync,
        checkpoints: Checkpoints,
        *,
        writable: bool,
        logged: bool,
    ) -> None:
        self._connection = connection
        self._log = log
        self._checkpoints = checkpoints
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
        if self._connection.in_transaction:  # which waits for nobody
            yield
            return
        self.require_waiting()
        self._execute("BEGIN")
        try:
            yield
        finally:
            self._undo("ROLLBACK")

    def writing(self, *, in_parts: bool = True) -> AbstractContextManager[None]:
        """Make the writes of a block one, on disk at its end. Inside another it is a part that can fail.

        Args:
            in_parts: False for a block that raises what it raises (`StaleVersion`, `SessionNotFound`) before
                it has changed anything: then two statements are saved. Should it fail otherwise, all of the
                outer block is undone.
        """
        return _Writing(self, in_parts=in_parts)

    def enter(self, *, in_parts: bool) -> str:
        """Begin a block; the name of its savepoint, empty for one that has none."""
        if not self._writable:
            raise read_only(self._where)
        self._require_unbroken()
        part = ""
        if self._depth == 0:
            self._begin_whole()
        elif in_parts:
            part = f"part_{self._depth}"
            self._execute(f"SAVEPOINT {part}")
        self._depth += 1
        return part

    def leave(self, part: str, error: BaseException | None) -> None:
        """End the block that was entered last, or undo it when it raised something."""
        try:
            if error is not None:
                self._undo_block(part, error)
            else:
                self._finish(part)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._log.give_turn()
        if error is None and self._depth == 0:
            self._log.run()
            if self._logged:
                self._checkpoints.note_commit()

    def _begin_whole(self) -> None:
        self._log.require_sound()
        until = time.monotonic() + BUSY_TIMEOUT_S
        self._log.take_turn(until)
        try:
            self._begin(until)
            try:
                self._log.mend()
            except StoreError:
                self._undo("ROLLBACK")
                raise
        except BaseException:
            self._log.give_turn()
            raise

    def _finish(self, part: str) -> None:
        try:
            self._require_unbroken()
            if self._depth == 1:
                self._execute("COMMIT")
            elif part:
                self._execute(f"RELEASE {part}")
        except BaseException as error:
            self._undo_block(part, error)
            raise

    def _undo_block(self, part: str, error: BaseException) -> None:
        if part:
            self._undo(f"ROLLBACK TO {part}")
        elif self._depth == 1 or not isinstance(error, _NOTHING_DONE):
            self._undo("ROLLBACK")

    def _begin(self, until: float) -> None:
        """Wait for what did not take its turn: another program's write, a checkpoint that ends the log."""
        pause = 0.00005
        if self._waits:
            self._execute("PRAGMA busy_timeout = 0")
            self._waits = False
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except RAISED as error:
                busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise translated(error, self._where) from error
                time.sleep(pause)
                pause = min(pause * 1.5, 0.002)
            else:
                break
        if not self._logged:  # then a commit waits for readers
            self.require_waiting()

    def _execute(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except RAISED as error:
            raise translated(error, self._where) from error

    def _undo(self, statement: str) -> None:
        """Undo, unless SQLite has done so itself, as it does when the disk is full."""
        if self._connection.in_transaction:
            self._execute(statement)

    def _require_unbroken(self) -> None:
        if self._depth and not self._connection.in_transaction:
            raise StoreError(
                "an earlier error has undone the transaction", where=self._where, hint="repeat all of it"
            )


class _Writing:
    """A block of writes; no generator, which would take several times as long."""

    __slots__ = ("_in_parts", "_part", "_transactions")

    def __init__(self, transactions: Transactions, *, in_parts: bool) -> None:
        self._transactions = transactions
        self._in_parts = in_parts
        self._part = ""

    def __enter__(self) -> None:
        self._part = self._transactions.enter(in_parts=self._in_parts)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transactions.leave(self._part, error)
