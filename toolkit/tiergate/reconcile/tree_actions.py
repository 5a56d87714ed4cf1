"""The actions of a decision tree: what each is called, what it takes, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tiergate.errors import UsageError, unknown_name
from tiergate.model import Status
from tiergate.reconcile.tree_lines import Lines


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a branch.

    Attributes:
        kind: one of `KINDS`.
        subject: what stands after the kind: a status, tasks, sessions, a task or a title.
        options: the other keys, as they were read.
        because: one line for a person.
    """

    kind: str
    subject: Any
    options: Mapping[str, Any]
    because: str
    line: int


def _text(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) and value.strip() else None


def _texts(value: Any) -> Any:
    values = [value] if isinstance(value, str) else value
    good = isinstance(values, list) and values and all(isinstance(one, str) and one for one in values)
    return tuple(values) if good else None


def _status(value: Any) -> Any:
    return Status(value) if isinstance(value, str) and value in list(Status) else None


_Reader = tuple[Callable[[Any], Any], str]
_TEXT: _Reader = (_text, "a text")
_TASKS: _Reader = (_texts, 'tasks, as in ["SESSION/TASK", "SESSION/*"]')
_TASK: _Reader = (_text, 'a task, as in "SESSION/TASK"')
_SESSIONS: _Reader = (_texts, "the id of a session, or a list of them")

KINDS: Mapping[str, tuple[_Reader, Mapping[str, _Reader], frozenset[str]]] = {
    "set": ((_status, f"a status: {', '.join(Status)}"), {"tasks": _TASKS}, frozenset({"tasks"})),
    "merge": (_TASKS, {"into": _TASK}, frozenset({"into"})),
    "abandon": (_SESSIONS, {"except": _TASKS}, frozenset()),
    "close": (_SESSIONS, {"except": _TASKS}, frozenset()),
    "continue": (_TASK, {}, frozenset()),
    "add": (
        (_text, "the title of a task"),
        {
            "session": _TEXT,
            "estimate": _TEXT,
            "id": _TEXT,
            "notes": _TEXT,
            "needs": _TASKS,
            "needed_by": _TASKS,
        },
        frozenset({"session", "estimate"}),
    ),
}
"""Of each kind of action, what stands after it, the other keys that it takes, and which of them it needs."""


def read_action(table: Any, message: str, path: str, lines: Lines, after: int) -> Action:
    """Read an action.

    Args:
        message: of its branch, for an action that has no ``because``.
        after: a line before it.

    Raises:
        UsageError: it is none, or has a key too many, too few, or with a wrong value.
    """
    kinds = [key for key in table if key in KINDS] if isinstance(table, dict) else []
    if len(kinds) != 1:
        hint = f"a table with one of {', '.join(KINDS)}"
        raise UsageError(f"{table!r} is no action", where=f"{path}:{after}", hint=hint)
    [kind] = kinds
    subject, takes, needs = KINDS[kind]
    line = lines.of_key(kind, after)
    for key in table:
        if key not in (kind, "because", *takes):
            raise unknown_name(f"key of {kind!r}", key, {"because", *takes}, where=f"{path}:{line}")
    missing = sorted(needs - set(table))
    if missing:
        raise UsageError(f"{kind!r} needs `{missing[0]}`", where=f"{path}:{line}")

    def read(key: str, reader: _Reader) -> Any:
        value = reader[0](table[key])
        if value is None:
            raise UsageError(f"`{key}` must be {reader[1]}, not {table[key]!r}", where=f"{path}:{line}")
        return value

    options = {key: read(key, reader) for key, reader in takes.items() if key in table}
    because = read("because", _TEXT) if "because" in table else message
    return Action(kind, read(kind, subject), options, because, line)
