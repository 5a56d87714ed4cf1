"""The base: an earlier state of the plans, and which of its tasks another one was before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tiergate.deciding import Inquiry, folded
from tiergate.matching import tasks_of
from tiergate.model import Task
from tiergate.reconcile.grouping import Known


class Bases:
    """Finds tasks of the base.

    Session and id name a task of the base; where the base calls the session otherwise, the id alone does if
    one task of the base has it and title or moment of creation is the same. An id that was used again for
    another task, created at another moment, names none.
    """

    def __init__(self, inquiry: Inquiry) -> None:
        self._places: dict[tuple[str, str], list[Task]] = defaultdict(list)
        self._ids: dict[str, list[Task]] = defaultdict(list)
        for ref, session, task in tasks_of(inquiry.base):
            self._places[session.id, ref.task].append(task)
            self._ids[ref.task].append(task)

    def of(self, members: Iterable[Known]) -> list[tuple[Known, Task]]:
        """Each member that the base has, with its task there."""
        found = ((one, self._one(one)) for one in members)
        return [(one, task) for one, task in found if task is not None]

    def _one(self, member: Known) -> Task | None:
        near = self._places.get((member.session.id, member.ref.task))
        if near is None:
            near = [task for task in self._ids.get(member.ref.task, ()) if _alike(task, member.task)]
        near = [task for task in near if not _born_apart(task, member.task)]
        return near[0] if len(near) == 1 else None


def _alike(one: Task, other: Task) -> bool:
    born = one.created_at is not None and other.created_at is not None
    same_title = folded("title", one.title) == folded("title", other.title)
    return same_title or (born and not _born_apart(one, other))


def _born_apart(one: Task, other: Task) -> bool:
    if one.created_at is None or other.created_at is None:
        return False
    return bool(folded("created_at", one.created_at) != folded("created_at", other.created_at))
