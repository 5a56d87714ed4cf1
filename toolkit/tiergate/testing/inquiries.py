"""Values to test decision rules with: plans, matches, evidence, questions and whole inquiries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from tiergate.deciding import Inquiry, Option, Question
from tiergate.matching import Matched, Plan
from tiergate.model import Session, Task
from tiergate.reconcile_record import Evidence, Match, MatchKind, TaskRef

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The moment from which inquiries made here count ages."""

NO_BASE = object()
"""Says that a question has no base; None is a value that a base may have."""


def make_ref(name: str, source: str = "one") -> TaskRef:
    """The task that ``SESSION/TASK`` names, in a source."""
    session, _, task = name.partition("/")
    return TaskRef(source, session, task)


def make_plan(source: str, session: str, tasks: Iterable[Task], **extra: Any) -> Plan:
    """A source with one session, and what its `extra` says."""
    return Plan(source=source, sessions=(Session(id=session, tasks=tuple(tasks), extra=extra),))


def make_match(one: TaskRef, other: TaskRef, probability: float = 0.99) -> Match:
    """That two tasks are the same, as likely as that."""
    a, b = sorted((one, other))
    kind = MatchKind.SAME if (a.source, a.session) != (b.source, b.session) else MatchKind.DUPLICATE
    return Match(a=a, b=b, kind=kind, score=probability, probability=probability, reason="made for a test")


def make_evidence(outcome: str, task: TaskRef | None = None, **fields: Any) -> Evidence:
    """What a check found; a declared check of a file in the tree unless said otherwise."""
    given: dict[str, Any] = {"check": "file", "subject": "a.py", "where": "tree", **fields}
    message = given.pop("message", f"{given['subject']} {outcome}")
    return Evidence(outcome=outcome, message=message, task=task, **given)  # type: ignore[arg-type]


def make_question(
    field: str, values: Sequence[Any], *, base: Any = NO_BASE, times: Sequence[str | None] = ()
) -> Question:
    """A question of as many tasks as values, one a source, changed at these times."""
    updated = [*times, *[None] * (len(values) - len(times))]
    options = tuple(
        Option(task=make_ref("s/t", f"source{number}"), value=value, updated_at=updated[number])
        for number, value in enumerate(values)
    )
    known = base is not NO_BASE
    return Question(
        id=f"{field}:s/t:0", field=field, options=options, base=base if known else None, has_base=known
    )


def make_inquiry(
    plans: Sequence[Plan] = (),
    matches: Iterable[Match] = (),
    evidence: Iterable[Evidence] = (),
    base: Sequence[Plan] = (),
) -> Inquiry:
    """An inquiry at `NOW`."""
    return Inquiry(
        plans=tuple(plans),
        now=NOW,
        base=tuple(base),
        matched=Matched(matches=tuple(matches)),
        evidence=tuple(evidence),
    )
