"""What is different between two states of a session, field by field, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tiergate.model import Session, Task
from tiergate.reconcile.merged_verdicts import ASK, MERGED_INTO
from tiergate.reconcile.merging import Merged
from tiergate.reconcile_record import Decision, TaskRef

MERGE = "merge"
"""What stands for a rule where no decision was needed."""

_MOST_ORIGINS = 3


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was changed: the rule that decided, its reason, and the id of the question."""

    rule: str
    reason: str
    question: str = ""


class FieldChange(msgspec.Struct, frozen=True, kw_only=True, tag="change", tag_field="event", gc=False):
    """One field that was changed; in the log a line of its own, after that of its step.

    Attributes:
        step: id of the step; empty before it is in the log.
        task: empty for a field of the session itself.
        field: ``task`` for a task that came or went, ``order`` for the order of tasks, ``extra.NAME`` for a
            key of `extra`.
        before, after: the values, as JSON has them; None for what is not there.
    """

    step: str = ""
    session: str
    task: str
    field: str
    before: Any
    after: Any
    rule: str
    reason: str
    question: str = ""


class Reasons:
    """Why the fields of a merged plan are as they are.

    Args:
        decisions: that were merged with.
    """

    def __init__(self, merged: Merged, decisions: Sequence[Decision]) -> None:
        self._origins = merged.origins
        self._decided: dict[tuple[str, str, str], Reason] = {}
        for decision in decisions:
            if decision.rule == ASK:
                continue
            why = Reason(rule=decision.rule, reason=decision.outcome, question=decision.question)
            for change in decision.changes:
                place = merged.home.get(change.task)
                if place is not None:
                    for field in _fields_of(change.field):
                        self._decided.setdefault((*place, field), why)

    def of(self, session: str, task: str, field: str) -> Reason:
        """Why a field of a task was changed."""
        found = self._decided.get((session, task, field.removeprefix("extra.")))
        if found is not None:
            return found
        return Reason(rule=MERGE, reason=_from(self._origins.get((session, task), ())))


def _fields_of(field: str) -> tuple[str, ...]:
    return (MERGED_INTO, "status") if field == MERGED_INTO else (field.removeprefix("extra."),)


def _from(origins: Sequence[TaskRef]) -> str:
    if not origins:
        return "of the sources"
    more = f" and {len(origins) - _MOST_ORIGINS} more" if len(origins) > _MOST_ORIGINS else ""
    return f"from {', '.join(map(str, origins[:_MOST_ORIGINS]))}{more}"


class Constant(Reasons):
    """One reason for everything."""

    def __init__(self, reason: Reason) -> None:
        self._reason = reason

    def of(self, session: str, task: str, field: str) -> Reason:  # noqa: ARG002
        """That reason."""
        return self._reason


def changes_between(
    session_id: str, before: Session | None, after: Session | None, reasons: Reasons
) -> Iterator[FieldChange]:
    """What is different in a session, field by field."""

    def changed(task: str, field: str, old: Any, new: Any) -> FieldChange:
        why = reasons.of(session_id, task, field)
        return FieldChange(
            session=session_id, task=task, field=field, before=old, after=new, **msgspec.structs.asdict(why)
        )

    none = Session(id=session_id)
    for field, old, new in _differing(before or none, after or none):
        yield changed("", field, old, new)
    here = {task.id: task for task in before.tasks} if before else {}
    there = {task.id: task for task in after.tasks} if after else {}
    for task_id in dict.fromkeys((*here, *there)):
        one, other = here.get(task_id), there.get(task_id)
        if one is None or other is None:
            yield changed(task_id, "task", _plain(one), _plain(other))
            continue
        for field, old, new in _differing(one, other):
            yield changed(task_id, field, old, new)
    old_order, new_order = _only(here, there), _only(there, here)
    if old_order != new_order:
        yield changed("", "order", old_order, new_order)


def _differing(one: Task | Session, other: Task | Session) -> Iterator[tuple[str, Any, Any]]:
    for field in one.__struct_fields__:
        old, new = getattr(one, field), getattr(other, field)
        if field in {"version", "tasks"} or old == new:
            continue
        if field != "extra":
            yield field, _plain(old), _plain(new)
            continue
        for name in sorted({*old, *new}):
            if name not in old or name not in new or old[name] != new[name]:
                yield f"extra.{name}", old.get(name), new.get(name)


def _only(names: Iterable[str], among: Mapping[str, Task]) -> list[str]:
    return [name for name in names if name in among]


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
