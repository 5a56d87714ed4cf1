"""Which of several same tasks carries on, and why: one stated rule, the same for every group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tiergate.deciding import Inquiry
from tiergate.model import Session, Status
from tiergate.reconcile.grouping import Known, Tasks
from tiergate.reconcile_record import TaskRef

_PRIORITIES = {"critical": 3, "urgent": 3, "high": 2, "medium": 1, "normal": 1, "low": -1, "lowest": -2}
_ROLES = {"primary": 1, "secondary": -1, "duplicate": -2, "obsolete": -3}


class Home(NamedTuple):
    """The task that carries on, and by which part of the rule it was chosen."""

    ref: TaskRef
    why: str


class Homes:
    """Chooses homes. What it counts over all tasks is counted once.

    The first of these that tells the candidates apart chooses, the lowest reference last:
    the stated role of the session, its stated priority, how many open tasks it has, how many tasks depend on
    the candidate, and which was created first.
    """

    def __init__(self, inquiry: Inquiry, tasks: Tasks) -> None:
        self._tasks = tasks
        self._open = Counter(
            session.id
            for session in {
                (known.session.id, known.ref.source): known.session for known in tasks.values()
            }.values()
            for task in session.tasks
            if task.status not in (Status.COMPLETED, Status.ABANDONED)
        )
        self._dependents = Counter(
            (known.session.id, needed) for known in tasks.values() for needed in known.task.dependencies
        )
        self._now = inquiry.now

    def choose(self, group: Sequence[TaskRef]) -> Home:
        """The home of a group; of versions of one task in the merged plan, the lowest reference stands."""
        left = [self._tasks[ref] for ref in sorted(group)]
        steps: tuple[tuple[Callable[[Known], Any], str], ...] = (
            (lambda one: _ranked(one.session, "role", _ROLES), "its session states the leading role"),
            (
                lambda one: _ranked(one.session, "priority", _PRIORITIES),
                "its session has the higher priority",
            ),
            (lambda one: self._open[one.session.id], "its session has the most open tasks"),
            (lambda one: self._dependents[one.session.id, one.ref.task], "most tasks depend on it"),
            (self._age, "it was created first"),
        )
        for measure, why in steps:
            values = [measure(one) for one in left]
            best = max(values)
            kept = [one for one, value in zip(left, values, strict=True) if value == best]
            if len({(one.session.id, one.ref.task) for one in kept}) == 1:
                return Home(kept[0].ref, why if len(kept) < len(left) else "both sources name it alike")
            left = kept
        return Home(left[0].ref, "nothing else tells them apart, and it comes first by name")

    def _age(self, one: Known) -> float:
        """Seconds from the creation to now; that of an unknown creation is the least."""
        try:
            born = datetime.fromisoformat(one.task.created_at or "")
        except ValueError:
            return float("-inf")
        return (self._now - (born if born.tzinfo else born.replace(tzinfo=self._now.tzinfo))).total_seconds()


def _ranked(session: Session, key: str, ranks: dict[str, int]) -> int:
    return ranks.get(str(session.extra.get(key, "")).strip().casefold(), 0)
