"""What must hold of the decisions about any plans."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.deciding import SET_FIELDS, Inquiry, folded
from tiergate.matching import Plan
from tiergate.model import Session, Status, Task
from tiergate.reconcile.answers import Answer, unused
from tiergate.reconcile.deciding_chain import decide
from tiergate.reconcile.questions import Asking, questions
from tiergate.reconcile.verdicts import versions
from tiergate.reconcile_record import TaskRef
from tiergate.testing import make_evidence, make_inquiry, make_match
from tiergate_plugins.reconcile.rules import evidence, most_advanced, newest, three_way

RULES = [
    one for module in (newest, evidence, most_advanced, three_way) for one in module.tiergate_decision_rules()
]
TIMES = (
    None,
    "2025-11-17T10:00:00Z",
    "2025-11-17T12:00:00+02:00",
    "2025-11-18T09:00:00-08:00",
    "2025-11-19",
    "soon",
)
SESSIONS = ("s", "other")

tasks = st.builds(
    Task,
    id=st.sampled_from(("1", "2", "bd-a", "bd-b")),
    title=st.sampled_from(("Write it", "write  IT", "Test it", "Ship it")),
    notes=st.sampled_from(("", "how", "why")),
    status=st.sampled_from(Status),
    weight=st.sampled_from((1.0, 2.0)),
    dependencies=st.lists(st.sampled_from(("1", "2", "bd-a")), max_size=2, unique=True).map(tuple),
    labels=st.lists(st.sampled_from(("x", "y", "Z")), max_size=2, unique=True).map(tuple),
    updated_at=st.sampled_from(TIMES),
)
task_lists = st.lists(tasks, min_size=1, max_size=4, unique_by=lambda task: task.id).map(tuple)


@st.composite
def inquiries(draw: st.DrawFn) -> Inquiry:
    """A few sources, random matches among their tasks, random evidence, and maybe a base."""
    plans = [
        Plan(
            source=f"source{number}",
            sessions=(Session(id=draw(st.sampled_from(SESSIONS)), tasks=draw(task_lists)),),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    refs = [
        TaskRef(one.source, one.sessions[0].id, task.id) for one in plans for task in one.sessions[0].tasks
    ]
    pairs = draw(st.lists(st.tuples(st.sampled_from(refs), st.sampled_from(refs)), max_size=5))
    chances = st.sampled_from((0.6, 0.95, 0.95, 0.95))
    matches = {tuple(sorted(pair)): draw(chances) for pair in pairs if pair[0] != pair[1]}
    for a, b in combinations(sorted(refs), 2):
        if (a.session, a.task) == (b.session, b.task):  # they are one task in the merged plan
            matches[a, b] = 0.95
    found = [
        make_evidence(outcome, ref, declared=declared, where=where, subject=subject)
        for outcome, ref, declared, where, subject in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(("holds", "fails", "unknown")),
                    st.sampled_from(refs),
                    st.booleans(),
                    st.sampled_from(("tree", "history")),
                    st.sampled_from(("a.py", "b.py")),
                ),
                max_size=4,
            )
        )
    ]
    base = (
        [Plan(source="base", sessions=(Session(id="s", tasks=draw(task_lists)),))]
        if draw(st.booleans())
        else []
    )
    return make_inquiry(plans, [make_match(a, b, chance) for (a, b), chance in matches.items()], found, base)


def mixed(inquiry: Inquiry, draw: random.Random) -> Inquiry:
    """The same, given in another order."""
    plans = [
        Plan(
            source=plan.source,
            sessions=tuple(
                msgspec.structs.replace(one, tasks=tuple(draw.sample(one.tasks, len(one.tasks))))
                for one in plan.sessions
            ),
        )
        for plan in draw.sample(inquiry.plans, len(inquiry.plans))
    ]
    matches = draw.sample(inquiry.matched.matches, len(inquiry.matched.matches))
    found = draw.sample(inquiry.evidence, len(inquiry.evidence))
    return make_inquiry(plans, matches, found, inquiry.base)


@settings(max_examples=60, deadline=None)
@given(inquiries(), st.randoms(use_true_random=False))
def test_the_order_of_plans_tasks_matches_evidence_and_rules_changes_nothing(
    inquiry: Inquiry, draw: random.Random
) -> None:
    other = mixed(inquiry, draw)
    assert questions(inquiry) == questions(other)
    assert decide(inquiry, RULES) == decide(other, draw.sample(RULES, len(RULES)))


@settings(max_examples=60, deadline=None)
@given(inquiries())
def test_every_decision_has_a_reason_and_what_is_asked_changes_nothing(inquiry: Inquiry) -> None:
    for one in decide(inquiry, RULES):
        assert one.trace[-1].decided
        assert all(step.said for step in one.trace)
        assert one.outcome
        if one.rule == "ask":
            assert not one.changes
            assert len(one.options) >= 2
        else:
            assert one.options == ()


@settings(max_examples=60, deadline=None)
@given(inquiry=inquiries())
def test_once_the_changes_are_made_the_groups_agree_on_all_that_nobody_is_asked_about(
    applied: Any, inquiry: Inquiry
) -> None:
    decisions = decide(inquiry, RULES)
    after = Asking(applied(inquiry, decisions))
    asked = {(one.field, ref) for one in decisions if one.rule == "ask" for ref in one.tasks}
    for group in Asking(inquiry).group():
        kept = versions(group)
        for name in ("status", "title", "notes", "weight", "dependencies", "labels"):
            waits = ("status", name) if name in SET_FIELDS else (name,)
            if not any((field, ref) in asked for field in waits for ref in group.tasks):
                assert len({folded(name, getattr(after.tasks[ref].task, name)) for ref in kept}) == 1


@settings(max_examples=60, deadline=None)
@given(inquiry=inquiries())
def test_deciding_again_after_the_changes_changes_nothing_more(applied: Any, inquiry: Inquiry) -> None:
    after = applied(inquiry, decide(inquiry, RULES))
    assert [change for one in decide(after, RULES) for change in one.changes] == []


@settings(max_examples=60, deadline=None)
@given(inquiries(), st.randoms(use_true_random=False))
def test_an_answered_question_is_closed_and_every_answer_is_used_or_reported(
    inquiry: Inquiry, draw: random.Random
) -> None:
    asked = [one for one in decide(inquiry, RULES) if one.rule == "ask"]
    answers = [Answer(id=one.question, value=draw.choice(one.options), seen=one.options) for one in asked]
    decisions = decide(inquiry, RULES, answers=answers)
    open_still = {one.question for one in decisions if one.rule == "ask"}
    reported = "\n".join(unused(answers, decisions))
    for one in answers:
        assert one.id not in open_still or f"answer to {one.id}" in reported
    stray = Answer(id="status:gone/1:00000000", value="completed")
    assert len(unused([stray], decide(inquiry, RULES, answers=[stray]))) == 1
