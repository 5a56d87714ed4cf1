"""In which fields two sessions differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tiergate.model import Session, Task
from tiergate.record import FieldDifference

MOST_CHARACTERS = 200
"""The JSON of a value is cut there."""

_encoder = msgspec.json.Encoder(order="sorted")


def compare(source: Session | None, target: Session | None) -> list[FieldDifference]:
    """What is not the same in two sessions, apart from the version.

    Args:
        source: None where the source has no such session; likewise `target`.
    """
    if source is None or target is None:
        present = source or target
        if present is None:
            return []
        words = f"session with {len(present.tasks)} tasks"
        sides = (None if source is None else words, None if target is None else words)
        return [_difference(present.id, None, "", *sides)]
    return [
        *_fields(source.id, None, source, target),
        *_tasks(source.id, source.tasks, target.tasks),
    ]


def _tasks(session: str, source: tuple[Task, ...], target: tuple[Task, ...]) -> Iterator[FieldDifference]:
    ours, theirs = {task.id: task for task in source}, {task.id: task for task in target}
    for name in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(name), theirs.get(name)
        if one is None or other is None:
            yield _difference(session, name, "", _json(one) if one else None, _json(other) if other else None)
        elif one != other or _json(one) != _json(other):
            yield from _fields(session, name, one, other)
    before, after = [task.id for task in source], [task.id for task in target]
    if before != after and (set(before) == set(after) or len(set(before)) < len(before)):
        yield _difference(session, None, "order of tasks", _json(before), _json(after))


def _fields(
    session: str, task: str | None, source: Session | Task, target: Session | Task
) -> Iterator[FieldDifference]:
    for name in source.__struct_fields__:
        if name in {"version", "tasks", "extra"}:
            continue
        one, other = _json(getattr(source, name)), _json(getattr(target, name))
        if one != other:
            yield _difference(session, task, name, one, other)
    for name in dict.fromkeys((*source.extra, *target.extra)):
        here, there = name in source.extra, name in target.extra
        one, other = _json(source.extra.get(name)), _json(target.extra.get(name))
        if here != there or one != other:
            yield _difference(session, task, f"extra.{name}", one if here else None, other if there else None)


def _json(value: Any) -> str:
    """As JSON, or as Python shows it where it has no JSON form or another one than it seems."""
    try:
        data = _encoder.encode(value)
        if isinstance(value, float) and data == b"null":
            return repr(value)
        return data.decode()
    except (msgspec.MsgspecError, UnicodeError, TypeError, ValueError, OverflowError, RecursionError):
        return ascii(value)


def _difference(
    session: str, task: str | None, field: str, source: str | None, target: str | None
) -> FieldDifference:
    return FieldDifference(session=session, task=task, field=field, source=_cut(source), target=_cut(target))


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= MOST_CHARACTERS:
        return text
    return text[:MOST_CHARACTERS] + "…"
