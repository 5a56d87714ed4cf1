"""Ways to take a sync away from a store, to see that its loss is noticed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from tiergate import syncing
from tiergate.store import Store
from tiergate_plugins.storage import snapshots


def no_sync_of_writes() -> None:
    """A write to the journal or the log returns without having been synced."""
    write = os.pwritev

    def unsynced(descriptor: int, buffers: Any, offset: int, flags: int = 0) -> int:
        return write(descriptor, buffers, offset)

    os.pwritev = unsynced
    syncing.sync_data = _nothing


def no_sync_of_folders() -> None:
    """Names that were made or replaced are not synced."""
    syncing.sync_folder = _nothing


def no_sync_before_rename() -> None:
    """A file is put in place of another before what it holds is on disk."""
    sync = syncing.sync

    def folders_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            sync(descriptor)

    syncing.sync = folders_only


def no_sync_of_session_files() -> None:
    """The journal is emptied before the files that it was folded into are on disk."""
    snapshots._sync_file = _nothing


def unsynced_checkpoints(store: Store) -> None:
    """SQLite copies its log to the database, and begins the log anew, without any sync."""
    connection: Any = store._connection  # type: ignore[attr-defined]
    connection.execute("PRAGMA synchronous = OFF")


SABOTAGES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        no_sync_of_writes,
        no_sync_of_folders,
        no_sync_before_rename,
        no_sync_of_session_files,
    )
}
"""What is done to the functions of the stores before one is opened."""

SABOTAGES_OF_OPEN: dict[str, Callable[[Store], None]] = {unsynced_checkpoints.__name__: unsynced_checkpoints}
"""What is done to a store that was opened."""


def _nothing(*_: Any, **__: Any) -> None:
    """Instead of a sync."""
