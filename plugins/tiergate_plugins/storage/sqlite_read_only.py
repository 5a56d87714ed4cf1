"""Opening a database to read it, and leaving nothing beside it afterwards."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from tiergate.store import StoreError
from tiergate_plugins.storage.sqlite_errors import BUSY_TIMEOUT_S, SqliteErrors
from tiergate_plugins.storage.sqlite_schema import SCHEMA_VERSION, require_place, version_seen

_REFUSED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""What SQLite says where it cannot make the ``-shm``; which of the two depends on why it cannot."""


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a database without changing what it holds.

    SQLite puts its empty ``-wal`` and its ``-shm`` beside the file, to see what others write meanwhile.
    Where it cannot, in a folder that nobody may write, the file is read as one that does not change.
    A transaction that was cut short while the database was filled is undone first: half of it is in the file.

    Raises:
        StoreError: it is missing, cannot be read, or is not a database of this version of the store; or half
            of a transaction is in it that may not be undone.
    """
    where = str(path)
    if not path.exists():
        raise StoreError("there is no store here", where=where, hint="check the address")
    require_place(path)
    with SqliteErrors(where):
        try:
            connection, version = _opened(path, "mode=ro")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
                _opened(path, "mode=rw")[0].close()
                connection, version = _opened(path, "mode=ro")
            elif error.sqlite_errorcode & 0xFF in _REFUSED and not _is_being_written(path):
                connection, version = _opened(path, "mode=ro&immutable=1")
            else:
                raise
        if version != SCHEMA_VERSION:
            connection.close()
            raise StoreError(
                f"the database has schema version {version}, this tiergate reads {SCHEMA_VERSION}"
                if version
                else "the database is empty, as an import that was stopped leaves it",
                where=where,
                hint="any `tiergate import` into it brings it up to date"
                if version
                else "import into it, or remove it",
            )
    return connection


def remove_log(path: Path) -> None:
    """Let SQLite remove the empty log and its index that were made to read, unless somebody else uses them.

    To be called when no connection of this process is open. What fails is left for the next one to do.
    """
    log = path.with_name(path.name + "-wal")
    with suppress(OSError, sqlite3.Error):
        if log.stat().st_size or not os.access(path.parent, os.W_OK):
            return
        connection = _open_uri(path, "mode=rw", timeout=0.0)
        try:
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        finally:
            connection.close()


def _opened(path: Path, options: str) -> tuple[sqlite3.Connection, int]:
    """A connection that has read the database, and the schema version that it found."""
    connection = _open_uri(path, options, timeout=BUSY_TIMEOUT_S)
    try:
        return connection, version_seen(connection, str(path))
    except BaseException:
        connection.close()
        raise


def _open_uri(path: Path, options: str, *, timeout: float) -> sqlite3.Connection:
    uri = f"{path.as_uri()}?{options}"
    return sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)


def _is_being_written(path: Path) -> bool:
    """Whether there is a log, or the journal of a transaction that has not come to its end."""
    log, journal = (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))
    return log.exists() or (journal.exists() and journal.stat().st_size > 0)
