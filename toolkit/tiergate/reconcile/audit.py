"""The audit log of a store: what reconciliations wrote to it, when, and by which command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from tiergate.reconcile.differences import FieldChange
from tiergate.state_files import append_durably, make_folder, state_errors

_Kind = TypeVar("_Kind")


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


def now() -> str:
    """The time as the log has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
