"""A database with the tables of `sqlite:`, set up in one of several ways."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from tiergate.errors import RunError
from tiergate.model import Session, Task, encode
from tiergate_plugins.benchmarks.settings_choices import Choice

_WAIT_S = 30.0
_RAISE = "UPDATE sessions SET version = version + 1 WHERE id = ? RETURNING key"
_COUNT = "UPDATE counter SET changes = changes + 1"
_COLUMNS = "session, id, title, status, weight, updated_at, body"
_INSERT = f"INSERT INTO tasks ({_COLUMNS}, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT = f"""
    INSERT INTO tasks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (session, id) DO UPDATE SET title = excluded.title, status = excluded.status,
        weight = excluded.weight, updated_at = excluded.updated_at, body = excluded.body
"""
_CLUSTERED = (
    ("position INTEGER PRIMARY KEY", "position INTEGER NOT NULL DEFAULT 0"),
    ("UNIQUE (session, id)", "PRIMARY KEY (session, id)"),
)


class Database:
    """One connection. What it does for a save and a load is what the store does, without its checks.

    Args:
        tables: statements that make an empty file's tables; none where they are there already.
    """

    def __init__(self, path: Path, choice: Choice, tables: Iterable[str] = ()) -> None:
        self._connection = sqlite3.connect(
            path,
            isolation_level=None,
            timeout=0,
            cached_statements=choice.cached_statements,
            check_same_thread=False,
        )
        made = list(tables)
        for pragma in choice.first if made else ():
            self._connection.execute(f"PRAGMA {pragma}")
        for pragma in (*choice.pragmas, f"journal_mode = {choice.journal}"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute(f"PRAGMA synchronous = {choice.synchronous}")
        for statement in made:
            self._connection.execute(statement)
        self._log = -1
        if choice.log_synced:
            self._connection.execute("SELECT 1 FROM sqlite_schema").fetchall()  # makes the log
            self._log = os.open(path.with_name(path.name + "-wal"), os.O_RDONLY)

    def fill(self, sessions: Iterable[tuple[str, bytes, list[tuple[Any, ...]]]]) -> None:
        """Insert the rows of sessions, as `rows_of` gives them, in one transaction."""
        self._begin()
        self._connection.execute("INSERT INTO counter VALUES (0)")
        position = 0
        for session_id, body, tasks in sessions:
            insert = "INSERT INTO sessions (id, version, body) VALUES (?, 1, ?)"
            key = self._connection.execute(insert, (session_id, body)).lastrowid
            rows = [(key, *row, position + number) for number, row in enumerate(tasks, start=1)]
            self._connection.executemany(_INSERT, rows)
            position += len(rows)
        self._commit()

    def save(self, session_id: str, task: Task) -> None:
        """Write one task of a session."""
        self._begin()
        key = self._connection.execute(_RAISE, (session_id,)).fetchone()[0]
        self._connection.execute(_COUNT)
        self._connection.executemany(_UPSERT, [(key, *row_of(task))])
        self._commit()

    def load(self, session_id: str) -> tuple[Any, list[Any]]:
        """Read the rows of a session."""
        execute = self._connection.execute
        execute("BEGIN")
        session = execute("SELECT key, version, body FROM sessions WHERE id = ?", (session_id,)).fetchone()
        tasks = execute("SELECT id, body FROM tasks WHERE session = ? ORDER BY position", session[:1])
        found = session, tasks.fetchall()
        execute("ROLLBACK")
        return found

    def setting(self, pragma: str) -> object:
        """What a pragma says."""
        return self._connection.execute(f"PRAGMA {pragma}").fetchone()[0]

    def close(self) -> None:
        """Close it; SQLite brings the log into the database."""
        self._connection.close()
        if self._log >= 0:
            os.close(self._log)

    def _begin(self) -> None:
        """Wait for other writers as the store does, in shorter steps than SQLite's."""
        deadline, pause = time.monotonic() + _WAIT_S, 0.00005
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(pause * 1.5, 0.002)
            else:
                return

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
        if self._log >= 0:
            os.fdatasync(self._log)


def row_of(task: Task) -> tuple[Any, ...]:
    """The columns of a task's row after its session."""
    return task.id, task.title, task.status.value, task.weight, task.updated_at or "", encode(task)


def rows_of(session: Session) -> tuple[str, bytes, list[tuple[Any, ...]]]:
    """Id and body of a session, and the rows of its tasks."""
    body = encode(msgspec.structs.replace(session, tasks=(), version=0))
    return session.id, body, [row_of(task) for task in session.tasks]


def tables_of(database: Path) -> list[str]:
    """The statements that have made the tables and indexes of a database."""
    connection = sqlite3.connect(database)
    try:
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        return [sql for (sql,) in found]
    finally:
        connection.close()


def clustered(tables: Iterable[str]) -> list[str]:
    """The same tables with tasks `WITHOUT ROWID`, which need no index by session.

    Raises:
        RunError: the table of tasks does not look as it is expected to.
    """
    found = []
    for statement in tables:
        if statement.startswith("CREATE TABLE tasks"):
            if not all(old in statement for old, _ in _CLUSTERED):
                raise RunError("the table of tasks is not the one that this benchmark knows")
            changed = statement
            for old, new in _CLUSTERED:
                changed = changed.replace(old, new)
            found.append(f"{changed} WITHOUT ROWID")
        elif "INDEX tasks_in_order" not in statement:
            found.append(statement)
    return found
