"""Bringing commits to disk, outside the lock that one writer holds.

SQLite itself syncs a commit (``synchronous=FULL``) while no other process can write. Here a commit is only
written (``NORMAL``), and the log is synced after the lock was given back: the next process writes meanwhile,
and the kernel serves the syncs of several processes with one write of the log. A sync covers all that is in
the log, so whatever a durable commit was built on is durable too. When another process checkpoints in
between, SQLite syncs the log before, and the database before the log is used again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tiergate import syncing
from tiergate.store import StoreFailed
from tiergate_plugins.storage import files, turns

_PIECE = 1 << 20


class LogSync:
    """Syncs the write-ahead log of one connection.

    When a sync fails, the kernel may forget what it could not write, and tell nobody about it again: what
    others add to the log, and sync, would stand behind a gap. So a file ``-unsynced`` beside the database
    asks whoever writes next to write the log once more, which makes the kernel write it.

    Args:
        database: its log is there as long as the connection is open.
        durable: False where a commit need not survive the loss of power.
        logged: False where there is no log, so that SQLite syncs by itself.
    """

    def __init__(self, database: Path, *, durable: bool, logged: bool) -> None:
        self._database = database
        self._name = str(database)
        self._inode = _inode(database.stat())
        self._log = database.with_name(database.name + "-wal")
        self._unsynced = str(database.with_name(database.name + "-unsynced"))
        self._durable = durable
        self._logged = logged
        self._descriptor = -1
        self._named = False
        self._has_turn = False
        self._failed = False

    @property
    def syncs(self) -> bool:
        """Whether a commit is brought to disk here."""
        return self._logged and self._durable

    def restart(self, *, logged: bool) -> None:
        """Take note that there is another log now, or none."""
        self.close()
        self._logged = logged

    def take_turn(self, until: float) -> None:
        """Wait until the writers that came before are done, or until then: one of them may be stopped.

        SQLite's own lock keeps writers apart, and takes ten times as long to ask for. On a file system that
        has no such locks as this there is no waiting here.
        """
        if not self._logged:
            return
        try:
            self._open()
        except OSError:  # SQLite comes to it next, and says more: that the store is closed, or replaced
            return
        self._has_turn = turns.take(self._descriptor, until)

    def give_turn(self) -> None:
        """Let the next one write. Giving what was not taken does nothing."""
        if self._has_turn:
            self._has_turn = False
            turns.give(self._descriptor)

    def run(self) -> None:
        """Make every commit so far survive the loss of power.

        Raises:
            StoreFailed: the log could not be synced, so that nobody knows what is on disk; or the database
                is not where it was.
        """
        try:
            if self.syncs:
                self._sync()
            there = _inode(os.stat(self._name)) == self._inode  # noqa: PTH116 (once a write)
        except FileNotFoundError:
            there = False
        except OSError as error:
            self._failed = True
            with suppress(OSError):
                os.close(os.open(self._unsynced, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
            raise files.in_words(error, "bring the write to disk", self._log) from error
        if not there:
            self._failed = True
            raise StoreFailed(
                "the database was removed or replaced while it was open",
                where=str(self._database),
                hint="put it back, then open the store again",
            )

    def mend(self) -> None:
        """Write the log again, if a sync of it has failed; to be called while nobody else can write.

        Raises:
            StoreError: it fails again.
        """
        if not self.syncs or not os.path.exists(self._unsynced):  # noqa: PTH110 (once a write)
            return
        with files.system_errors("bring earlier writes to disk", self._log):
            descriptor = os.open(self._log, os.O_RDWR | os.O_CLOEXEC)
            try:
                _write_again(descriptor)
                syncing.sync_data(descriptor)
            finally:
                os.close(descriptor)
            Path(self._unsynced).unlink(missing_ok=True)

    def require_sound(self) -> None:
        """Raise `StoreError` once a sync has failed: the kernel may have dropped what it could not write."""
        if self._failed:
            raise StoreFailed(
                "an earlier write could not be brought to disk, so nothing more is written",
                where=str(self._log),
                hint="check the disk, then open the store again",
            )

    def close(self) -> None:
        """Give back the log, and the turn. Closing twice does nothing."""
        self._has_turn = False
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _sync(self) -> None:
        self._open()
        if not self._named:
            # Whoever made the files may have been killed before their names were on disk.
            syncing.sync_folder(self._database.parent)
            self._named = True
        syncing.sync_data(self._descriptor)

    def _open(self) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _write_again(descriptor: int) -> None:
    offset = 0
    while data := os.pread(descriptor, _PIECE, offset):
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written
