"""Bringing commits to disk, outside the lock that one writer holds.

SQLite itself syncs a commit (``synchronous=FULL``) while no other process can write. Here a commit is only
written (``NORMAL``), and the log is synced after the lock was given back: the next process writes meanwhile,
and the kernel serves the syncs of several processes with one write of the log. A sync covers all that is in
the log, so whatever a durable commit was built on is durable too. When another process checkpoints in
between, SQLite syncs the log before, and the database before the log is used again.
"""

from __future__ import annotations

import os
from pathlib import Path

from tiergate.store import StoreError
from tiergate_plugins.storage import files


class LogSync:
    """Syncs the write-ahead log of one connection.

    Args:
        database: its log is there as long as the connection is open.
        needed: False where a commit need not survive the loss of power, or SQLite syncs by itself.
    """

    def __init__(self, database: Path, *, needed: bool) -> None:
        self._log = database.with_name(database.name + "-wal")
        self._needed = needed
        self._descriptor = -1
        self._failed = False

    def run(self) -> None:
        """Make every commit so far survive the loss of power.

        Raises:
            StoreError: the log could not be synced, so that nobody knows what is on disk.
        """
        if not self._needed:
            return
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
            files.sync_data(self._descriptor)
        except OSError as error:
            self._failed = True
            raise files.in_words(error, "bring the write to disk", self._log) from error

    def require_sound(self) -> None:
        """Raise `StoreError` once a sync has failed: the kernel may have dropped what it could not write."""
        if self._failed:
            raise StoreError(
                "an earlier write could not be brought to disk, so nothing more is written",
                where=str(self._log),
                hint="check the disk, then open the store again",
            )

    def close(self) -> None:
        """Give back the log. Closing twice does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
