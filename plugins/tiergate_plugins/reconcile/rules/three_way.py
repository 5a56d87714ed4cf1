"""Three-way merge: what only one side has changed since the base wins, as version control does with lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tiergate.deciding import SET_FIELDS, Inquiry, Question, Ruling, folded
from tiergate.hooks import DecisionRuleDeclaration, hookimpl


def rule(question: Question, _inquiry: Inquiry) -> Ruling:
    """Rule on any field by the base; what was changed in two ways is passed on.

    Sets are merged element by element: one that a side has added is in, one that a side has removed is out.
    Without a base nothing is known to have been removed, so all elements are kept.
    """
    if question.field in SET_FIELDS:
        return _of_sets(question)
    if not question.has_base:
        return Ruling(reason="no base: it is not known which side has changed it")
    before = folded(question.field, question.base)
    changed: dict[Any, list[Any]] = {}
    for option in question.options:
        says = folded(question.field, option.value)
        if says != before:
            changed.setdefault(says, []).append(option)
    if len(changed) == 1:
        [sides] = changed.values()
        who = ", ".join(str(option.task) for option in sides)
        verb = "has" if len(sides) == 1 else "have"
        reason = f"only {who} {verb} changed it since the base, from {question.base!r} to {sides[0].value!r}"
        return Ruling(decided=True, value=sides[0].value, reason=reason)
    if changed:
        ways = " and to ".join(repr(sides[0].value) for sides in changed.values())
        return Ruling(reason=f"it was changed in {len(changed)} ways since the base: to {ways}")
    return Ruling(reason=f"nobody has changed it since the base, where it is {question.base!r}")


def _of_sets(question: Question) -> Ruling:
    sides = [_elements(question.field, option.value) for option in question.options]
    before = _elements(question.field, question.base) if question.has_base else {}
    everything = {key: spelled for side in (before, *reversed(sides)) for key, spelled in side.items()}
    order = dict.fromkeys(key for side in (*sides, before) for key in side)
    removed = [key for key in before if any(key not in side for side in sides)]
    added = [key for key in order if key not in before]
    merged = [everything[key] for key in order if key not in removed]
    if not question.has_base:
        reason = f"no base, so nothing is known to have been removed: all of {_list(merged)} are kept"
        return Ruling(decided=True, value=merged, reason=reason)
    reason = (
        f"since the base {_list(everything[key] for key in added)} came in and "
        f"{_list(everything[key] for key in removed)} went out"
    )
    return Ruling(decided=True, value=merged, reason=reason)


def _elements(name: str, value: Any) -> dict[Any, str]:
    """The elements of a list by what they say; the first spelling counts."""
    found: dict[Any, str] = {}
    for element in value or ():
        [key] = folded(name, [element])
        found.setdefault(key, element)
    return found


def _list(values: Any) -> str:
    return ", ".join(map(str, values)) or "nothing"


@hookimpl
def tiergate_decision_rules() -> Iterator[DecisionRuleDeclaration]:
    """The rule of this module."""
    yield DecisionRuleDeclaration(
        name="three-way", summary="what only one side has changed since the base wins", rank=200, rule=rule
    )
