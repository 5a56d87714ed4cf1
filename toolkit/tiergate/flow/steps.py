"""Steps: when the tasks of a session made progress, and how much. All that flow is derived from.

A task's own steps are those that were reported, see `tiergate.flow.notes`. What another program wrote has
none, but moments that tell: a completed task was completed at ``closed_at`` (an extra field) or else
``updated_at``, an active one was begun at ``updated_at``. Such a moment counts where it is later than the
last step that was reported.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tiergate.flow.moments import seconds_of
from tiergate.flow.notes import FIELD, notes_of, with_notes
from tiergate.model import Status, Task

BEGUN = 0.4
"""How much beginning a task counts; completing one counts 1."""

_CLOSED_AT = "closed_at"


def steps_of(task: Task) -> list[tuple[float, float]]:
    """Moment and amount of each step of a task, ascending."""
    steps = [(at, amount) for text, amount in notes_of(task).steps if (at := seconds_of(text)) is not None]
    steps.sort(key=lambda step: step[0])
    if task.status is Status.COMPLETED:
        at, amount = closed_at(task), 1.0
    elif task.status is Status.ACTIVE:
        at, amount = seconds_of(task.updated_at), BEGUN
    else:
        return steps
    if at is not None and (not steps or at > steps[-1][0]):
        steps.append((at, amount))
    return steps


def all_steps(tasks: Iterable[Task], now: float) -> list[tuple[float, float]]:
    """The steps of all tasks until a moment, ascending: equal for every order of the tasks."""
    return sorted(step for task in tasks for step in steps_of(task) if step[0] <= now)


def closed_at(task: Task) -> float | None:
    """When a closed task was closed, as far as its fields tell."""
    closed = seconds_of(task.extra.get(_CLOSED_AT))
    return seconds_of(task.updated_at) if closed is None else closed


def as_of(tasks: Iterable[Task], now: float) -> list[Task]:
    """The tasks as they were at an earlier moment, as far as their moments tell, for replays.

    A task that was created later is left out; one that was closed later is active where it had begun, or else
    queued. Dependencies, weights and texts are those of today. A closed task of no known moment stays closed.
    """
    return [_before(task, now) for task in tasks if (seconds_of(task.created_at) or now) <= now]


def _before(task: Task, now: float) -> Task:
    notes = notes_of(task)
    steps = tuple(step for step in notes.steps if (seconds_of(step[0]) or 0.0) <= now)
    is_closed = task.status in (Status.COMPLETED, Status.ABANDONED)
    moment = closed_at(task) if is_closed else seconds_of(task.updated_at)
    if moment is None or moment <= now:
        return task
    extra = {name: value for name, value in task.extra.items() if name not in (_CLOSED_AT, FIELD)}
    earlier = msgspec.structs.replace(
        task,
        status=Status.ACTIVE if steps else Status.QUEUED,
        momentum=0.0,
        updated_at=steps[-1][0] if steps else task.created_at,
        extra=extra,
    )
    if not steps:
        return earlier
    done = min(1.0, sum(amount for _, amount in steps))
    return with_notes(earlier, msgspec.structs.replace(notes, steps=steps, done=done))
