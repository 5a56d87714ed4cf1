"""What a rule that decides is given and gives: everything that is known, one question, and a ruling."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from tiergate.matching import Matched, Plan
from tiergate.reconcile_record import Evidence, Finding, TaskRef

__all__ = ["Inquiry", "Option", "Question", "Rule", "Ruling"]


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
        field: such as ``status``.
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

    def __call__(self, question: Question, inquiry: Inquiry) -> Ruling:
        """Rule on one question."""
