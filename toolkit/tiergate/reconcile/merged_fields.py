"""One task of several: which value of each field is kept, and where the others go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from tiergate.model import Session, Task
from tiergate.reconcile.identities import ALSO_KNOWN_AS, aliases, is_aliases
from tiergate.reconcile.merged_verdicts import NOTHING, UNDECIDED, Verdict, decided

OTHER_VALUES = "other_values"
"""Where ``extra`` keeps what other sources say of a field, by the field's name."""

_COMPARED = {"title": "", "notes": "", "weight": 1.0, "dependencies": ()}
"""Fields of which every other value is kept, and the value that says nothing."""
_FIRST = {"momentum": 0.0, "created_at": None, "updated_at": None}
"""Fields that sources measure for themselves: the first that states one is heard, the others are not."""
_OWN = (OTHER_VALUES, UNDECIDED)

_Others = dict[str, list[Any]]


def merged_task(tasks: Sequence[Task], new_id: str, verdict: Verdict) -> Task:
    """The task that several become.

    The first source that states a field is heard, and what others say of it is kept beside it; a decision
    overrules them all. Labels are put together. The source's own word for the status goes with the status.

    Args:
        tasks: as their sources have them, in the order of the sources; dependencies name merged tasks.
    """
    first = tasks[0]
    if len(tasks) == 1 and verdict is NOTHING and new_id == first.id:
        return first
    others: _Others = {}
    kept = {name: _heard(tasks, name, none, others) for name, none in _COMPARED.items()}
    kept |= {name: _heard(tasks, name, none, {}) for name, none in _FIRST.items()}
    _add(others, "status", [one.status.value for one in tasks if one.status is not first.status])
    more = dict.fromkeys(label for one in tasks for label in one.labels if label not in first.labels)
    merged = replace(
        first,
        id=new_id,
        labels=(*first.labels, *more),
        extra=_extra([one.extra for one in tasks], others),
        **kept,
    )
    merged = decided(merged, verdict)
    if names := aliases(tasks, new_id, merged.title):
        merged = replace(merged, extra=_set_aside(merged.extra, ALSO_KNOWN_AS, names, others))
    words = [one.source_status for one in tasks if one.status is merged.status]
    merged = replace(merged, source_status=next(filter(None, words), words[0] if words else None))
    for name in verdict.settled:
        others.pop(name, None)
        others.pop(f"extra.{name}", None)
    return replace(merged, extra=_with_own(merged, others, _questions(tasks, verdict)))


def merged_session(sessions: Sequence[Session], tasks: tuple[Task, ...]) -> Session:
    """The session that several of one id become, with these tasks; its version is 0."""
    if len(sessions) == 1:
        return replace(sessions[0], version=0, tasks=tasks)
    others: _Others = {}
    kept = {"title": _heard(sessions, "title", "", others)}
    kept |= {name: _heard(sessions, name, None, {}) for name in ("created_at", "updated_at")}
    extra = _extra([one.extra for one in sessions], others)
    merged = replace(sessions[0], version=0, tasks=tasks, extra=extra, **kept)
    return replace(merged, extra=_with_own(merged, others, _kept_questions(sessions[0].extra)))


def _heard(sources: Sequence[Task] | Sequence[Session], name: str, none: Any, others: _Others) -> Any:
    """What the first source says that says anything; the others' values are added to `others`."""
    stated = [value for one in sources if (value := getattr(one, name)) != none]
    if not stated:
        return getattr(sources[0], name)
    _add(others, name, [_plain(value) for value in stated if value != stated[0]])
    return stated[0]


def _extra(extras: Sequence[Mapping[str, Any]], others: _Others) -> dict[str, Any]:
    """All keys together; the first source that has one is heard."""
    merged: dict[str, Any] = {}
    for extra in extras:
        for name, value in extra.items():
            if name == OTHER_VALUES and _is_others(value):
                for key, values in value.items():
                    _add(others, key, values)
            elif (name == UNDECIDED and _is_questions(value)) or (
                name == ALSO_KNOWN_AS and is_aliases(value)
            ):
                continue
            elif name not in merged:
                merged[name] = value
            elif merged[name] != value:
                _add(others, f"extra.{name}", [value])
    return merged


def _questions(tasks: Sequence[Task], verdict: Verdict) -> list[dict[str, Any]]:
    """What is still in question: what was so before and is not decided now, and what is asked now."""
    known = verdict.questions | {one["question"] for one in verdict.open if one.get("question")}
    before = [
        one
        for task in tasks
        for one in _kept_questions(task.extra)
        if one.get("question") not in known and one["field"] not in verdict.settled
    ]
    return _without([*before, *verdict.open], None)


def _with_own(merged: Task | Session, others: _Others, questions: list[dict[str, Any]]) -> dict[str, Any]:
    """What `extra` becomes with that which is not settled."""
    extra = _set_aside(merged.extra, UNDECIDED, questions, others) if questions else merged.extra
    left: _Others = {}
    for name, values in others.items():
        key = name.removeprefix("extra.")
        _add(
            left,
            name,
            _without(values, _plain(getattr(merged, name, None)) if key == name else extra.get(key)),
        )
    if not left:
        return extra
    if OTHER_VALUES in extra:
        _add(left, f"extra.{OTHER_VALUES}", [extra[OTHER_VALUES]])
    return {**extra, OTHER_VALUES: left}


def _set_aside(extra: dict[str, Any], name: str, value: Any, others: _Others) -> dict[str, Any]:
    """Set a key; what a source has under that name with another meaning goes to the other values."""
    if name in extra and extra[name] != value:
        _add(others, f"extra.{name}", [extra[name]])
    return {**extra, name: value}


def _add(others: _Others, name: str, values: Sequence[Any]) -> None:
    if values:
        others[name] = _without([*others.get(name, []), *values], None)


def _without(values: Sequence[Any], kept: Any) -> list[Any]:
    return [value for at, value in enumerate(values) if value != kept and value not in values[:at]]


def _plain(value: Any) -> Any:
    """As JSON has it, so that what is read again compares equal."""
    return list(value) if isinstance(value, tuple) else value


def _is_others(value: Any) -> bool:
    return isinstance(value, dict) and value != {} and all(isinstance(one, list) for one in value.values())


def _is_questions(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_question, value))


def _is_question(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("field"), str)
        and isinstance(value.get("question", ""), str)
    )


def _kept_questions(extra: Mapping[str, Any]) -> list[dict[str, Any]]:
    value = extra.get(UNDECIDED, [])
    return list(value) if _is_questions(value) else []
