"""The record of a reconciliation, whose parts are also what its steps hand to each other.

Names are a contract: fields may be added, none renamed. Tasks are named by the ids of their sources.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from tiergate.model import Status
from tiergate.run_record import Environment, PluginVersion, Source


class TaskRef(msgspec.Struct, frozen=True, order=True):
    """Where a task stands: the source it was read from, its session and its id."""

    source: str
    session: str
    task: str

    def __str__(self) -> str:
        return f"{self.session}/{self.task} ({self.source})"


class MatchKind(StrEnum):
    """What two tasks are to each other."""

    SAME = "same"
    DUPLICATE = "duplicate"
    COLLISION = "collision"


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Two tasks that belong together, or that share an id and do not.

    Attributes:
        a, b: the tasks, the lower reference first.
        kind: ``same`` across sessions or sources, ``duplicate`` inside one session, ``collision`` for one id
            on two texts.
        score: likeness of the texts, 0..1.
        probability: that the two are one piece of work; of a collision, that they are not.
        reason: one line for a person.
    """

    a: TaskRef
    b: TaskRef
    kind: MatchKind
    score: float
    probability: float
    reason: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found.

    Attributes:
        check: the kind of check, such as ``file`` or ``commit``.
        subject: what was looked for, as the check was given it.
        outcome: ``holds``, ``fails``, or ``unknown`` where it could not be told.
        message: one line for a person, which says what was found.
        task: the task that it speaks for or against; None for a check that only a decision tree uses.
        name: of a declared check, as decision trees call it; empty for an inferred one.
        where: ``tree`` for the working tree, ``history`` for git history; empty where it makes no difference.
        place: ``path:line`` or a commit, where there is one.
        declared: whether a person asked for it; one that was inferred from a text proves less.
    """

    check: str
    subject: str
    outcome: Literal["holds", "fails", "unknown"]
    message: str
    task: TaskRef | None = None
    name: str = ""
    where: Literal["tree", "history", ""] = ""
    place: str = ""
    declared: bool = True


class FindingKind(StrEnum):
    """What can be noticed about plans."""

    DUPLICATE = "duplicate"
    STATUS_CONFLICT = "status-conflict"
    UNPROVEN = "unproven"
    DONE_BUT_OPEN = "done-but-open"
    STALE = "stale"
    ORPHANED = "orphaned"
    OBSOLETE = "obsolete"
    SUPERSEDED = "superseded"
    COLLISION = "collision"
    BAD_DEPENDENCY = "bad-dependency"
    CYCLE = "cycle"
    WRONG_PROGRESS = "wrong-progress"
    UNPLANNED = "unplanned"
    CONTRADICTION = "contradiction"


Severity = Literal["critical", "high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""Worst first."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should know about the plans.

    Attributes:
        tasks: what it is about; a finding about a whole session names it in `session` and may name no task.
        message: one line: what is wrong, and by which facts.
        evidence: what was checked.
        session: ``source`` and ``session`` of the session, where it is about a whole one.
        hint: what to do about it.
    """

    kind: FindingKind
    severity: Severity
    tasks: tuple[TaskRef, ...]
    message: str
    evidence: tuple[Evidence, ...] = ()
    session: tuple[str, str] | None = None
    hint: str = ""


class TraceStep(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule said when it was asked.

    Attributes:
        rule: its name.
        said: its reason, whether it decided or passed.
        decided: whether the chain ended here.
    """

    rule: str
    said: str
    decided: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one task that a decision sets.

    Attributes:
        field: ``status``, another field of a task, or ``merged_into`` with a `TaskRef` as its value (the task
            is then carried on by another one).
        before, after: the values, as JSON would have them.
    """

    task: TaskRef
    field: str
    before: Any
    after: Any


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What follows, and why.

    Attributes:
        tasks: the tasks that it is about.
        rule: which rule decided; ``ask`` where a person has to.
        outcome: one line for a person.
        trace: every rule that was asked, in order.
        question: its id, the same in every run over the same plans, so that an answer can be kept.
        field: which field was in question; empty for a decision about whole tasks.
        changes: what it changes; empty where all agree already, or where a person is asked.
        options: of a question for a person, the values to choose from, as JSON would have them.
    """

    tasks: tuple[TaskRef, ...]
    rule: str
    outcome: str
    trace: tuple[TraceStep, ...]
    question: str = ""
    field: str = ""
    changes: tuple[Change, ...] = ()
    options: tuple[Any, ...] = ()


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks of a session have each status."""

    queued: int = 0
    active: int = 0
    blocked: int = 0
    completed: int = 0
    abandoned: int = 0


class SessionAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """One session of one source.

    Attributes:
        id: of the session, in the source.
        role: ``primary``, ``secondary``, ``duplicate`` or ``obsolete``, with the reason in `why`.
        claimed: progress that the source states, 0..1; None where it states none.
        actual: completed tasks over all that are not abandoned, 0..1.
        priority: the word of the source, or ``""``.
    """

    source: str
    id: str
    role: Literal["primary", "secondary", "duplicate", "obsolete"]
    claimed: float | None
    actual: float
    priority: str
    title: str = ""
    why: str = ""
    counts: Progress = Progress()


class MatrixEntry(msgspec.Struct, frozen=True, kw_only=True):
    """How a task stands to an item of a list of wishes, such as a list of optimisations.

    Attributes:
        task: None for an item that no session has.
        relation: ``covers`` (the same work), ``overlaps`` (they touch the same), ``none``.
        action: ``merge``, ``extend``, ``add``, ``keep``.
    """

    task: TaskRef | None
    item: TaskRef
    relation: Literal["covers", "overlaps", "none"]
    action: Literal["merge", "extend", "add", "keep"]
    probability: float
    why: str = ""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """How long work takes, in hours of work; a working day has 8. `stated` is false where it was guessed."""

    low_h: float
    likely_h: float
    high_h: float
    stated: bool = False


class PlannedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the roadmap.

    Attributes:
        task: where it stands.
        blocked_by: tasks that must be completed before, the direct ones.
        quick_win: whether it is short and free to begin.
        estimate: None where nothing is known.
    """

    task: TaskRef
    title: str
    status: Status
    blocked_by: tuple[TaskRef, ...] = ()
    quick_win: bool = False
    estimate: Estimate | None = None


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks of which each can begin when the phases before are done.

    Attributes:
        tasks: in the order in which to take them.
        side_by_side: groups of `tasks` that do not wait for each other.
        beside: names of phases that may run at the same time.
    """

    name: str
    tasks: tuple[PlannedTask, ...]
    why: str = ""
    estimate: Estimate | None = None
    side_by_side: tuple[tuple[TaskRef, ...], ...] = ()
    beside: tuple[str, ...] = ()


class Roadmap(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of all open work, ordered by dependencies.

    Attributes:
        critical_path: the chain of tasks that takes longest.
        undecided: tasks that have no place yet because a person is asked about them.
    """

    phases: tuple[Phase, ...]
    critical_path: tuple[TaskRef, ...]
    undecided: tuple[TaskRef, ...] = ()
    estimate: Estimate | None = None


class NextCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command to run next, and why."""

    command: str
    why: str


class ReconcileRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What was found true of several plans, and what follows.

    Attributes:
        matches: what is held to be true.
        review: pairs that a person should look at, likeliest first.
        decisions: of everything that was in question; those of the rule ``ask`` are open.
        applied: address of the store that the merged plan was written to, or None.
    """

    schema: Literal["tiergate.reconcile/1"] = "tiergate.reconcile/1"
    created_at: str
    duration_s: float
    command: list[str]
    environment: Environment
    sources: list[Source]
    sessions: list[SessionAnalysis]
    matches: list[Match]
    findings: list[Finding]
    decisions: list[Decision]
    roadmap: Roadmap
    matrix: list[MatrixEntry] = []
    review: list[Match] = []
    evidence: list[Evidence] = []
    titles: list[tuple[TaskRef, str]] = []
    next: list[NextCommand] = []
    plugins: list[PluginVersion] = []
    remarks: list[str] = []
    applied: str | None = None
