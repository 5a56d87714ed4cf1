"""Peers from PyPI, set to be as durable as we are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tiergate.model import Session, Task, decode_task, encode
from tiergate_plugins.benchmarks.peers import Peer, Row


class Lmdb(Peer):
    """LMDB, a key a task, synced at each commit, which is its default."""

    def __init__(self, folder: Path) -> None:
        import lmdb

        self._environment = lmdb.open(str(folder), map_size=1 << 30, sync=True, metasync=True)

    def fill(self, sessions: Iterable[Session]) -> None:
        with self._environment.begin(write=True) as writing:
            for session in sessions:
                for task in session.tasks:
                    writing.put(f"{session.id}/{task.id}".encode(), encode(task))

    def save(self, session_id: str, task: Task) -> None:
        with self._environment.begin(write=True) as writing:
            writing.put(f"{session_id}/{task.id}".encode(), encode(task))

    def load(self, session_id: str) -> list[Task]:
        start = f"{session_id}/".encode()
        found = []
        with self._environment.begin(buffers=True) as reading, reading.cursor() as cursor:
            if cursor.set_range(start):
                for key, value in cursor:
                    if bytes(key[: len(start)]) != start:
                        break
                    found.append(decode_task(bytes(value)))
        return found

    def close(self) -> None:
        self._environment.close()


class DiskCache(Peer):
    """diskcache, a key a task; its default is NORMAL, here it is FULL."""

    def __init__(self, folder: Path) -> None:
        import diskcache

        self._cache = diskcache.Cache(str(folder), sqlite_synchronous=2, eviction_policy="none")

    def fill(self, sessions: Iterable[Session]) -> None:
        with self._cache.transact():
            for session in sessions:
                for task in session.tasks:
                    self._cache.set(f"{session.id}/{task.id}", encode(task))

    def save(self, session_id: str, task: Task) -> None:
        self._cache.set(f"{session_id}/{task.id}", encode(task))

    def close(self) -> None:
        self._cache.close()


class SqliteDict(Peer):
    """sqlitedict, a key a task; its default is OFF, here it is FULL, and it waits for each commit."""

    def __init__(self, path: Path) -> None:
        import sqlitedict

        self._tasks = sqlitedict.SqliteDict(str(path), encode=bytes, decode=bytes, outer_stack=False)
        self._tasks.conn.execute("PRAGMA synchronous = FULL")

    def fill(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            for task in session.tasks:
                self._tasks[f"{session.id}/{task.id}"] = encode(task)
        self._tasks.commit(blocking=True)

    def save(self, session_id: str, task: Task) -> None:
        self._tasks[f"{session_id}/{task.id}"] = encode(task)
        self._tasks.commit(blocking=True)

    def close(self) -> None:
        self._tasks.close()


class DuckDb:
    """DuckDB with a table of what the query needs; it is asked, not written to."""

    def __init__(self, path: Path) -> None:
        import duckdb

        self._connection = duckdb.connect(str(path))

    def fill(self, sessions: Iterable[Session]) -> None:
        """Write sessions, column by column."""
        import numpy as np

        rows = [
            (one.id, task.id, task.title, task.status.value, task.weight)
            for one in sessions
            for task in one.tasks
        ]
        names = ("session", "id", "title", "status", "weight")
        columns = {
            name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)
        }
        self._connection.register("columns", columns)
        self._connection.execute("CREATE TABLE tasks AS SELECT * FROM columns")
        self._connection.execute("CHECKPOINT")

    def active(self, min_weight: float) -> list[Row]:
        """Active tasks of at least that weight, in all sessions."""
        found: list[Row] = self._connection.execute(
            "SELECT id, session, title FROM tasks WHERE status = 'active' AND weight >= ?"
            " ORDER BY id, session",
            [min_weight],
        ).fetchall()
        return found

    def close(self) -> None:
        """Give back its files."""
        self._connection.close()
