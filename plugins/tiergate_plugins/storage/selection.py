"""`TaskQuery` in plain Python, for a store that has no query language of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tiergate.model import Task
from tiergate.store import TaskHit, TaskQuery, check_order

_KEYS: dict[str, Callable[[TaskHit], str | float]] = {
    "id": lambda hit: hit.task.id,
    "weight": lambda hit: hit.task.weight,
    "title": lambda hit: hit.task.title,
    "updated_at": lambda hit: hit.task.updated_at or "",
}


def select(hits: Iterable[TaskHit], query: TaskQuery) -> list[TaskHit]:
    """The hits that meet every condition of a query, in its order, up to its limit.

    Raises:
        UsageError: the order names no field that tasks can be ordered by.
    """
    name, descending = check_order(query.order)
    found = [hit for hit in hits if _meets(hit, query)]
    found.sort(key=lambda hit: (hit.session, hit.task.id))
    found.sort(key=_KEYS[name], reverse=descending)
    return found if query.limit is None else found[: max(query.limit, 0)]


def contains(task: Task, text: str) -> bool:
    """Whether a task's title or notes contain a text, ignoring the case of ASCII letters."""
    wanted = _folded(text)
    return wanted in _folded(task.title) or wanted in _folded(task.notes)


def _meets(hit: TaskHit, query: TaskQuery) -> bool:
    task = hit.task
    return (
        (query.session is None or hit.session == query.session)
        and (not query.statuses or task.status in query.statuses)
        and (query.min_weight is None or task.weight >= query.min_weight)
        and (query.max_weight is None or task.weight <= query.max_weight)
        and (query.text is None or contains(task, query.text))
    )


def _folded(text: str) -> bytes:
    """Bytes fold only ASCII letters, unlike text, whose lower case depends on the Unicode version."""
    return text.encode("utf-8", "surrogatepass").lower()
