"""`TaskQuery` as SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import msgspec

from tiergate.model import Status, Task
from tiergate.store import TaskHit, TaskOutline, TaskQuery, check_order
from tiergate_plugins.storage.bodies import read_task
from tiergate_plugins.storage.selection import contains, select
from tiergate_plugins.storage.sqlite_packing import Packing, missing
from tiergate_plugins.storage.sqlite_schema import STATUS_LETTERS
from tiergate_plugins.storage.sqlite_text import TextIndex

_COLUMNS = {"id": "t.id", "weight": "t.weight", "title": "t.title", "updated_at": "t.updated_at"}
_PACKED_COLUMNS = ("id", "weight")
"""What a row says of a task that is packed."""

_STATUSES = {letter: status for status, letter in STATUS_LETTERS.items()}
_MOST = 2**63 - 1
_LONGEST_PATTERN = 1000
"""SQLite takes LIKE patterns up to 50,000 bytes; a character takes at most 12 of them."""

_LOOKUPS_FOR_ALL = 8
"""Reading the ids of all sessions costs as much as looking up one in eight."""


def as_key(text: str) -> str | None:
    """A text to look for. One with a lone surrogate cannot be stored, and NULL is equal to nothing."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def run_query(
    connection: sqlite3.Connection, query: TaskQuery, where: str, packing: Packing, texts: TextIndex
) -> list[TaskHit]:
    """The tasks that meet a query; conditions, order and limit are left to SQLite where it knows enough.

    Text is looked for twice: SQLite leaves out nearly every body without it, in the escaped form in
    which JSON holds it; what is left may still have it in another field.

    Raises:
        UsageError: the order names no field that tasks can be ordered by.
        StoreDamaged: a task that the query found cannot be read.
    """
    name, descending = check_order(query.order)
    limit = _MOST if query.limit is None else max(query.limit, 0)
    if limit == 0:
        return []
    sorted_here = packing.present() and (
        name not in _PACKED_COLUMNS or query.limit is None or bool(query.text)
    )
    # Packed tasks are read session by session, each of which is unpacked once.
    order = "t.session" if sorted_here else f"{_COLUMNS[name]} {_direction(descending)}, s.id, t.id"
    sql, values = _select(query, "t.session, t.body", order, texts)
    if query.text is None and not sorted_here:
        sql, values = _limited(sql, values, limit)
    found: list[TaskHit] = []
    for session_id, task in _read(connection.execute(sql, values), packing, where):
        if query.text is None or contains(task, query.text):
            found.append(TaskHit(session_id, task))
            if len(found) == limit and not sorted_here:
                break
    return select(found, TaskQuery(order=query.order, limit=query.limit)) if sorted_here else found


def _read(rows: sqlite3.Cursor, packing: Packing, where: str) -> Iterator[tuple[str, Task]]:
    unpacked: tuple[int, dict[str, Task]] = (0, {})
    for session_id, task_id, key, body in rows:
        place = f"{where}: session {session_id!r}"
        if body:
            yield session_id, read_task(body, f"{place}, task {task_id!r}")
            continue
        if unpacked[0] != key:
            unpacked = (key, packing.tasks(key, place))
        if task_id not in unpacked[1]:
            raise missing(task_id, place)
        yield session_id, unpacked[1][task_id]


def run_outlines(
    connection: sqlite3.Connection, query: TaskQuery, texts: TextIndex, names: dict[int, str]
) -> list[TaskOutline]:
    """The outlines of the tasks that meet a query without text, read from indexes where they suffice.

    The order must be by a field of outlines. No session may be packed. Ids of sessions, order and limit are
    added here: a join and a sort of rows that are wide take SQLite longer than all the rest.

    Args:
        names: ids of sessions by the keys of their rows, as far as they are known; more are added.

    Raises:
        UsageError: the order names no field that tasks can be ordered by.
    """
    name, descending = check_order(query.order)
    conditions, values = _conditions(query, texts)
    if query.session is not None:
        conditions.append("t.session = (SELECT key FROM sessions WHERE id = ?)")
        values.append(as_key(query.session))
    rows = connection.execute(
        "SELECT t.session, t.id, t.title, t.status, t.weight FROM tasks t"
        f" WHERE {' AND '.join(conditions) or 'TRUE'}",
        values,
    ).fetchall()
    _learn_names(connection, {row[0] for row in rows}, names)
    found = [
        TaskOutline(names[key], task, title, _STATUSES[letter], weight)
        for key, task, title, letter, weight in rows
    ]
    if name == "id" and not descending:
        found.sort(key=attrgetter("id", "session"))
    else:
        found.sort(key=attrgetter("session", "id"))
        found.sort(key=attrgetter(name), reverse=descending)
    if query.limit is not None:
        del found[max(query.limit, 0) :]
    return found


def _learn_names(connection: sqlite3.Connection, keys: set[int], names: dict[int, str]) -> None:
    """Add the ids of sessions to those that are known."""
    unknown = keys - names.keys()
    if not unknown:
        return
    most = connection.execute("SELECT COUNT(*) FROM sessions").fetchone()[0]
    if len(unknown) * _LOOKUPS_FOR_ALL > most:
        names.update(connection.execute("SELECT key, id FROM sessions"))
        return
    one = "SELECT id FROM sessions WHERE key = ?"
    names.update((key, connection.execute(one, (key,)).fetchone()[0]) for key in unknown)


def _direction(descending: bool) -> str:
    return "DESC" if descending else "ASC"


def _select(query: TaskQuery, columns: str, order: str, texts: TextIndex) -> tuple[str, list[Any]]:
    conditions, values = _conditions(query, texts)
    if query.session is not None:
        conditions.append("s.id = ?")
        values.append(as_key(query.session))
    sql = (
        f"SELECT s.id, t.id, {columns} FROM tasks t JOIN sessions s ON s.key = t.session"
        f" WHERE {' AND '.join(conditions) or 'TRUE'} ORDER BY {order}"
    )
    return sql, values


def _limited(sql: str, values: list[Any], limit: int) -> tuple[str, list[Any]]:
    return f"{sql} LIMIT ?", [*values, min(limit, _MOST)]


def _conditions(query: TaskQuery, texts: TextIndex) -> tuple[list[str], list[Any]]:
    """Conditions on the columns of a task."""
    conditions: list[str] = []
    values: list[Any] = []
    weighed = query.min_weight is not None or query.max_weight is not None
    if query.statuses or weighed:  # any status, so that the index by status and weight can be used
        letters = sorted({STATUS_LETTERS[status] for status in query.statuses or Status})
        conditions.append(f"t.status IN ({', '.join('?' * len(letters))})")
        values.extend(letters)
    if query.min_weight is not None:
        conditions.append("t.weight >= ?")
        values.append(float(query.min_weight))
    if query.max_weight is not None:
        conditions.append("t.weight <= ?")
        values.append(float(query.max_weight))
    if query.text is not None:
        within = texts.condition(query.text)
        if within is not None:
            conditions.append(within[0])
            values.extend(within[1])
        conditions.append("(t.body = x'' OR CAST(t.body AS TEXT) LIKE ? ESCAPE '!')")
        values.append(_pattern(query.text))
    return conditions, values


def _pattern(text: str) -> str | None:
    """A LIKE pattern for a text, or for its beginning, as it stands inside a JSON string.

    JSON escapes each character by itself, so a text within a text stays one.
    """
    if as_key(text) is None:
        return None
    within = msgspec.json.encode(text[:_LONGEST_PATTERN]).decode()[1:-1]
    for special in "!%_":
        within = within.replace(special, f"!{special}")
    return f"%{within}%"
