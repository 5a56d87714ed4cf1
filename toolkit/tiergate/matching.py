"""What matching tasks is given and gives: values only, no way of doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from tiergate.model import Session, Task
from tiergate.reconcile_record import Match, MatchKind, TaskRef

__all__ = ["Match", "MatchKind", "Matched", "Matcher", "Plan", "Progress", "TaskRef", "tasks_of"]

Progress = Callable[[str, int, int], None]
"""Called as ``progress(step, done, total)`` while a big input is worked on."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions that were read from one source."""

    source: str
    sessions: tuple[Session, ...]


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """What matching found.

    Attributes:
        matches: what is held to be true, sorted by the references.
        review: pairs inside one session that a person should look at, likeliest first.
    """

    matches: tuple[Match, ...] = ()
    review: tuple[Match, ...] = ()


class Matcher(Protocol):
    """A function from plans to matches; the order of plans and tasks does not change its result."""

    def __call__(self, plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
        """Match every task with the others."""


def tasks_of(plans: Sequence[Plan]) -> Iterator[tuple[TaskRef, Session, Task]]:
    """Every task of the plans with its reference and its session, in the order given."""
    for plan in plans:
        for session in plan.sessions:
            for task in session.tasks:
                yield TaskRef(plan.source, session.id, task.id), session, task
