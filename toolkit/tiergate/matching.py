"""What matching tasks is given and gives: values only, no way of doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from tiergate.model import Session

Progress = Callable[[str, int, int], None]
"""Called as ``progress(step, done, total)`` while a big input is matched."""


class TaskRef(msgspec.Struct, frozen=True, order=True):
    """Where a task stands: the source it was read from, its session and its id."""

    source: str
    session: str
    task: str


class MatchKind(StrEnum):
    """What two tasks are to each other."""

    SAME = "same"
    DUPLICATE = "duplicate"
    COLLISION = "collision"


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Two tasks that belong together, or that share an id and do not.

    Attributes:
        a, b: the tasks, the lower reference first.
        kind: ``same`` across sessions or sources, ``duplicate`` inside one session, ``collision`` for one id
            on two texts.
        score: likeness of the texts, 0..1.
        probability: that the two are one piece of work; of a collision, that they are not.
        reason: one line for a person.
    """

    a: TaskRef
    b: TaskRef
    kind: MatchKind
    score: float
    probability: float
    reason: str


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

    matches: tuple[Match, ...]
    review: tuple[Match, ...]


class Matcher(Protocol):
    """A function from plans to matches; the order of plans and tasks does not change its result."""

    def __call__(self, plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
        """Match every task with the others."""
