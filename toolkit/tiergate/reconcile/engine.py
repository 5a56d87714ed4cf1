"""A reconciliation from plans to what follows from them: every step a function from values to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tiergate.deciding import Inquiry
from tiergate.errors import UsageError
from tiergate.evidence import Check, Root
from tiergate.hooks import DecisionRuleDeclaration, EvidenceCheckDeclaration, MatcherDeclaration
from tiergate.matching import Matched, Plan, Progress
from tiergate.reconcile.adding import with_added
from tiergate.reconcile.analysis import analyse
from tiergate.reconcile.answers import Answer, unused
from tiergate.reconcile.deciding_chain import decide
from tiergate.reconcile.decision_tree import DecisionTree
from tiergate.reconcile.findings import STALE_DAYS, View, find
from tiergate.reconcile.findings.consequences import with_consequences
from tiergate.reconcile.gathering import gather
from tiergate.reconcile.inferring import inferred, is_their_root
from tiergate.reconcile.matrix import matrix
from tiergate.reconcile.merging import Merged, merge
from tiergate.reconcile.roadmap import make_roadmap
from tiergate.reconcile.soundness import require_sound
from tiergate.reconcile_record import Decision, Finding, MatrixEntry, Roadmap, SessionAnalysis


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the steps work with; all of it comes from plugins.

    Attributes:
        checks: the kinds of evidence by name.
    """

    matcher: MatcherDeclaration
    checks: Mapping[str, EvidenceCheckDeclaration]
    rules: Sequence[DecisionRuleDeclaration]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is reconciled, and with what.

    Attributes:
        plans: the sources, the first one heard first where nothing decides.
        wishes: lists of items that the sessions are held against.
        base: an earlier state of the plans.
        root: where evidence is looked for; None to look for none.
        checks: that a person asked for.
        infers: whether texts are searched for what they name.
        tree: the project's own decision tree.
        answers: that a person gave before.
    """

    plans: Sequence[Plan]
    now: datetime
    wishes: Sequence[Plan] = ()
    base: Sequence[Plan] = ()
    root: Root | None = None
    checks: Sequence[Check] = ()
    infers: bool = True
    tree: DecisionTree | None = None
    answers: Sequence[Answer] = ()
    stale_days: float = STALE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that was found out; `Inquiry` has plans, matches, evidence and findings."""

    inquiry: Inquiry
    sessions: Sequence[SessionAnalysis]
    matrix: Sequence[MatrixEntry]
    decisions: Sequence[Decision]
    merged: Merged
    roadmap: Roadmap
    remarks: Sequence[str] = field(default=())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed, the worst first."""
        return self.inquiry.findings


def reconcile(question: Question, tools: Tools, progress: Progress | None = None) -> Outcome:
    """Find out what is true of the plans, and what follows.

    Raises:
        UsageError: the decision tree or an answer names what is not there.
        SourceError: the git history cannot be read.
    """
    inquiry = _noticed(question, tools, progress)
    view = View(inquiry)
    sessions, relations = analyse(view, inquiry.findings), matrix(view)
    decisions = decide(inquiry, tools.rules, question.tree, question.answers)
    merged = merge(*_grown(inquiry, decisions))
    inquiry = replace(inquiry, findings=with_consequences(inquiry, merged))
    roadmap, remarks = make_roadmap(
        merged.sessions,
        merged.origins,
        decisions=decisions,
        findings=inquiry.findings,
        wishes=question.wishes,
        matrix=relations,
        roles={one.id: one.role for one in sessions},
    )
    return Outcome(
        inquiry=inquiry,
        sessions=sessions,
        matrix=relations,
        decisions=decisions,
        merged=merged,
        roadmap=roadmap,
        remarks=[*remarks, *unused(question.answers, decisions)],
    )


def _grown(
    inquiry: Inquiry, decisions: Sequence[Decision]
) -> tuple[Sequence[Plan], Matched, Sequence[Decision]]:
    plans, left = with_added(inquiry.plans, decisions)
    return plans, inquiry.matched, left


def _noticed(question: Question, tools: Tools, progress: Progress | None) -> Inquiry:
    """Everything up to the findings."""
    plans, wishes = tuple(question.plans), tuple(question.wishes)
    _require_apart([*plans, *wishes])
    matched: Matched = tools.matcher.match([*plans, *wishes], progress)
    require_sound(matched, [*plans, *wishes], tools.matcher.name)
    inquiry = Inquiry(
        plans=plans, now=question.now, wishes=wishes, base=tuple(question.base), matched=matched
    )
    if question.root is not None:
        evidence = gather(question.checks, question.root, tools.checks, progress)
        if question.infers:
            checks = inferred(View(inquiry).tasks, question.root.files())
            found = gather(checks, question.root, tools.checks, progress)
            evidence += found if is_their_root(found) else []
        inquiry = replace(inquiry, evidence=tuple(evidence))
    if progress is not None:
        progress("findings", 0, 1)
    return replace(inquiry, findings=find(inquiry, stale_days=question.stale_days))


def _require_apart(plans: Sequence[Plan]) -> None:
    names = [plan.source for plan in plans]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError("the source is given twice", where=twice, hint="name each source once")
