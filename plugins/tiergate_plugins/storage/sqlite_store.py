"""The store ``sqlite:FILE``: a row a session and a row a task in one SQLite database."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from tiergate.model import Session, Task
from tiergate.store import (
    Damage,
    SessionSize,
    Store,
    StoreError,
    StoreStats,
    TaskHit,
    TaskQuery,
    session_not_found,
    stale,
    task_not_found,
)
from tiergate_plugins.storage.bodies import (
    read_session,
    read_task,
    refuse_repeated_ids,
    session_body,
    task_body,
)
from tiergate_plugins.storage.sqlite import CAPABILITIES
from tiergate_plugins.storage.sqlite_errors import sqlite_errors
from tiergate_plugins.storage.sqlite_query import as_key, run_query
from tiergate_plugins.storage.sqlite_schema import connect
from tiergate_plugins.storage.sqlite_transactions import Transactions
from tiergate_plugins.storage.sqlite_verify import find_damage

_UPSERT = """
    INSERT INTO tasks (session, id, title, status, weight, updated_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (session, id) DO UPDATE SET title = excluded.title, status = excluded.status,
        weight = excluded.weight, updated_at = excluded.updated_at, body = excluded.body
"""
_SIZES = """
    SELECT s.id, COUNT(t.position), LENGTH(s.body) + COALESCE(SUM(LENGTH(t.body)), 0)
    FROM sessions s LEFT JOIN tasks t ON t.session = s.key GROUP BY s.key ORDER BY s.id
"""


class SqliteStore(Store):
    """Sessions and tasks as rows. The columns beside a body repeat what queries select and sort by.

    Args:
        path: made where it is missing; its folder must be there.
        durable: whether a write that returned survives the loss of power.

    Raises:
        StoreError: the file cannot be made, or is no database of this store.
    """

    capabilities = CAPABILITIES

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._where = str(path)
        self._connection = connect(path, durable=durable)
        self._transactions = Transactions(self._connection, self._where)

    def load(self, session_id: str) -> Session:
        with sqlite_errors(self._where), self._transactions.reading():
            key, version, body = self._row(session_id)
            rows = self._connection.execute(
                "SELECT id, body FROM tasks WHERE session = ? ORDER BY position", (key,)
            ).fetchall()
        where = f"{self._where}: session {session_id!r}"
        tasks = tuple(read_task(task, f"{where}, task {name!r}") for name, task in rows)
        return msgspec.structs.replace(read_session(body, where), version=version, tasks=tasks)

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        with sqlite_errors(self._where):
            found = self._fetch(
                "SELECT s.version, t.body FROM sessions s LEFT JOIN tasks t ON t.session = s.key AND t.id = ?"
                " WHERE s.id = ?",
                task_id,
                session_id,
            )
        if found is None:
            raise session_not_found(session_id)
        version, body = found
        if body is None:
            raise task_not_found(session_id, task_id)
        return read_task(body, f"{self._where}: session {session_id!r}, task {task_id!r}"), version

    def save(self, session: Session) -> int:
        refuse_repeated_ids(session.id, session.tasks)
        body = session_body(session)
        rows = [_row_of(session.id, task) for task in session.tasks]
        with sqlite_errors(self._where), self._transactions.writing():
            found = self._fetch("SELECT key, version FROM sessions WHERE id = ?", session.id)
            key, version = found or (None, 0)
            if version != session.version:
                raise stale(session.id, expected=session.version, found=version)
            if key is None:
                insert = "INSERT INTO sessions (id, version, body) VALUES (?, 1, ?)"
                key = self._connection.execute(insert, (session.id, body)).lastrowid
            else:
                update = "UPDATE sessions SET version = version + 1, body = ? WHERE key = ?"
                self._connection.execute(update, (body, key))
                self._connection.execute("DELETE FROM tasks WHERE session = ?", (key,))
            self._connection.executemany(_UPSERT, [(key, *row) for row in rows])
        return session.version + 1

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        changed = list(tasks)
        refuse_repeated_ids(session_id, changed)
        rows = [_row_of(session_id, task) for task in changed]
        with sqlite_errors(self._where), self._transactions.writing():
            key = self._key_at(session_id, expected_version)
            self._connection.execute("UPDATE sessions SET version = version + 1 WHERE key = ?", (key,))
            self._connection.executemany(_UPSERT, [(key, *row) for row in rows])
        return expected_version + 1

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with sqlite_errors(self._where), self._transactions.writing():
            key = self._key_at(session_id, expected_version)
            self._connection.execute("DELETE FROM tasks WHERE session = ?", (key,))
            self._connection.execute("DELETE FROM sessions WHERE key = ?", (key,))

    def ids(self) -> list[str]:
        with sqlite_errors(self._where):
            return [name for (name,) in self._connection.execute("SELECT id FROM sessions ORDER BY id")]

    def query(self, query: TaskQuery) -> list[TaskHit]:
        with sqlite_errors(self._where):
            return run_query(self._connection, query, self._where)

    def transaction(self) -> AbstractContextManager[None]:
        return self._transactions.writing()

    def sizes(self) -> list[SessionSize]:
        with sqlite_errors(self._where):
            return [SessionSize(*row) for row in self._connection.execute(_SIZES)]

    def verify(self) -> list[Damage]:
        with sqlite_errors(self._where), self._transactions.reading():
            return list(find_damage(self._connection, self._where))

    def stats(self) -> StoreStats:
        with sqlite_errors(self._where):
            sessions, tasks = self._connection.execute(
                "SELECT (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM tasks)"
            ).fetchone()
        return StoreStats(sessions=sessions, tasks=tasks, disk_bytes=self._disk_bytes())

    def close(self) -> None:
        with sqlite_errors(self._where):
            self._connection.close()

    def _fetch(self, sql: str, *ids: str) -> Any:
        """The only row of a look-up by id."""
        return self._connection.execute(sql, [as_key(name) for name in ids]).fetchone()

    def _row(self, session_id: str) -> tuple[int, int, bytes]:
        found: tuple[int, int, bytes] | None = self._fetch(
            "SELECT key, version, body FROM sessions WHERE id = ?", session_id
        )
        if found is None:
            raise session_not_found(session_id)
        return found

    def _key_at(self, session_id: str, expected: int) -> int:
        found: tuple[int, int] | None = self._fetch(
            "SELECT key, version FROM sessions WHERE id = ?", session_id
        )
        if found is None:
            raise session_not_found(session_id)
        key, version = found
        if version != expected:
            raise stale(session_id, expected=expected, found=version)
        return key

    def _disk_bytes(self) -> int:
        total = 0
        for suffix in ("", "-wal", "-shm", "-journal"):
            path = self._path.with_name(self._path.name + suffix)
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"cannot read its size: {error.strerror}", where=str(path)) from error
        return total


def _row_of(session_id: str, task: Task) -> tuple[str, str, str, float, str, bytes]:
    """The columns of a task's row after its session."""
    body, stored = task_body(session_id, task)
    return (
        stored.id,
        stored.title,
        stored.status.value,
        stored.weight,
        stored.updated_at or "",
        body,
    )
