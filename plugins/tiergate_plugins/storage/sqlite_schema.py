"""Opening a database: what it must look like, and how it is made."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tiergate.store import StoreError
from tiergate_plugins.storage.sqlite_errors import BUSY_TIMEOUT_S, sqlite_errors

SCHEMA_VERSION = 1
APPLICATION_ID = 0x74674154
"""Marks the file as ours (``tgAT``), so that nobody else's database is written to."""

# `position` is the rowid: ascending in the order of a session's tasks, since tasks are appended.
# An index holds the rowid after its columns, so `tasks_in_order` gives them in that order.
_SCHEMA = (
    """CREATE TABLE sessions (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    """CREATE TABLE tasks (
        position INTEGER PRIMARY KEY,
        session INTEGER NOT NULL REFERENCES sessions (key),
        id TEXT NOT NULL,
        title TEXT NOT NULL,
        status TEXT NOT NULL,
        weight REAL NOT NULL,
        updated_at TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (session, id)
    )""",
    "CREATE INDEX tasks_in_order ON tasks (session)",
    "CREATE INDEX tasks_by_status ON tasks (status, weight)",
    "CREATE INDEX tasks_by_weight ON tasks (weight)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def connect(path: Path, *, durable: bool) -> sqlite3.Connection:
    """Open a database, making it where there is none yet.

    Args:
        durable: whether a commit must survive the loss of power, not only of the process.

    Raises:
        StoreError: it cannot be opened or made, or is not a database of this version of the store.
    """
    where = str(path)
    _require_place(path)
    with sqlite_errors(where):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            if not _looks_ours(connection, where):
                _create(connection, where)
            _use_wal(connection)
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute(
                f"PRAGMA fullfsync = {int(durable)}"
            )  # macOS: fsync stops at the drive's cache
        except BaseException:
            connection.close()
            raise
    return connection


def _require_place(path: Path) -> None:
    """SQLite says no more than that it cannot open the file."""
    if path.is_dir():
        raise StoreError("this is a folder, not a file", where=str(path), hint="name a file, such as work.db")
    if not path.parent.is_dir():
        raise StoreError(
            "the folder of the database does not exist", where=str(path.parent), hint="create it first"
        )


def _looks_ours(connection: sqlite3.Connection, where: str) -> bool:
    """`_is_ours` at one moment: another process may be making the tables right now."""
    connection.execute("BEGIN")
    try:
        return _is_ours(connection, where)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _is_ours(connection: sqlite3.Connection, where: str) -> bool:
    """True for a database of this store, False for one that is still empty."""
    version = _pragma(connection, "user_version")
    if _pragma(connection, "application_id") != APPLICATION_ID:
        if version or connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StoreError(
                "this SQLite database belongs to another program", where=where, hint="name another file"
            )
        return False
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the database has schema version {version}, this tiergate knows up to {SCHEMA_VERSION}",
            where=where,
            hint="upgrade tiergate",
        )
    return True


def _create(connection: sqlite3.Connection, where: str) -> None:
    """Make the tables, unless another process has done so since we looked."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ours(connection, where):
            for statement in _SCHEMA:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, which the file then remembers.

    SQLite does not wait for other connections in all of the switch, so the waiting is done here. On a
    file system without shared memory the rollback journal stays, which is as safe.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
