"""Sessions and tasks, and their JSON form.

Fields that this version does not know are kept: whatever an importer or a newer version wrote
is carried in ``extra`` and written back.
"""

from __future__ import annotations

from enum import StrEnum
from operator import is_
from typing import Any, TypeVar

import msgspec


class Status(StrEnum):
    """What has become of a task."""

    QUEUED = "queued"
    ACTIVE = "active"
    BLOCKED = "blocked"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class Task(
    msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """One piece of work.

    Attributes:
        id: unique in its session.
        weight: effort or importance, at least 0, without a unit; 1 where nobody said.
        dependencies: ids of tasks of the same session that must be completed before. What a source says is
            kept, so an id may name no task, and dependencies may form a cycle.
        momentum: 0..1, decaying measure of recent progress.
        created_at: RFC 3339 text as the source wrote it, so that no digit is lost.
        updated_at: likewise.
        source_status: the word that the source used for the status.
        extra: every field that has no attribute here, by name.
    """

    id: str
    title: str
    notes: str = ""
    status: Status = Status.QUEUED
    weight: float = 1.0
    dependencies: tuple[str, ...] = ()
    momentum: float = 0.0
    labels: tuple[str, ...] = ()
    created_at: str | None = None
    updated_at: str | None = None
    source_status: str | None = None
    extra: dict[str, Any] = {}


class Session(
    msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """A named list of tasks.

    Attributes:
        version: how often a store has saved it; 0 for one that no store holds yet.
        extra: every field that has no attribute here, by name.
    """

    id: str
    title: str = ""
    version: int = 0
    tasks: tuple[Task, ...] = ()
    created_at: str | None = None
    updated_at: str | None = None
    extra: dict[str, Any] = {}


_Kind = TypeVar("_Kind", Task, Session)

_UNSTATED = Task(id="", title="")
_WEIGHT, _MOMENTUM = _UNSTATED.weight, _UNSTATED.momentum

_encoder = msgspec.json.Encoder()
_canonical_encoder = msgspec.json.Encoder(order="sorted")
_task_decoder = msgspec.json.Decoder(Task)
_session_decoder = msgspec.json.Decoder(Session)
_FIELDS: dict[type, frozenset[str]] = {
    Task: frozenset(Task.__struct_fields__),
    Session: frozenset(Session.__struct_fields__),
}


def encode(value: Task | Session) -> bytes:
    """The JSON form of a task or session; fields at their default are left out."""
    return _encoder.encode(value)


def canonical(value: Task | Session) -> bytes:
    """JSON with sorted keys: the same content gives the same bytes, whatever store it came from."""
    return _canonical_encoder.encode(_plain(value) if isinstance(value, Task) else _with_plain_tasks(value))


def _plain(task: Task) -> Task:
    """The same task, in which a number that equals its default is the default.

    msgspec tells which numbers to leave out by what they are and not by their value, so that a weight of 1.0
    that somebody stated would have other bytes than one that nobody did.
    """
    weight = _WEIGHT if task.weight == _WEIGHT else task.weight
    momentum = _MOMENTUM if task.momentum == _MOMENTUM else task.momentum
    if weight is task.weight and momentum is task.momentum:
        return task
    return msgspec.structs.replace(task, weight=weight, momentum=momentum)


def _with_plain_tasks(session: Session) -> Session:
    plain = tuple(map(_plain, session.tasks))
    if all(map(is_, plain, session.tasks)):
        return session
    return msgspec.structs.replace(session, tasks=plain)


def decode_task(data: bytes) -> Task:
    """Read one task.

    Raises:
        msgspec.DecodeError: the bytes are not JSON, or not a task.
    """
    try:
        return _task_decoder.decode(data)
    except msgspec.ValidationError:
        return _from_foreign(msgspec.json.decode(data), Task)
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from error


def decode_session(data: bytes) -> Session:
    """Read one session with its tasks.

    Raises:
        msgspec.DecodeError: the bytes are not JSON, or not a session.
    """
    try:
        return _session_decoder.decode(data)
    except msgspec.ValidationError:
        raw = msgspec.json.decode(data)
        if isinstance(raw, dict) and isinstance(raw.get("tasks"), list):
            raw["tasks"] = [_from_foreign(task, Task) for task in raw["tasks"]]
        return _from_foreign(raw, Session)
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from error


def _not_utf8(error: UnicodeDecodeError) -> msgspec.DecodeError:
    return msgspec.DecodeError(f"not UTF-8 at byte {error.start}")


def _from_foreign(raw: Any, kind: type[_Kind]) -> _Kind:
    """Build a struct from decoded JSON, moving fields that it does not know into ``extra``."""
    if isinstance(raw, dict):
        known = _FIELDS[kind]
        unknown = {name: value for name, value in raw.items() if name not in known}
        extra = raw.get("extra", {})
        if isinstance(extra, dict):
            clash = unknown.keys() & extra.keys()
            if clash:
                raise msgspec.ValidationError(
                    f"field {min(clash)!r} stands both beside and inside `extra` of {raw.get('id')!r}"
                )
            raw = {name: value for name, value in raw.items() if name in known}
            raw["extra"] = {**extra, **unknown}
    return msgspec.convert(raw, kind)
