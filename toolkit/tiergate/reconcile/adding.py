"""Tasks that decisions add, put into the plans before these are merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from tiergate.matching import Plan
from tiergate.model import Task
from tiergate.reconcile.tree_decisions import ADDED
from tiergate.reconcile_record import Decision


def with_added(
    plans: Sequence[Plan], decisions: Sequence[Decision]
) -> tuple[tuple[Plan, ...], tuple[Decision, ...]]:
    """The plans with the tasks that decisions add, and the decisions without what is done by that.

    A new task stands at the end of its session, with every field that the decision gives it.
    """
    new: defaultdict[tuple[str, str], list[Task]] = defaultdict(list)
    for change in (change for one in decisions for change in one.changes if change.field == ADDED):
        place = (change.task.source, change.task.session)
        new[place].append(msgspec.convert(change.after, Task))
    grown = tuple(
        msgspec.structs.replace(
            plan,
            sessions=tuple(
                msgspec.structs.replace(one, tasks=(*one.tasks, *new.get((plan.source, one.id), ())))
                for one in plan.sessions
            ),
        )
        for plan in plans
    )
    left = tuple(
        msgspec.structs.replace(one, changes=tuple(it for it in one.changes if it.field != ADDED))
        if any(it.field == ADDED for it in one.changes)
        else one
        for one in decisions
    )
    return grown, left
