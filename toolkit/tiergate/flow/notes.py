"""What the flow balancer keeps with a task: its field ``flow`` of the extra fields."""

from __future__ import annotations

import msgspec

from tiergate.model import Task
from tiergate.operation import OperationError

FIELD = "flow"


class Notes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of a task beyond its own fields.

    Attributes:
        done: share of it that was reported as done, 0 to 1.
        steps: its latest progress, oldest first: when (RFC 3339), and how much of the task was done.
        into: ids of the subtasks that it was expanded into; empty while it was not.
        weight: what it weighed before that; its subtasks weigh as much together.
        part_of: id of the task of which it is a part.
    """

    done: float = 0.0
    steps: tuple[tuple[str, float], ...] = ()
    into: tuple[str, ...] = ()
    weight: float | None = None
    part_of: str | None = None


_NONE = Notes()


def notes_of(task: Task) -> Notes:
    """What is kept with a task; nothing where the field is missing or not ours."""
    kept = task.extra.get(FIELD)
    if kept is None:
        return _NONE
    try:
        return msgspec.convert(kept, Notes)
    except msgspec.ValidationError:
        return _NONE


def require_notes(task: Task) -> Notes:
    """What is kept with a task that will be written, so that nobody else's field is lost.

    Raises:
        OperationError: the field is not ours.
    """
    if FIELD not in task.extra:
        return _NONE
    try:
        return msgspec.convert(task.extra[FIELD], Notes)
    except msgspec.ValidationError as error:
        raise OperationError(
            f"task {task.id!r} has an extra field {FIELD!r} that the flow balancer did not write: {error}",
            hint="rename that field",
        ) from error


def with_notes(task: Task, notes: Notes) -> Task:
    """The task with these notes and its other extra fields."""
    plain = msgspec.json.decode(msgspec.json.encode(notes))  # as a store gives it back: lists, no tuples
    return msgspec.structs.replace(task, extra={**task.extra, FIELD: plain})
