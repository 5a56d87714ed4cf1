"""Records of a reconciliation: an empty one, and one that has something of everything."""

from __future__ import annotations

from tiergate.matching import Match, MatchKind, TaskRef
from tiergate.model import Status
from tiergate.reconcile_record import (
    Decision,
    Estimate,
    Finding,
    FindingKind,
    MatrixEntry,
    NextCommand,
    Phase,
    PlannedTask,
    Progress,
    Roadmap,
    SessionAnalysis,
    TraceStep,
)
from tiergate.record import Environment, ReconcileRecord, Source

A, B = TaskRef("plans/a.md", "S", "1"), TaskRef("plans/b.md", "T", "2")


def make_record(**parts: object) -> ReconcileRecord:
    machine = Environment(python="3", platform="p", cpu="c", cores=2, load_avg=0.0, git_commit=None)
    empty: dict[str, object] = {
        "created_at": "2026-01-31T00:00:00+00:00",
        "duration_s": 1.5,
        "command": ["tiergate", "reconcile", "a.md"],
        "environment": machine,
        "sources": [Source(path=ref.source, format="markdown", sessions=1, tasks=1) for ref in (A, B)],
        "sessions": [],
        "matches": [],
        "findings": [],
        "decisions": [],
        "roadmap": Roadmap(phases=(), critical_path=()),
    }
    return ReconcileRecord(**{**empty, **parts})  # type: ignore[arg-type]


def full(text: str) -> ReconcileRecord:
    """A record with something of everything, every text of which is this one."""
    one = PlannedTask(
        task=A,
        title=text,
        status=Status.ACTIVE,
        estimate=Estimate(low_h=1, likely_h=1.5, high_h=2, stated=True),
    )
    two = PlannedTask(task=B, title=text, status=Status.QUEUED, blocked_by=(A,), quick_win=True)
    return make_record(
        sessions=[
            SessionAnalysis(
                source=A.source,
                id="S",
                role="primary",
                claimed=0.83,
                actual=0.17,
                priority="high",
                title=text,
                why=text,
                counts=Progress(completed=1, queued=5),
            )
        ],
        matches=[Match(a=A, b=B, kind=MatchKind.SAME, score=0.9, probability=0.95, reason=text)],
        findings=[
            Finding(kind=FindingKind.DUPLICATE, severity="critical", tasks=(A, B), message=text, hint=text),
            Finding(kind=FindingKind.STALE, severity="medium", tasks=(A,), message=text),
        ],
        decisions=[
            Decision(
                tasks=(A,), rule="ask", outcome=text, trace=(), question="q", options=("completed", text)
            ),
            Decision(
                tasks=(A, B),
                rule="newest",
                outcome=text,
                trace=(TraceStep(rule="newest", said=text, decided=True),),
            ),
        ],
        roadmap=Roadmap(
            phases=(Phase(name=text, tasks=(one, two), why=text, estimate=one.estimate),),
            critical_path=(A, B),
            estimate=one.estimate,
        ),
        matrix=[MatrixEntry(task=None, item=B, relation="none", action="add", probability=1.0, why=text)],
        titles=[(A, text), (B, text)],
        next=[NextCommand(command=f"tiergate {text}", why=text)],
        remarks=[text],
    )
