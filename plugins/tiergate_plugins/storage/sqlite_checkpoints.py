"""Copying the log into the database while the writer goes on.

By itself SQLite checkpoints within the commit that fills the log, which then takes as long as hundreds of
others: it writes every changed page to its place, and syncs them. Here a thread with a connection of its own
does so. A writer that is never idle leaves it a log that never comes to its end, and so is never begun anew;
then the commit at `LARGEST_LOG_PAGES` checkpoints the little that the thread has not copied yet.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

_ROWS = 768
"""Changed rows after which the thread copies: those of a small write fill about a page each, and one more."""

LARGEST_LOG_PAGES = 4000
"""Pages at which a commit checkpoints itself: 16 MiB."""


class Checkpoints:
    """Keeps the log of one writer short.

    Args:
        writer: the connection whose commits fill the log.
        durable: whether the database must be on disk before the log is used again, not only at the drive.
    """

    def __init__(self, database: Path, writer: sqlite3.Connection, *, durable: bool) -> None:
        self._database = database
        self._writer = writer
        self._durable = durable
        self._copied_at = writer.total_changes
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None

    def note_commit(self) -> None:
        """Begin to copy, if enough was written since the last time and nothing is being copied."""
        changes = self._writer.total_changes
        if changes - self._copied_at < _ROWS or (self._thread and self._thread.is_alive()):
            return
        self._copied_at = changes
        self._thread = threading.Thread(target=self._copy, name="tiergate checkpoint", daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Wait until nothing is being copied."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        """Wait likewise, and give back the connection, without which the log cannot be given up."""
        self.settle()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _copy(self) -> None:
        # What cannot be copied stays in the log, where it is as safe; a later commit tries again.
        with suppress(sqlite3.Error):
            if self._connection is None:
                self._connection = _connect(self._database, durable=self._durable)
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def _connect(database: Path, *, durable: bool) -> sqlite3.Connection:
    # One thread after the other uses it, never two at once.
    connection = sqlite3.connect(database, timeout=0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA checkpoint_fullfsync = {int(durable)}")
    return connection
