"""Opening a database: what it must look like, and how it is made."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tiergate.model import Status
from tiergate.store import StoreError
from tiergate_plugins.storage.sqlite_checkpoints import LARGEST_LOG_PAGES
from tiergate_plugins.storage.sqlite_errors import BUSY_TIMEOUT_S, SqliteErrors

SCHEMA_VERSION = 4
APPLICATION_ID = 0x74674154
"""Marks the file as ours (``tgAT``), so that nobody else's database is written to."""

STATUS_LETTERS = {
    Status.QUEUED: "q",
    Status.ACTIVE: "a",
    Status.BLOCKED: "b",
    Status.COMPLETED: "c",
    Status.ABANDONED: "x",
}
"""How rows name a status: the words would be a tenth of an index."""

_LARGEST_LOG = 16 << 20
"""Bytes to which the write-ahead log is cut when a checkpoint has emptied it."""

# `key` is what `counter` was when the session was made, so that no key is used twice.
# `position` is the rowid: ascending in the order of a session's tasks, since tasks are appended.
# `status` is a letter, see `STATUS_LETTERS`. An empty `body` stands for one in `packed` (`sqlite_packing`).
# `tasks_by_status` holds all that an outline shows, so that a list of tasks is read from it alone.
_SCHEMA = (
    """CREATE TABLE sessions (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        body BLOB NOT NULL,
        room INTEGER NOT NULL DEFAULT 0
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
    f"PRAGMA application_id = {APPLICATION_ID}",
)
_BY_STATUS = "CREATE INDEX IF NOT EXISTS tasks_by_status ON tasks (status, weight, session, id, title)"
_COUNTED = (
    "CREATE TABLE deleted (id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE counter (changes INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (0)",
)
_PACKED = (
    "CREATE TABLE packed (session INTEGER PRIMARY KEY REFERENCES sessions (key), body BLOB NOT NULL)",
    """CREATE TABLE dictionaries (
        id INTEGER PRIMARY KEY, generation INTEGER NOT NULL UNIQUE, body BLOB NOT NULL
    )""",
)
_ONCE = (
    """CREATE TABLE results (
        number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL
    )""",
    "PRAGMA user_version = 4",
)
_LETTERS = " ".join(f"WHEN '{status}' THEN '{letter}'" for status, letter in STATUS_LETTERS.items())
_FROM_2 = (
    "DROP INDEX tasks_by_status",
    "DROP INDEX tasks_in_order",
    "ALTER TABLE sessions ADD COLUMN room INTEGER NOT NULL DEFAULT 0",
    "UPDATE counter SET changes = MAX(changes, (SELECT COALESCE(MAX(key), 0) FROM sessions))",
    f"UPDATE tasks SET status = CASE status {_LETTERS} ELSE status END",
    _BY_STATUS,
    *_PACKED,
    *_ONCE,
)
_STEPS: dict[int, tuple[str, ...]] = {
    0: (*_SCHEMA, _BY_STATUS, *_COUNTED, *_PACKED, *_ONCE),
    1: ("DROP INDEX tasks_by_weight", *_COUNTED, *_FROM_2),
    2: _FROM_2,
    3: _ONCE,
}
"""What brings a database of each older version to the present one; 0 is a database that is still empty."""


def connect(path: Path, *, durable: bool) -> sqlite3.Connection:
    """Open a database, making it where there is none yet, and bringing an older one up to date.

    Args:
        durable: whether a commit must survive the loss of power, not only of the process.

    Raises:
        StoreError: it cannot be opened or made, or is not a database of this store.
    """
    where = str(path)
    require_place(path)
    with SqliteErrors(where):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            if version_seen(connection, where) < SCHEMA_VERSION or not _is_indexed(connection):
                _bring_up_to_date(connection, where)
            use_log(connection, durable=durable)
            connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LARGEST_LOG_PAGES}")
            # macOS: fsync stops at the drive's cache
            connection.execute(f"PRAGMA fullfsync = {int(durable)}")
        except BaseException:
            connection.close()
            raise
    return connection


def require_place(path: Path) -> None:
    """SQLite says no more than that it cannot open the file."""
    if path.is_dir():
        raise StoreError("this is a folder, not a file", where=str(path), hint="name a file, such as work.db")
    if not path.parent.is_dir():
        raise StoreError(
            "the folder of the database does not exist", where=str(path.parent), hint="create it first"
        )


def version_seen(connection: sqlite3.Connection, where: str) -> int:
    """`_version` at one moment: another process may be making the tables right now."""
    connection.execute("BEGIN")
    try:
        return _version(connection, where)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, where: str) -> int:
    """The schema version of a database of this store, 0 for one that is still empty."""
    version = _pragma(connection, "user_version")
    if _pragma(connection, "application_id") != APPLICATION_ID:
        if version or connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StoreError(
                "this SQLite database belongs to another program", where=where, hint="name another file"
            )
        return 0
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the database has schema version {version}, this tiergate knows up to {SCHEMA_VERSION}",
            where=where,
            hint="upgrade tiergate",
        )
    return version


def _bring_up_to_date(connection: sqlite3.Connection, where: str) -> None:
    """Make or change the tables in one transaction, unless another process has done so since we looked."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in (*_STEPS.get(_version(connection, where), ()), _BY_STATUS):
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_indexed(connection: sqlite3.Connection) -> bool:
    """Whether the index is there; it is not when a process was killed while it filled the store."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'tasks_by_status'").fetchone()
    return found is not None


def drop_index(connection: sqlite3.Connection) -> bool:
    """Drop what is faster made when all tasks are there, if there are none yet; whether it was dropped."""
    if connection.execute("SELECT EXISTS (SELECT 1 FROM tasks)").fetchone()[0]:
        return False
    connection.execute("DROP INDEX IF EXISTS tasks_by_status")
    return True


def make_index(connection: sqlite3.Connection) -> None:
    """Make what `drop_index` has dropped, unless somebody else did."""
    connection.execute(_BY_STATUS)


def uses_log(connection: sqlite3.Connection) -> bool:
    """Whether the database has a write-ahead log."""
    mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    return mode == "wal"


def use_log(connection: sqlite3.Connection, *, durable: bool) -> bool:
    """Write ahead to a log, which the file then remembers; whether there is one.

    With a log the store syncs by itself, see `sqlite_wal`; checkpoints are synced by SQLite.
    """
    logged = _use_wal(connection)
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if logged or not durable else 'EXTRA'}")
    return logged


def use_rollback_journal(connection: sqlite3.Connection, *, durable: bool) -> bool:
    """Give up the log, if nobody else has the database open; whether there still is one."""
    # Truncated, not deleted: what deletes it in place would need one more sync of the folder.
    connection.execute(f"PRAGMA synchronous = {'EXTRA' if durable else 'NORMAL'}")
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        mode: str = connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        mode = "wal"
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    return mode == "wal"


def _use_wal(connection: sqlite3.Connection) -> bool:
    """Switch to write-ahead logging; whether it was done.

    SQLite does not wait for other connections in all of the switch, so the waiting is done here. On a
    file system without shared memory the rollback journal stays, which is as safe.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            # The first read makes the index of the log, for which there must be space: better told now.
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return mode == "wal"


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
