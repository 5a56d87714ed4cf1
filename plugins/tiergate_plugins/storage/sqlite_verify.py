"""Reading a whole database and naming what is wrong in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from tiergate.model import Task
from tiergate.store import Damage, StoreDamaged, StoreError
from tiergate_plugins.storage.bodies import read_session, read_task
from tiergate_plugins.storage.sqlite_errors import SqliteErrors
from tiergate_plugins.storage.sqlite_packing import Packing
from tiergate_plugins.storage.sqlite_schema import STATUS_LETTERS


def find_damage(connection: sqlite3.Connection, where: str, packing: Packing) -> Iterator[Damage]:
    """Everything that is wrong with the file, the session rows and the task rows.

    Where a check cannot go on, what stopped it is named and the next check begins.

    Raises:
        StoreError: the database could not be read for another reason than damage.
    """
    checks: tuple[Iterator[Damage], ...] = (
        _file(connection, where),
        _sessions(connection, where),
        _tasks(connection, where, packing),
    )
    for check in checks:
        try:
            with SqliteErrors(where):
                yield from check
        except StoreDamaged as error:
            yield Damage(error.where or where, error.what)


def _file(connection: sqlite3.Connection, where: str) -> Iterator[Damage]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield Damage(where, message)


def _sessions(connection: sqlite3.Connection, where: str) -> Iterator[Damage]:
    for session_id, version, body in connection.execute("SELECT id, version, body FROM sessions ORDER BY id"):
        place = f"{where}: session {session_id!r}"
        try:
            session = read_session(body, place)
        except StoreError as error:
            yield Damage(place, error.what)
            continue
        if session.id != session_id:
            yield Damage(place, f"its body is that of session {session.id!r}")
        if not isinstance(version, int) or version < 1:
            yield Damage(place, f"its version is {version!r}")


def _tasks(connection: sqlite3.Connection, where: str, packing: Packing) -> Iterator[Damage]:
    rows = connection.execute(
        "SELECT s.id, t.session, t.id, t.title, t.status, t.weight, t.updated_at, t.body"
        " FROM tasks t LEFT JOIN sessions s ON s.key = t.session ORDER BY t.session, t.position"
    )
    packed: dict[str, Task] = {}
    unpacked: int | None = None
    for session_id, key, task_id, title, status, weight, updated_at, body in rows:
        place = f"{where}: session {session_id!r}, task {task_id!r}"
        if session_id is None:
            yield Damage(f"{where}: task {task_id!r}", "its session is missing")
        try:
            if not body and unpacked != key:
                unpacked, packed = key, {}
                packed = packing.tasks(key, f"{where}: session {session_id!r}")
            task = packed[task_id] if not body else read_task(body, place)
        except StoreError as error:
            yield Damage(error.where or place, error.what)
            continue
        except KeyError:
            yield Damage(place, "it has no body")
            continue
        stored = {"id": task_id, "title": title, "status": status, "weight": weight, "updated_at": updated_at}
        meant = {
            "id": task.id,
            "title": task.title if body else "",
            "status": STATUS_LETTERS[task.status],
            "weight": task.weight,
            "updated_at": (task.updated_at or "") if body else "",
        }
        for name, value in stored.items():
            if value != meant[name]:
                yield Damage(place, f"its {name} is {value!r} in the index and {meant[name]!r} in the body")
