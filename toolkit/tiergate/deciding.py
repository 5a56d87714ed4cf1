"""What a rule that decides is given and gives: everything that is known, one question, and a ruling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from tiergate.matching import Matched, Plan
from tiergate.reconcile_record import Evidence, Finding, TaskRef

__all__ = ["SET_FIELDS", "Inquiry", "Option", "Question", "Rule", "Ruling", "evidence_about", "folded"]

SET_FIELDS = frozenset({"labels", "dependencies"})
"""Fields whose value is a list in which the order says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Everything that is known about the plans. Each step of a reconciliation adds its part.

    Attributes:
        plans: the sources that were given.
        now: what ages are counted from, with an offset.
        wishes: lists of items that sessions are held against, such as a list of optimisations.
        base: an earlier state of the plans, from which they have gone apart.
        matched: matches among the tasks of `plans` and of `wishes`.
        evidence: what was checked.
        findings: what was noticed.
    """

    plans: tuple[Plan, ...]
    now: datetime
    wishes: tuple[Plan, ...] = ()
    base: tuple[Plan, ...] = ()
    matched: Matched = field(default_factory=Matched)
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """What one task says in a question; `updated_at` as its source wrote it."""

    task: TaskRef
    value: Any
    updated_at: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A field that tasks which are one piece of work do not agree on, or one task whose status is in doubt.

    Attributes:
        id: the same in every run over the same plans.
        field: such as ``status``; ``same`` asks whether two tasks are one piece of work (the values are
            then ``same`` and ``apart``).
        options: what each task says, sorted by task.
        base: what the base says, where `has_base`.
    """

    id: str
    field: str
    options: tuple[Option, ...]
    base: Any = None
    has_base: bool = False


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says. ``value`` counts only where `decided`; `reason` is always given."""

    reason: str
    decided: bool = False
    value: Any = None


class Rule(Protocol):
    """A function that settles a question or passes it on; it never guesses."""

    def __call__(self, question: Question, inquiry: Inquiry, /) -> Ruling:
        """Rule on one question."""


def folded(name: str, value: Any) -> Any:
    """What a value of a field says, whatever its spelling: two values agree where this is equal.

    Case and white space of a text make no difference, nor does the offset in which a time is written, nor the
    order of a set.
    """
    if isinstance(value, str):
        return _folded_text(value)
    if isinstance(value, list | tuple):
        if name == "dependencies":  # ids, of which two may differ in case alone
            return frozenset(map(str, value))
        return (frozenset if name in SET_FIELDS else tuple)(folded("", one) for one in value)
    if isinstance(value, dict):
        return tuple(sorted((str(key), folded("", one)) for key, one in value.items()))
    return value


@lru_cache(maxsize=4096)
def _folded_text(text: str) -> str | float:
    if len(text) >= _SHORTEST_TIME and text[:4].isdecimal():
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return time.timestamp() if time.tzinfo else time.isoformat()
    return " ".join(text.split()).casefold()


_SHORTEST_TIME = len("2026-01-01T00:00")


def evidence_about(inquiry: Inquiry, tasks: Iterable[TaskRef]) -> list[Evidence]:
    """What was checked for or against these tasks, nothing twice, in an order that hangs on no other one."""
    global _indexed  # noqa: PLW0603 - one place for the last inquiry: a run asks about one, thousands of times
    if _indexed[0] is not inquiry.evidence:
        by_task: dict[TaskRef, list[int]] = defaultdict(list)
        for place, one in enumerate(inquiry.evidence):
            if one.task is not None:
                by_task[one.task].append(place)
        _indexed = (inquiry.evidence, by_task)
    by_task = _indexed[1]
    places = {place for task in tasks for place in by_task.get(task, ())}
    return sorted((inquiry.evidence[place] for place in places), key=_evidence_key)


def _evidence_key(one: Evidence) -> tuple[Any, ...]:
    return (not one.declared, one.name, one.check, one.subject, one.where, one.outcome, one.message, one.task)


_indexed: tuple[tuple[Evidence, ...], dict[TaskRef, list[int]]] = ((), {})
