"""Which tasks are one piece of work, by the matches that are sure enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tiergate.deciding import Inquiry, folded
from tiergate.matching import tasks_of
from tiergate.model import Session, Status, Task
from tiergate.reconcile_record import Match, MatchKind, TaskRef

SURE = 0.8
"""A match at least as probable joins tasks; one below is a question. Probabilities are calibrated, so that of
the joined pairs fewer than one in five is wrong even at the edge."""

MERGED_INTO = "merged_into"
"""The field of a change, and of `Task.extra` once it is made, that names the task which carries on."""

Pair = tuple[TaskRef, TaskRef]


@dataclass(frozen=True, slots=True)
class Known:
    """A task with the session that it stands in."""

    ref: TaskRef
    session: Session
    task: Task


class Tasks(Mapping[TaskRef, Known]):
    """Every task of some plans by its reference, in the order of the references.

    Where a source has two tasks of one id in one session, the reference stands for the first.
    """

    def __init__(self, inquiry: Inquiry) -> None:
        found: dict[TaskRef, Known] = {}
        for ref, session, task in tasks_of(inquiry.plans):
            found.setdefault(ref, Known(ref, session, task))
        self._known = dict(sorted(found.items()))

    def __getitem__(self, ref: TaskRef) -> Known:
        return self._known[ref]

    def __iter__(self) -> Iterator[TaskRef]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def links(inquiry: Inquiry, tasks: Tasks) -> list[Match]:
    """Matches that say of two tasks of the plans that they are one piece of work, sorted.

    A task that a run before this one has merged into another is not asked about again.
    """
    kinds = (MatchKind.SAME, MatchKind.DUPLICATE)
    found = [
        one
        for one in inquiry.matched.matches
        if one.kind in kinds
        and all(ref in tasks and not is_merged(tasks[ref].task) for ref in (one.a, one.b))
    ]
    return sorted(found, key=lambda one: (one.a, one.b))


def is_merged(task: Task) -> bool:
    """Whether another task carries this one on."""
    return task.status == Status.ABANDONED and task.extra.get(MERGED_INTO) is not None


def doubtful(found: Sequence[Match], joined: Collection[Pair] = ()) -> list[Match]:
    """Links that are not sure, between tasks that no sure ones join."""
    unsure = [one for one in found if one.probability < SURE and (one.a, one.b) not in joined]
    groups = components(found, joined) if unsure else []
    place = {ref: number for number, group in enumerate(groups) for ref in group}
    return [one for one in unsure if place.get(one.a, one.a) != place.get(one.b, one.b)]


def components(
    found: Iterable[Match], joined: Collection[Pair] = (), apart: Collection[Pair] = ()
) -> list[tuple[TaskRef, ...]]:
    """Groups of at least two tasks which links join, each sorted, sorted by their first.

    Args:
        joined: pairs that are joined although their match is not sure.
        apart: pairs that are not joined although their match is sure.
    """
    above: dict[TaskRef, TaskRef] = {}

    def root(ref: TaskRef) -> TaskRef:
        while above.setdefault(ref, ref) != ref:
            above[ref] = above[above[ref]]
            ref = above[ref]
        return ref

    for one in found:
        pair = (one.a, one.b)
        if pair in joined or (one.probability >= SURE and pair not in apart):
            low, high = sorted((root(one.a), root(one.b)))
            above[high] = low
    groups: dict[TaskRef, list[TaskRef]] = defaultdict(list)
    for ref in list(above):
        groups[root(ref)].append(ref)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def one_record(one: Known, other: Known) -> bool:
    """Whether two tasks of a group are versions of one record, and not two wordings of one piece of work.

    They are where session and id are the same. Across sessions an equal id says so where it is no plain
    number, or where both were created at the same moment.
    """
    if one.ref.task != other.ref.task:
        return False
    if one.ref.session == other.ref.session or not one.ref.task.isdecimal():
        return True
    born = one.task.created_at
    return born is not None and folded("created_at", born) == folded("created_at", other.task.created_at)


def records(group: Sequence[TaskRef], tasks: Tasks) -> list[list[Known]]:
    """The tasks of a group, those of one record together, in order."""
    found: list[list[Known]] = []
    for ref in group:
        known = tasks[ref]
        for record in found:
            if one_record(record[0], known):
                record.append(known)
                break
        else:
            found.append([known])
    return found


def as_json(value: Any) -> Any:
    """A value as JSON has it: no structs, and lists for tuples."""
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    built = msgspec.to_builtins(value)
    return as_json(built) if isinstance(built, dict) else built
