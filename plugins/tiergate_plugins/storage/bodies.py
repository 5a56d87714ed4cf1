"""The bytes that both stores keep: checked before anything is written, named when they cannot be read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tiergate.model import Session, Task, decode_session, decode_task, encode
from tiergate.store import StoreDamaged, StoreError

_Kind = TypeVar("_Kind", Task, Session)
_decode_tasks = msgspec.json.Decoder(list[Task]).decode

_UNWRITABLE = (msgspec.MsgspecError, UnicodeError, TypeError, ValueError, OverflowError, RecursionError)
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


def task_body(session_id: str, task: Task) -> tuple[bytes, Task]:
    """The bytes of a task, and the task as it will be read back.

    Raises:
        StoreError: something in it would not come back; names it.
    """
    what = f"task {task.id!r} of session {session_id!r}"
    try:
        body = encode(task)
        back = decode_task(body)
    except _UNWRITABLE as error:
        raise _unwritable(what, str(error)) from error
    _refuse_loss(what, task, back)
    return body, back


def task_bodies(session_id: str, tasks: Sequence[Task]) -> list[tuple[bytes, Task]]:
    """`task_body` of many tasks, checked all at once: nearly always they all come back as they are."""
    try:
        bodies = [encode(task) for task in tasks]
        back = _decode_tasks(as_list(bodies))
    except _UNWRITABLE:
        back = []
    if back == list(tasks):
        return list(zip(bodies, back, strict=True))
    return [task_body(session_id, task) for task in tasks]


def as_list(bodies: Iterable[bytes]) -> bytes:
    """Bodies of tasks as one JSON array."""
    return b"[%b]" % b",".join(bodies)


def session_body(session: Session) -> bytes:
    """The bytes of a session without its tasks and version.

    Raises:
        StoreError: something in it would not come back; names it.
    """
    what = f"session {session.id!r}"
    alone = msgspec.structs.replace(session, tasks=(), version=0)
    try:
        body = encode(alone)
        back = decode_session(body)
    except _UNWRITABLE as error:
        raise _unwritable(what, str(error)) from error
    _refuse_loss(what, alone, back)
    return body


def read_task(body: bytes, where: str) -> Task:
    """Read the bytes of a task.

    Raises:
        StoreDamaged: they are none.
    """
    try:
        return decode_task(body)
    except _UNREADABLE as error:
        raise StoreDamaged(f"not a task: {error}", where=where) from error


def read_tasks(body: bytes, where: str) -> list[Task]:
    """Read the bytes of several tasks, a JSON array.

    Raises:
        StoreDamaged: they are none.
    """
    try:
        return _decode_tasks(body)
    except _UNREADABLE as error:
        raise StoreDamaged(f"not a list of tasks: {error}", where=where) from error


def read_session(body: bytes, where: str) -> Session:
    """Read the bytes of a session.

    Raises:
        StoreDamaged: they are none.
    """
    try:
        return decode_session(body)
    except _UNREADABLE as error:
        raise StoreDamaged(f"not a session: {error}", where=where) from error


def refuse_repeated_ids(session_id: str, tasks: Sequence[Task]) -> None:
    """Raise `StoreError` when two tasks have one id."""
    twice = repeated(task.id for task in tasks)
    if twice is not None:
        raise StoreError(
            f"session {session_id!r} is given two tasks with the id {twice!r}",
            hint="task ids must be unique in their session",
        )


def repeated(ids: Iterable[str]) -> str | None:
    """The first id that stands twice."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            return name
        seen.add(name)
    return None


def _refuse_loss(what: str, value: _Kind, back: _Kind) -> None:
    """Compare cheaply first: nearly every value is equal to what is read back."""
    if back != value:
        lost = _lost(value.extra, "extra")
        if lost is not None:
            raise _unwritable(what, f"{lost} would not come back as it is")


def _lost(value: Any, path: str) -> str | None:
    """Where in a value JSON would silently keep something else; tuples as lists are no loss."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path} = {value}"
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                return f"the name {name!r} in {path}"
            lost = _lost(inner, f"{path}.{name}")
            if lost is not None:
                return lost
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            lost = _lost(inner, f"{path}[{index}]")
            if lost is not None:
                return lost
    elif value is not None and not isinstance(value, str | int | float):
        return f"{path} = {type(value).__name__}"
    return None


def _unwritable(what: str, why: str) -> StoreError:
    return StoreError(
        f"{what} has no JSON form: {why}", hint="text must be valid Unicode, numbers finite, names text"
    )
