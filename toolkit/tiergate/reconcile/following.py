"""Evidence about a task that another one carries on is evidence about that one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from tiergate.deciding import Inquiry
from tiergate.reconcile.grouping import MERGED_INTO, Tasks, is_merged
from tiergate.reconcile_record import Evidence, TaskRef


def follow_merged(inquiry: Inquiry, tasks: Tasks) -> Inquiry:
    """The inquiry with its evidence moved to the tasks that carry on: a second run sees what the first saw.

    Evidence about a task whose way ends nowhere stays where it is.
    """
    into = {
        ref: known.task.extra[MERGED_INTO]
        for ref, known in tasks.items()
        if is_merged(known.task) and isinstance(known.task.extra[MERGED_INTO], Mapping)
    }
    if not into:
        return inquiry
    places: dict[tuple[str, str], TaskRef] = {}
    for ref in tasks:
        places.setdefault((ref.session, ref.task), ref)

    def follow(one: Evidence) -> Evidence:
        passed: set[TaskRef] = set()
        ref = one.task
        while ref in into and ref not in passed:
            passed.add(ref)
            ref = _named(into[ref], tasks, places)
        return one if ref is None or ref in passed else msgspec.structs.replace(one, task=ref)

    return replace(inquiry, evidence=tuple(map(follow, inquiry.evidence)))


def _named(
    target: Mapping[str, Any], tasks: Tasks, places: Mapping[tuple[str, str], TaskRef]
) -> TaskRef | None:
    """The task that ``merged_into`` names: in the source that it tells, else in the first that has it."""
    session, task = str(target.get("session")), str(target.get("task"))
    exact = TaskRef(str(target.get("source")), session, task)
    return exact if exact in tasks else places.get((session, task))
