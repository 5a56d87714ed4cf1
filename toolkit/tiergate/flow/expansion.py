"""Expansion: a large task becomes plan → implement → test → document."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from math import ulp

import msgspec

from tiergate.flow.graph import CLOSED
from tiergate.flow.moments import text_of
from tiergate.flow.notes import Notes, require_notes, with_notes
from tiergate.model import Status, Task
from tiergate.operation import OperationError

PARTS = (
    ("plan", "Plan", 0.125),
    ("implement", "Implement", 0.5),
    ("test", "Test", 0.25),
    ("document", "Document", 0.125),
)
"""Id, title and share of the weight of each part."""


def expanded(task: Task, ids: Collection[str], now: float) -> list[Task]:
    """The task as it is once expanded, and after it its subtasks, in the order in which they can be done.

    The first subtask waits for what the task waited for, each other one for the one before, and the task for
    the last one: what waited for the task waits for all of it. The subtasks weigh together what it weighed,
    and it weighs nothing itself any more, so that no chain gets heavier. The first one takes over its status,
    and it goes to the queue.

    Args:
        ids: of the session's tasks; no subtask gets one of them.

    Raises:
        OperationError: the task is closed, or was expanded before.
    """
    notes = require_notes(task)
    if task.status in CLOSED:
        raise OperationError(
            f"task {task.id!r} is {task.status.value} and cannot be expanded", hint="choose an open task"
        )
    if notes.into:
        raise OperationError(
            f"task {task.id!r} was expanded before", hint=f"its subtasks are {', '.join(notes.into)}"
        )
    subtasks = _subtasks(task, ids, text_of(now))
    milestone = msgspec.structs.replace(
        task,
        status=Status.QUEUED,
        weight=0.0,
        dependencies=(subtasks[-1].id,),
        updated_at=text_of(now),
    )
    into = tuple(subtask.id for subtask in subtasks)
    return [
        with_notes(milestone, msgspec.structs.replace(notes, into=into, weight=task.weight)),
        *subtasks,
    ]


def _subtasks(task: Task, ids: Collection[str], now: str) -> list[Task]:
    subtasks: list[Task] = []
    for (name, title, _), weight in zip(PARTS, _weights(task.weight), strict=True):
        subtask = Task(
            id=_new_id(f"{task.id}.{name}", ids),
            title=f"{title}: {task.title}",
            status=Status.QUEUED if subtasks else task.status,
            weight=weight,
            dependencies=(subtasks[-1].id,) if subtasks else task.dependencies,
            labels=task.labels,
            created_at=now,
            updated_at=now,
        )
        subtasks.append(with_notes(subtask, Notes(part_of=task.id)))
    return subtasks


def _weights(weight: float) -> list[float]:
    """Shares of a weight that add up to it to the last digit, in whatever order they are added."""
    unit = ulp(weight)  # a sum of multiples of it that is no larger than the weight is exact
    shares = [round(weight * share / unit) * unit for _, _, share in PARTS[:-1]]
    return [*shares, weight - sum(shares)]


def _new_id(name: str, ids: Collection[str]) -> str:
    """The name, or else the first of ``name-2``, ``name-3`` … that no task has."""
    if name not in ids:
        return name
    return next(found for number in count(2) if (found := f"{name}-{number}") not in ids)
