"""Ids for tasks whose own id belongs to another task: the same in every merge of the same tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain, count

from tiergate.model import Task

FORMER_ID = "former_id"
"""Where `extra` of a task keeps the id that it had in its source."""

_LENGTHS = (6, 12, 64)
"""Digits of the hash that are tried in turn."""


def new_ids(task: Task) -> Iterator[str]:
    """What a task can be called instead of its id: the id and a hash of the title, the shortest first."""
    digest = hashlib.sha256(task.title.encode("utf-8", "surrogatepass")).hexdigest()
    for length in _LENGTHS:
        yield f"{task.id}-{digest[:length]}"


def give_ids(tasks: Iterable[Task]) -> list[str]:
    """An id of its own for each task: who comes first keeps it, a later one that shares it gets a new one."""
    asked = list(tasks)
    taken = {task.id for task in asked}
    given: set[str] = set()
    ids = []
    for task in asked:
        ids.append(task.id if task.id not in given else _free(task, taken))
        given.add(ids[-1])
        taken.add(ids[-1])
    return ids


def _free(task: Task, taken: set[str]) -> str:
    numbered = (f"{task.id}-{number}" for number in count(2))  # copies of one title, which must stay apart
    return next(new for new in chain(new_ids(task), numbered) if new not in taken)
