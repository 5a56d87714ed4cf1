"""Taking apart records of other tools without losing a field.

A record is copied into a dictionary; what has a place in a task is taken out of it, and what
remains, including a field of an unexpected type, becomes ``extra``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tiergate.model import Status, Task

_NAMED = 5
_PRIORITIES = {"critical": 4.0, "high": 3.0, "medium": 2.0, "low": 1.0}

PRIORITY_WORDS = {weight: word for word, weight in _PRIORITIES.items()}
"""The word of each weight, as `priority_weight` reads it."""


def take_text(fields: dict[str, Any], name: str) -> str | None:
    """Take out a text; a missing field or another type gives None and stays where it is."""
    value = fields.get(name)
    if not isinstance(value, str):
        return None
    del fields[name]
    return value


def take_texts(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    """Take out a list of texts; a missing field or anything else gives none and stays where it is."""
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return ()
    del fields[name]
    return tuple(value)


def name_of(value: Any) -> str:
    """An id or a reference as text; empty for what is neither a whole number nor a text."""
    return str(value) if whole(value) else value.strip() if isinstance(value, str) else ""


def whole(value: Any) -> bool:
    """Whether a value is a whole number; JSON's true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(slots=True)
class Statuses:
    """Maps the status words of a source, and remembers which it met.

    Attributes:
        known: the words of the format in lower case, and what each becomes.
        met: every word of the source as written, and what it became.
    """

    known: Mapping[str, Status]
    met: dict[str, Status] = field(default_factory=dict)
    _unknown: Counter[str] = field(default_factory=Counter)
    _missing: int = 0

    def take(self, fields: dict[str, Any]) -> tuple[Status, str | None]:
        """Take out ``status``: what it becomes, and the word. An unknown word becomes `queued`."""
        word = take_text(fields, "status")
        if word is None:
            self._missing += 1
            return Status.QUEUED, None
        status = self.known.get(word.strip().casefold())
        if status is None:
            self._unknown[word] += 1
            status = Status.QUEUED
        self.met[word] = status
        return status, word

    def notes(self) -> list[str]:
        """One line for each word that was unknown, and one for tasks without a status."""
        known = ", ".join(self.known)
        lines = [
            f"unknown status {word!r}: {count_of(count, 'task')} queued, the word is kept (known: {known})"
            for word, count in sorted(self._unknown.items())
        ]
        if self._missing:
            lines.append(f"no status: {count_of(self._missing, 'task')} queued")
        return lines


def dangling_note(tasks: Iterable[Task], place: str) -> list[str]:
    """A line about dependencies on tasks that are not among these, if there are any."""
    tasks = list(tasks)
    ids = {task.id for task in tasks}
    missing = [name for task in tasks for name in task.dependencies if name not in ids]
    if not missing:
        return []
    names = some(sorted(set(missing)))
    return [f"{place}: {count_of(len(missing), 'dependency')} on absent tasks, kept as written: {names}"]


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "a truth value"}
    return kinds.get(type(value), "a number")


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def count_of(count: int, noun: str) -> str:
    """A count with its noun, ``1 task`` or ``2 tasks``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def priority_weight(word: Any) -> float:
    """The weight of a priority in words: critical 4, high 3, medium 2, low 1; any other 1."""
    return _PRIORITIES.get(word.strip().casefold(), 1.0) if isinstance(word, str) else 1.0
