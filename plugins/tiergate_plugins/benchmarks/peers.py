"""What people use instead, set to be as durable as we are: every one syncs before a save returns."""

from __future__ import annotations

import json
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tiergate.model import Session, Task, encode
from tiergate.store import Store

Row = tuple[str, str, str]
"""Id, session and title of a task."""


class Peer(ABC):
    """A way to keep tasks."""

    @abstractmethod
    def fill(self, sessions: Iterable[Session]) -> None:
        """Write sessions, as fast as it can."""

    @abstractmethod
    def save(self, session_id: str, task: Task) -> None:
        """Write one changed task; it is on disk when this returns."""

    def know(self, sessions: Iterable[Session]) -> None:  # noqa: B027 (most need not)
        """Learn what must be known of sessions that another process has written."""

    def settle(self) -> None:  # noqa: B027 (most have done everything when a save returns)
        """Wait for what saves have left to be done later: it belongs to their time."""

    def close(self) -> None:  # noqa: B027 (some have nothing to give back)
        """Give back its files."""


class Loads(Protocol):
    """A way to keep tasks that is asked for those of one session."""

    def load(self, session_id: str, /) -> Any:
        """Read them."""


class Ours(Peer):
    """One of our stores."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._versions: dict[str, int] = {}

    def fill(self, sessions: Iterable[Session]) -> None:
        with self.store.filling(), self.store.transaction():
            for session in sessions:
                self._versions[session.id] = self.store.save(session)

    def know(self, sessions: Iterable[Session]) -> None:
        self._versions = {session.id: self.store.version(session.id) for session in sessions}

    def save(self, session_id: str, task: Task) -> None:
        version = self._versions[session_id]
        self._versions[session_id] = self.store.upsert_tasks(session_id, [task], expected_version=version)

    def load(self, session_id: str) -> Session:
        return self.store.load(session_id)

    def settle(self) -> None:
        self.store.settle()

    def close(self) -> None:
        self.store.close()


class JsonFiles(Peer):
    """One file a session by the standard library: read, change, write beside and replace, both synced."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder

    def fill(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            (self._folder / f"{session.id}.json").write_bytes(encode(session))

    def save(self, session_id: str, task: Task) -> None:
        path = self._folder / f"{session_id}.json"
        session = json.loads(path.read_text(encoding="utf-8"))
        changed = msgspec.to_builtins(task)
        session["tasks"] = [changed if one["id"] == task.id else one for one in session["tasks"]]
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(session, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def active(self, min_weight: float) -> list[Row]:
        """Active tasks of at least that weight, in all sessions."""
        found = []
        for path in self._folder.iterdir():
            session = json.loads(path.read_text(encoding="utf-8"))
            found += [
                (task["id"], session["id"], task["title"])
                for task in session["tasks"]
                if task.get("status") == "active" and task.get("weight", 1.0) >= min_weight
            ]
        return sorted(found)


class Normalised(Peer):
    """A table a thing, as a textbook has it, by the standard library's defaults: rollback journal, FULL."""

    _FIELDS = (
        "id",
        "title",
        "notes",
        "status",
        "weight",
        "momentum",
        "created_at",
        "updated_at",
        "source_status",
    )

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=30)
        self._connection.executescript(
            """
            CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, created_at TEXT,
                updated_at TEXT);
            CREATE TABLE IF NOT EXISTS tasks (session TEXT REFERENCES sessions (id), position INTEGER,
                id TEXT, title TEXT, notes TEXT, status TEXT, weight REAL, momentum REAL, created_at TEXT,
                updated_at TEXT, source_status TEXT, PRIMARY KEY (session, id));
            CREATE TABLE IF NOT EXISTS labels (session TEXT, task TEXT, label TEXT, position INTEGER,
                PRIMARY KEY (session, task, position));
            CREATE TABLE IF NOT EXISTS dependencies (session TEXT, task TEXT, needs TEXT, position INTEGER,
                PRIMARY KEY (session, task, position));
            CREATE INDEX IF NOT EXISTS tasks_status ON tasks (status, weight);
            """
        )

    def fill(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            self._connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?)",
                (session.id, session.title, session.created_at, session.updated_at),
            )
            for position, task in enumerate(session.tasks):
                fields = [getattr(task, name) for name in self._FIELDS]
                self._connection.execute(
                    f"INSERT INTO tasks VALUES ({', '.join('?' * 11)})", (session.id, position, *fields)
                )
                self._lists(session.id, task)
        self._connection.commit()

    def save(self, session_id: str, task: Task) -> None:
        changes = ", ".join(f"{name} = ?" for name in self._FIELDS)
        fields = [getattr(task, name) for name in self._FIELDS]
        self._connection.execute(
            f"UPDATE tasks SET {changes} WHERE session = ? AND id = ?", (*fields, session_id, task.id)
        )
        for table in ("labels", "dependencies"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE session = ? AND task = ?", (session_id, task.id)
            )
        self._lists(session_id, task)
        self._connection.commit()

    def load(self, session_id: str) -> list[Task]:
        lists: dict[str, dict[str, list[str]]] = {}
        for table in ("labels", "dependencies"):
            column = "label" if table == "labels" else "needs"
            by_task = lists[table] = {}
            for name, value in self._connection.execute(
                f"SELECT task, {column} FROM {table} WHERE session = ? ORDER BY task, position", (session_id,)
            ):
                by_task.setdefault(name, []).append(value)
        rows = self._connection.execute(
            f"SELECT {', '.join(self._FIELDS)} FROM tasks WHERE session = ? ORDER BY position", (session_id,)
        )
        return [
            msgspec.convert(
                {
                    **dict(zip(self._FIELDS, row, strict=True)),
                    "labels": lists["labels"].get(row[0], []),
                    "dependencies": lists["dependencies"].get(row[0], []),
                },
                Task,
            )
            for row in rows
        ]

    def close(self) -> None:
        self._connection.close()

    def _lists(self, session_id: str, task: Task) -> None:
        for table, values in (("labels", task.labels), ("dependencies", task.dependencies)):
            self._connection.executemany(
                f"INSERT INTO {table} VALUES (?, ?, ?, ?)",
                [(session_id, task.id, value, position) for position, value in enumerate(values)],
            )


def open_other(name: str, place: Path) -> Peer:
    """Open one of the others at a place of its own, making it where it is missing."""
    from tiergate_plugins.benchmarks import peers_installed

    kinds: dict[str, Callable[[Path], Peer]] = {
        "one JSON file a session, stdlib": JsonFiles,
        "sqlite3 defaults, normalised": Normalised,
        "diskcache FULL": peers_installed.DiskCache,
        "sqlitedict FULL": peers_installed.SqliteDict,
        "LMDB, a key a task": peers_installed.Lmdb,
    }
    return kinds[name](place)
