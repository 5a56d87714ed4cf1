"""`TaskQuery` as SQL."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from tiergate.model import Status
from tiergate.store import TaskHit, TaskOutline, TaskQuery, check_order
from tiergate_plugins.storage.bodies import read_task
from tiergate_plugins.storage.selection import contains

_COLUMNS = {"id": "t.id", "weight": "t.weight", "title": "t.title", "updated_at": "t.updated_at"}
_STATUSES = {status.value: status for status in Status}
_MOST = 2**63 - 1
_LONGEST_PATTERN = 1000
"""SQLite takes LIKE patterns up to 50,000 bytes; a character takes at most 12 of them."""


def as_key(text: str) -> str | None:
    """A text to look for. One with a lone surrogate cannot be stored, and NULL is equal to nothing."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def run_query(connection: sqlite3.Connection, query: TaskQuery, where: str) -> list[TaskHit]:
    """The tasks that meet a query; conditions, order and limit are left to SQLite.

    Text is looked for twice: SQLite leaves out nearly every body without it, in the escaped form in
    which JSON holds it; what is left may still have it in another field.

    Raises:
        UsageError: the order names no field that tasks can be ordered by.
        StoreDamaged: a task that the query found cannot be read.
    """
    sql, values = _select(query, "t.body")
    limit = _MOST if query.limit is None else max(query.limit, 0)
    found: list[TaskHit] = []
    if limit == 0:
        return found
    for session_id, task_id, body in connection.execute(sql, values):
        task = read_task(body, f"{where}: session {session_id!r}, task {task_id!r}")
        if query.text is None or contains(task, query.text):
            found.append(TaskHit(session_id, task))
            if len(found) == limit:
                break
    return found


def run_outlines(connection: sqlite3.Connection, query: TaskQuery) -> list[TaskOutline]:
    """The outlines of the tasks that meet a query without text, read from indexes where they suffice.

    Raises:
        UsageError: the order names no field that tasks can be ordered by.
    """
    sql, values = _select(query, "t.title, t.status, t.weight")
    return [
        TaskOutline(session_id, task_id, title, _STATUSES[status], weight)
        for session_id, task_id, title, status, weight in connection.execute(sql, values)
    ]


def _select(query: TaskQuery, columns: str) -> tuple[str, list[Any]]:
    name, descending = check_order(query.order)
    conditions, values = _conditions(query)
    order = f"{_COLUMNS[name]} {'DESC' if descending else 'ASC'}, s.id, t.id"
    sql = (
        f"SELECT s.id, t.id, {columns} FROM tasks t JOIN sessions s ON s.key = t.session"
        f" WHERE {' AND '.join(conditions) or 'TRUE'} ORDER BY {order}"
    )
    if query.limit is not None and query.text is None:
        sql += " LIMIT ?"
        values.append(min(max(query.limit, 0), _MOST))
    return sql, values


def _conditions(query: TaskQuery) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    weighed = query.min_weight is not None or query.max_weight is not None
    if query.statuses or weighed:  # any status, so that the index by status and weight can be used
        statuses = sorted(set(query.statuses or Status))
        conditions.append(f"t.status IN ({', '.join('?' * len(statuses))})")
        values.extend(str(status) for status in statuses)
    if query.min_weight is not None:
        conditions.append("t.weight >= ?")
        values.append(float(query.min_weight))
    if query.max_weight is not None:
        conditions.append("t.weight <= ?")
        values.append(float(query.max_weight))
    if query.session is not None:
        conditions.append("s.id = ?")
        values.append(as_key(query.session))
    if query.text is not None:
        conditions.append("CAST(t.body AS TEXT) LIKE ? ESCAPE '!'")
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
