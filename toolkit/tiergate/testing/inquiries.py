"""Values to test decision rules with: plans, matches, evidence, questions and whole inquiries."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tiergate.deciding import Inquiry, Option, Question
from tiergate.matching import Matched, Plan
from tiergate.model import Session, Status, Task
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


def varied_questions(seed: int, count: int) -> list[tuple[Question, Inquiry]]:
    """Questions about every field, each with what is known around it. The same seed gives the same ones.

    Times are missing, unreadable, without an offset and in the future too.
    """
    draw = random.Random(f"questions {seed}")
    return [_varied(draw) for _ in range(count)]


_VALUES: Mapping[str, Sequence[Any]] = {
    "status": tuple(status.value for status in Status),
    "title": ("Write it", "write  IT", "Test it", ""),
    "notes": ("", "as before", "line\nline"),
    "weight": (0.0, 1.0, 2.5),
    "dependencies": ([], ["1"], ["2", "1"]),
    "labels": ([], ["x"], ["X", "y"]),
}
_TIMES = (
    None,
    "2025-11-17T10:00:00Z",
    "2025-11-17T12:00:00+02:00",
    "2025-11-18",
    "soon",
    "2225-01-01T00:00:00Z",
)


def _varied(draw: random.Random) -> tuple[Question, Inquiry]:
    field = draw.choice(list(_VALUES))
    values = [draw.choice(_VALUES[field]) for _ in range(draw.randint(1, 3))]
    base = draw.choice((NO_BASE, draw.choice(_VALUES[field])))
    question = make_question(field, values, base=base, times=[draw.choice(_TIMES) for _ in values])
    found = [
        make_evidence(
            draw.choice(("holds", "fails", "unknown")),
            draw.choice(question.options).task,
            subject=draw.choice(("a.py", "b.py")),
            where=draw.choice(("tree", "history")),
            declared=draw.random() < 0.5,
        )
        for _ in range(draw.randint(0, 3))
    ]
    return question, make_inquiry(evidence=found)
