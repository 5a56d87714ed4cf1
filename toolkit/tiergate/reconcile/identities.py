"""By what a task is known: its id and title, and those that it has in other sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from typing import Any

from tiergate.model import Task

ALSO_KNOWN_AS = "also_known_as"
"""Where ``extra`` of a merged task keeps ids and titles that sources have for it and that are not its own."""

_LENGTHS = (6, 12, 64)
"""Digits of the hash that are tried in turn."""

Name = tuple[str, str]
"""An id, and a title without regard to case and white space."""


def name_of(task: Task) -> Name:
    """What a task is called."""
    return _name(task.id, task.title)


def other_names(task: Task) -> list[Name]:
    """What sources called a task that was merged before."""
    return [_name(one["id"], one["title"]) for one in kept_aliases(task)]


def kept_aliases(task: Task) -> list[dict[str, str]]:
    """The ids and titles that a task keeps of an earlier merge, as they stand in ``extra``."""
    value = task.extra.get(ALSO_KNOWN_AS)
    return list(value) if value is not None and is_aliases(value) else []


def is_aliases(value: Any) -> bool:
    """Whether a value is a list as `ALSO_KNOWN_AS` has it, and not what some source means by the word."""
    return isinstance(value, list) and value != [] and all(map(_is_alias, value))


def aliases(tasks: Sequence[Task], task_id: str, title: str) -> list[dict[str, str]]:
    """The ids and titles of the tasks that become one, but for those that it has itself."""
    here = _name(task_id, title)
    found: dict[Name, dict[str, str]] = {}
    for task in tasks:
        for one in [*kept_aliases(task), {"id": task.id, "title": task.title}]:
            found.setdefault(_name(one["id"], one["title"]), one)
    return [one for name, one in found.items() if name != here]


def give_ids(tasks: Iterable[Task]) -> list[str]:
    """An id of its own for each task: who comes first keeps it, a later one that shares it gets a new one.

    A new id is the old one and a hash of the title, so that it is the same in every merge of the same tasks.
    """
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
    digest = hashlib.sha256(task.title.encode("utf-8", "surrogatepass")).hexdigest()
    hashed: Iterator[str] = (f"{task.id}-{digest[:length]}" for length in _LENGTHS)
    numbered = (f"{task.id}-{number}" for number in count(2))  # copies of one title, which must stay apart
    return next(new for new in chain(hashed, numbered) if new not in taken)


def _name(task_id: str, title: str) -> Name:
    return task_id, " ".join(title.casefold().split())


def _is_alias(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"id", "title"}
        and all(isinstance(one, str) for one in value.values())
    )
