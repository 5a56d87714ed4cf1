"""The audit log of a store: what reconciliations changed in it, field by field, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from tiergate.model import Session, Task
from tiergate.reconcile.merged_verdicts import ASK, MERGED_INTO
from tiergate.reconcile.merging import Merged
from tiergate.reconcile_record import Decision, TaskRef
from tiergate.state_files import append_durably, make_folder, state_errors

MERGE = "merge"
"""What stands for a rule where no decision was needed."""

_MOST_ORIGINS = 3
_Kind = TypeVar("_Kind")


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


class SessionMark(msgspec.Struct, frozen=True, kw_only=True):
    """A session that a step writes: hashes of what was there and of what it becomes, None for nothing."""

    id: str
    before: str | None
    after: str | None


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun", tag_field="event"):
    """A line of the log: what is about to be written. The backup is there already.

    Attributes:
        kind: ``apply``, or ``undo`` of the step that `undoes` names.
        at: RFC 3339, UTC.
        store: its address, as the command was given it.
        backup: name of the file beside the log that has the sessions as they were.
    """

    schema: Literal["tiergate.audit/1"] = "tiergate.audit/1"
    id: str
    kind: Literal["apply", "undo"]
    at: str
    command: str
    store: str
    backup: str
    sessions: tuple[SessionMark, ...]
    undoes: str | None = None


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended", tag_field="event"):
    """A line of the log: how a step ended.

    Attributes:
        outcome: ``applied``, or ``cancelled`` when nothing of it is in the store.
        note: what is worth knowing, such as that a later run found out.
    """

    schema: Literal["tiergate.audit/1"] = "tiergate.audit/1"
    id: str
    at: str
    outcome: Literal["applied", "cancelled"]
    note: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One reconciliation that was applied to a store, or the undoing of one.

    Attributes:
        outcome: ``unfinished`` where it is running, or was killed and no later run has settled it.
        ended_at: RFC 3339, UTC.
        undone_by, undone_at: of the step that undid it, unless that was undone again.
    """

    begun: Begun
    outcome: Literal["applied", "cancelled", "unfinished"] = "unfinished"
    ended_at: str | None = None
    note: str = ""
    undone_by: str | None = None
    undone_at: str | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return self.begun.id


_Entry: Any = Begun | Ended
_CHANGE = b'{"event":"change"'


class AuditLog:
    """A file of JSON lines that only grows; every line is on disk before what follows it is done."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, entry: Begun | Ended, changes: Sequence[FieldChange] = ()) -> None:
        """Add the line of a step, and those of its changes.

        Raises:
            StateError: they cannot be written.
        """
        make_folder(self.path.parent)
        lines = [entry, *(replace(change, step=entry.id) for change in changes)]
        # A line end in front too: a crash may have cut the line before.
        append_durably(self.path, b"".join(b"\n" + msgspec.json.encode(line) for line in lines) + b"\n")

    def steps(self) -> list[Step]:
        """Every step, the oldest first. A line that a crash cut was not acted upon, and is passed over.

        Raises:
            StateError: the file cannot be read.
        """
        found: dict[str, Step] = {}
        for entry in _entries(self._lines(changes=False), _Entry):
            if isinstance(entry, Begun):
                found[entry.id] = Step(begun=entry)
            elif entry.id in found:
                step = replace(found[entry.id], outcome=entry.outcome, ended_at=entry.at, note=entry.note)
                found[entry.id] = step
                _note_undoing(found, step)
        return list(found.values())

    def changes(self, step_id: str) -> list[FieldChange]:
        """What a step changed, or was about to.

        Raises:
            StateError: the file cannot be read.
        """
        found = _entries(self._lines(changes=True), FieldChange)
        return [change for change in found if change.step == step_id]

    def _lines(self, *, changes: bool) -> Iterator[bytes]:
        """The lines of changes, or the others, which are few."""
        if not self.path.exists():
            return
        with state_errors("read", self.path), self.path.open("rb") as file:
            yield from (line for line in file if line.startswith(_CHANGE) == changes)


def _entries(lines: Iterable[bytes], kind: type[_Kind]) -> Iterator[_Kind]:
    decoder = msgspec.json.Decoder(kind)
    for line in lines:
        try:
            yield decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeError):
            continue


def _note_undoing(found: dict[str, Step], step: Step) -> None:
    undone = found.get(step.begun.undoes or "")
    if undone is None or step.outcome != "applied":
        return
    found[undone.id] = replace(undone, undone_by=step.id, undone_at=step.ended_at)
    original = found.get(undone.begun.undoes or "")
    if original is not None:  # what undid it was undone
        found[original.id] = replace(original, undone_by=None, undone_at=None)


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


def now() -> str:
    """The time as the log has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
