"""Which of several same tasks carries on, and why: one stated rule, the same for every group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tiergate.deciding import Inquiry
from tiergate.flow.graph import CLOSED
from tiergate.flow.moments import moment_of, seconds_of
from tiergate.model import Session
from tiergate.reconcile.grouping import Known, Tasks
from tiergate.reconcile_record import TaskRef

_UNKNOWN = float("-inf")
_PRIORITIES = {"critical": 3, "urgent": 3, "high": 2, "medium": 1, "normal": 1, "low": -1, "lowest": -2}
_ROLES = {"primary": 1, "secondary": -1, "duplicate": -2, "obsolete": -3}


class Home(NamedTuple):
    """The task that carries on, and by which part of the rule it was chosen."""

    ref: TaskRef
    why: str


class Homes:
    """Chooses homes. What it counts over all tasks is counted once.

    The session is chosen before the task, so that whatever two sessions share ends in one of them. The first
    of these that tells the candidates apart chooses: the stated role of the session, its stated priority,
    which was changed last, how many open tasks it has, its name; then, inside one session, how many tasks
    depend on the candidate, which was created first, and the lowest reference.
    """

    def __init__(self, inquiry: Inquiry, tasks: Tasks) -> None:
        self._tasks = tasks
        self._now = moment_of(inquiry.now)
        self._roles: dict[str, int] = {}
        self._priorities: dict[str, int] = {}
        self._changed: dict[str, float] = {}
        self._open: Counter[str] = Counter()
        self._dependents: Counter[tuple[str, str]] = Counter()
        for session in (session for plan in inquiry.plans for session in plan.sessions):
            self._count(session)

    def _count(self, session: Session) -> None:
        name = session.id
        for found, key, ranks in (
            (self._roles, "role", _ROLES),
            (self._priorities, "priority", _PRIORITIES),
        ):
            rank = ranks.get(str(session.extra.get(key, "")).strip().casefold(), 0)
            found[name] = max(rank, found.get(name, rank))
        times = map(seconds_of, [session.updated_at, *(task.updated_at for task in session.tasks)])
        known = (one for one in times if one is not None)
        self._changed[name] = max(self._changed.get(name, _UNKNOWN), *known, _UNKNOWN)
        for task in session.tasks:
            self._open[name] += task.status not in CLOSED
            self._dependents.update((name, needed) for needed in task.dependencies)

    def choose(self, group: Sequence[TaskRef]) -> Home:
        """The home of a group; of versions of one task in the merged plan, the lowest reference stands."""
        left = [self._tasks[ref] for ref in sorted(group)]
        if len({(ref.session, ref.task) for ref in group}) == 1:
            return Home(left[0].ref, "it is one task in the merged plan")
        steps: tuple[tuple[Callable[[Known], Any], str], ...] = (
            (lambda one: self._roles[one.session.id], "its session states the leading role"),
            (lambda one: self._priorities[one.session.id], "its session has the higher priority"),
            (lambda one: self._changed[one.session.id], "its session was changed last"),
            (lambda one: self._open[one.session.id], "its session has the most open tasks"),
            (lambda one: one.session.id == left[0].session.id, "its session comes first by name"),
            (lambda one: self._dependents[one.session.id, one.ref.task], "most tasks depend on it"),
            (self._age, "it was created first"),
        )
        for measure, why in steps:
            values = [measure(one) for one in left]
            best = max(values)
            kept = [one for one, value in zip(left, values, strict=True) if value == best]
            if len({(one.session.id, one.ref.task) for one in kept}) == 1:
                return Home(kept[0].ref, why)
            left = kept
        return Home(left[0].ref, "nothing else tells them apart, and it comes first by name")

    def _age(self, one: Known) -> float:
        """Seconds from the creation to now; that of an unknown creation is the least."""
        born = seconds_of(one.task.created_at)
        return _UNKNOWN if born is None else self._now - born
