"""The plans as findings look at them: tasks by session, pieces of work, evidence by task."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from tiergate.deciding import Inquiry
from tiergate.model import Session, Status
from tiergate.reconcile.grouping import Known, Tasks, components, is_merged, links
from tiergate.reconcile_record import Evidence, Match, MatchKind, TaskRef

OPEN = frozenset({Status.QUEUED, Status.ACTIVE, Status.BLOCKED})
"""What a task is that somebody still has to do."""

Place = tuple[str, str]
"""A source and a session of it."""

_LONGEST = 20_000
"""Characters of a text that is searched for words."""


class View:
    """One inquiry, with what several findings need prepared once."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.tasks = Tasks(inquiry)
        self.sessions: dict[Place, list[Known]] = defaultdict(list)
        for known in self.tasks.values():
            self.sessions[known.ref.source, known.ref.session].append(known)
        self._by_place = {
            (plan.source, session.id): session for plan in inquiry.plans for session in plan.sessions
        }
        for place in self._by_place:
            self.sessions.setdefault(place, [])  # one without tasks is there too
        self.wishes = Tasks(Inquiry(plans=inquiry.wishes, now=inquiry.now))
        self.links = links(inquiry, self.tasks)

    def __getitem__(self, ref: TaskRef) -> Known:
        return self.tasks[ref]

    @cached_property
    def groups(self) -> list[tuple[TaskRef, ...]]:
        """Tasks that are one piece of work."""
        return components(self.links)

    @cached_property
    def evidence(self) -> dict[TaskRef, list[Evidence]]:
        """What was checked, by the task that it speaks for or against."""
        found: dict[TaskRef, list[Evidence]] = defaultdict(list)
        for one in self.inquiry.evidence:
            if one.task is not None:
                found[one.task].append(one)
        return dict(found)

    def session(self, place: Place) -> Session:
        """The session at a place."""
        return self._by_place[place]

    def matches(self, kind: MatchKind) -> Iterator[Match]:
        """The matches of one kind."""
        return (one for one in self.inquiry.matched.matches if one.kind is kind)

    def is_settled(self, known: Known) -> bool:
        """Whether an earlier reconciliation has merged the task into another."""
        return is_merged(known.task)


def words_of(known: Known) -> str:
    """Title and notes."""
    return f"{known.task.title}\n{known.task.notes}"[:_LONGEST]


def named(known: Known) -> str:
    """A task as a message names it."""
    title = " ".join(known.task.title.split())
    short = title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"
    return f"{known.ref.session}/{known.ref.task} {short!r}"


_TITLE = 60


def place_of(known: Known, among: Sequence[Known]) -> str:
    """Where a task stands, as shortly as tells it from the others: its session, or else its source."""
    sessions = {one.ref.session for one in among}
    return known.ref.session if len(sessions) == len(among) else f"{known.ref.session} of {known.ref.source}"


def moment(text: Any) -> datetime | None:
    """A time as a source wrote it; one without an offset is UTC. None for what is no time."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def listed(refs: Sequence[object], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(refs) - most} more" if len(refs) > most else ""
    return ", ".join(map(str, refs[:most])) + more


_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d+)?)\s*%")


def share(value: Any) -> float | None:
    """A stated progress, 0..1: ``83``, ``0.83``, ``"83 %"``; None for what says nothing of the kind.

    A number up to 1 is a share; above, a percentage.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = float(value) if value <= 1 else float(value) / 100
        return number if 0 <= number <= 1 else None
    if isinstance(value, str):
        found = _PERCENT.search(value)
        if found:
            return share(float(found[1].replace(",", ".")) / 100)
        try:
            return share(float(value))
        except ValueError:
            return None
    return None
