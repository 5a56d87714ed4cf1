"""Phases for the items of lists of wishes, such as optimisations, that no session has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tiergate.errors import counted
from tiergate.matching import Plan
from tiergate.model import Session, Task
from tiergate.reconcile.roadmap import estimates
from tiergate.reconcile.roadmap.graph import OPEN, Key, Work
from tiergate.reconcile_record import MatrixEntry, Phase, PlannedTask, TaskRef

_OPTIONAL = re.compile(r"\b(?:optional(?:ly)?|only (?:if|when)|if needed)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wished:
    """A list with the items that are left to do.

    Attributes:
        work: the items, and what they wait for in their list.
        touched: ids of the items that overlap with tasks of sessions.
    """

    source: str
    items: Session
    work: Work
    touched: frozenset[str]

    def ref(self, key: Key) -> TaskRef:
        """An item by the reference of its source."""
        return TaskRef(self.source, *key)


def wishes_left(wishes: Sequence[Plan], matrix: Sequence[MatrixEntry]) -> list[Wished]:
    """The lists with the open items that no task covers; first those that touch most of the sessions."""
    covered = {entry.item for entry in matrix if entry.relation == "covers"}
    overlapping = {entry.item for entry in matrix if entry.relation == "overlaps"}
    found = []
    for source, session in ((plan.source, session) for plan in wishes for session in plan.sessions):
        refs = {task.id: TaskRef(source, session.id, task.id) for task in session.tasks}
        left = tuple(one for one in session.tasks if one.status in OPEN and refs[one.id] not in covered)
        if left:
            touched = frozenset(task.id for task in left if refs[task.id] in overlapping)
            items = msgspec.structs.replace(session, tasks=left)
            found.append(Wished(source, items, Work([items]), touched))
    return sorted(found, key=lambda one: -len(one.touched))


def wished_phases(left: Sequence[Wished], before: Sequence[str]) -> list[Phase]:
    """A phase for each list.

    Args:
        before: names of the phases that a list may run beside if it touches nothing of theirs.
    """
    phases: list[Phase] = []
    for wished in left:
        beside = () if wished.touched else (*before, *(phase.name for phase in phases))
        phases.append(_phase(wished, beside))
    return phases


def _phase(wished: Wished, beside: tuple[str, ...]) -> Phase:
    """Items by what they wait for; what is optional last, with what waits for that."""
    work = wished.work
    late: dict[Key, bool] = {}
    for key in work.order:
        late[key] = _is_optional(work.tasks[key]) or any(late[one] for one in work.waits_for[key])
    order = sorted(work.tasks, key=lambda key: (late[key], work.layer[key], key[1] not in wished.touched))
    layers: dict[int, list[TaskRef]] = defaultdict(list)
    for key in order:
        layers[work.layer[key]].append(wished.ref(key))
    each = {key: work.estimates[key] if work.estimates[key].stated else None for key in order}
    return Phase(
        name=f"Take up {wished.items.title or wished.items.id}",
        why=_why(wished, sum(map(_is_optional, work.tasks.values()))),
        tasks=tuple(
            PlannedTask(
                task=wished.ref(key),
                title=work.tasks[key].title,
                status=work.tasks[key].status,
                blocked_by=tuple(map(wished.ref, work.waits_for[key])),
                estimate=each[key],
            )
            for key in order
        ),
        estimate=estimates.of_session(wished.items)
        or estimates.total(one for one in each.values() if one is not None),
        side_by_side=tuple(tuple(group) for group in layers.values() if len(group) > 1),
        beside=beside,
    )


def _why(wished: Wished, optional: int) -> str:
    said = ["no session has these yet"]
    said += [] if wished.touched else ["they touch nothing that is under way"]
    said += [f"{counted(optional, 'optional item')} last"] if optional else []
    return "; ".join(said)


def _is_optional(task: Task) -> bool:
    return _OPTIONAL.search(f"{task.title}\n{task.notes}") is not None
