"""Momentum: how much recent progress there was, 0 to 1, halving in every half-life without progress.

A task keeps the momentum that it had at a moment; what it has now is derived from both and never written
back, so that it cannot decay twice. The moment is that of its last step, see `tiergate.flow.notes`; of a task
without steps it is `updated_at`, or else `created_at`. A momentum of no known moment stands as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp2

import msgspec

from tiergate.flow.moments import seconds_of, text_of
from tiergate.flow.notes import Notes, notes_of, require_notes, with_notes
from tiergate.model import Status, Task

DEFAULT_HALF_LIFE_S = 3600.0
"""An hour, in seconds."""

STEPS_KEPT = 16
"""Steps that a task remembers; what older ones left is in the momentum."""


def decayed(momentum: float, age_s: float, half_life_s: float) -> float:
    """What is left of a momentum after some seconds: ``momentum * 2 ** (-age / half-life)``."""
    return momentum * exp2(-max(0.0, age_s) / half_life_s)


def raised(momentum: float, amount: float) -> float:
    """The momentum after a step: the step's share of what was missing to 1 is added.

    So steps in quick succession raise it the less the higher it is, and it never leaves 0 to 1.
    """
    return momentum + amount * (1.0 - momentum)


def momentum_of(task: Task, now: float, half_life_s: float = DEFAULT_HALF_LIFE_S) -> float:
    """The momentum of a task at a moment, 0 to 1; before its last step, that of the steps until then."""
    steps = [(at, amount) for text, amount in notes_of(task).steps if (at := seconds_of(text)) is not None]
    if steps and now < steps[-1][0]:
        return momentum_at(((at, amount) for at, amount in steps if at <= now), now, half_life_s)
    stored = min(1.0, max(0.0, task.momentum))
    if stored == 0.0:
        return 0.0
    since = steps[-1][0] if steps else seconds_of(task.updated_at)
    since = seconds_of(task.created_at) if since is None else since
    return stored if since is None else decayed(stored, now - since, half_life_s)


def momentum_at(steps: Iterable[tuple[float, float]], now: float, half_life_s: float) -> float:
    """The momentum that steps leave at a moment.

    Args:
        steps: moment and amount of each, ascending, none after `now`.
    """
    momentum, since = 0.0, now
    for at, amount in steps:
        momentum, since = raised(decayed(momentum, at - since, half_life_s), amount), at
    return decayed(momentum, now - since, half_life_s)


def progressed(
    task: Task,
    amount: float,
    now: float,
    *,
    done: bool = False,
    half_life_s: float = DEFAULT_HALF_LIFE_S,
) -> Task:
    """A task after progress on it: active, or completed where it is done, with its momentum raised.

    Args:
        amount: share of the task that was done, 0 to 1; with `done` all that was left of it counts at least.
        now: when; not before the task's last step, at the moment of which it counts otherwise.

    Raises:
        OperationError: the field ``flow`` of its extra fields is not ours.
    """
    notes = require_notes(task)
    last = seconds_of(notes.steps[-1][0]) if notes.steps else None
    at = now if last is None else max(now, last)
    step = max(amount, 1.0 - notes.done) if done else amount
    momentum = raised(momentum_of(task, at, half_life_s), step)
    moment = text_of(at)
    kept = Notes(
        done=1.0 if done else min(1.0, notes.done + amount),
        steps=(*notes.steps, (moment, step))[-STEPS_KEPT:],
        into=notes.into,
        weight=notes.weight,
        part_of=notes.part_of,
    )
    return with_notes(
        msgspec.structs.replace(
            task,
            status=Status.COMPLETED if done else Status.ACTIVE,
            momentum=momentum,
            updated_at=moment,
        ),
        kept,
    )
