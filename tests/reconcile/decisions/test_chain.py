"""The chain: answers before the tree before the rules, which task carries on, and what is passed over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tiergate.deciding import Inquiry, Question, Ruling
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.model import Status, Task
from tiergate.reconcile.answers import Answer, unused
from tiergate.reconcile.conflicts import settle_conflict
from tiergate.reconcile.deciding_chain import decide
from tiergate.reconcile.decision_tree import read_tree
from tiergate.reconcile_record import Decision, TaskRef
from tiergate.testing import make_evidence, make_inquiry, make_match, make_plan, make_ref

A, B = make_ref("a/1", "one"), make_ref("b/1", "two")


def plans(
    ours: str = "abandoned", theirs: str = "active", probability: float = 0.99, **extra: Any
) -> Inquiry:
    """One piece of work in two sessions; `extra` is what the second session says of itself."""
    return make_inquiry(
        [
            make_plan("one", "a", [Task(id="1", title="Write it", status=Status(ours))]),
            make_plan("two", "b", [Task(id="1", title="Get it written", status=Status(theirs))], **extra),
        ],
        [make_match(A, B, probability)],
    )


def rule(name: str, rank: int, ruling: Any) -> DecisionRuleDeclaration:
    def say(question: Question, inquiry: Inquiry) -> Ruling:
        if isinstance(ruling, Exception):
            raise ruling
        return Ruling(decided=True, value=ruling, reason=f"{name} says so")

    return DecisionRuleDeclaration(name=name, summary="", rank=rank, rule=say)


def by_field(decisions: list[Decision], field: str) -> Decision:
    [found] = [one for one in decisions if one.field == field]
    return found


def changes(decision: Decision) -> list[tuple[TaskRef, Any, Any]]:
    return [(one.task, one.before, one.after) for one in decision.changes]


def test_what_no_rule_can_tell_is_asked_and_nothing_is_merged_until_then(rules: Any) -> None:
    [asked] = decide(plans(), rules)
    assert (asked.rule, asked.options, asked.changes) == ("ask", ("abandoned", "active"), ())
    assert [step.rule for step in asked.trace] == [
        "answer",
        "evidence",
        "three-way",
        "most-advanced",
        "newest",
        "ask",
    ]
    assert [step.decided for step in asked.trace] == [False] * 5 + [True]


def test_an_answer_decides_and_the_trace_says_whose(rules: Any) -> None:
    [asked] = decide(plans(), rules)
    answer = Answer(id=asked.question, value="active", by="Ada", why="we go on", seen=asked.options)
    decisions = decide(plans(), rules, answers=[answer])
    status, home = by_field(decisions, "status"), by_field(decisions, "merged_into")
    assert (status.rule, status.trace[-1].said) == ("answer", "Ada has said 'active': we go on")
    assert changes(status) == []  # the session with an open task carries on, and it is active there
    assert changes(home) == [(A, None, {"source": "two", "session": "b", "task": "1"})]
    assert home.trace[-1].said == "its session has the most open tasks"
    assert unused([answer], decisions) == []


def test_an_outdated_answer_is_said_to_be_and_asked_again(rules: Any) -> None:
    [asked] = decide(plans(), rules)
    answer = Answer(id=asked.question, value="active", seen=("queued", "active"))
    decisions = decide(plans(), rules, answers=[answer])
    assert decisions[0].rule == "ask"
    [line] = unused([answer], decisions)
    assert "outdated: it was given when there was 'queued' or 'active' to choose" in line


def test_an_answer_that_is_no_value_of_the_field_is_reported(rules: Any) -> None:
    [asked] = decide(plans(), rules)
    answer = Answer(id=asked.question, value="finished")
    decisions = decide(plans(), rules, answers=[answer])
    assert decisions[0].rule == "ask"
    assert "status cannot be 'finished'" in unused([answer], decisions)[0]


def test_a_person_may_say_what_no_plan_says(rules: Any) -> None:
    [asked] = decide(plans(), rules)
    decisions = decide(plans(), rules, answers=[Answer(id=asked.question, value="blocked")])
    assert changes(by_field(decisions, "status")) == [(B, "active", "blocked")]


def test_a_pair_that_is_not_sure_waits_for_a_person(rules: Any) -> None:
    [asked] = decide(plans("queued", "active", 0.7), rules)
    assert (asked.field, asked.rule, asked.options) == ("same", "ask", ("same", "apart"))
    assert "70% likely" in asked.outcome
    same = decide(plans("queued", "active", 0.7), rules, answers=[Answer(id=asked.question, value="same")])
    assert [one.field for one in same] == ["same", "status", "merged_into"]
    apart = decide(plans("queued", "active", 0.7), rules, answers=[Answer(id=asked.question, value="apart")])
    assert [(one.field, one.rule) for one in apart] == [("same", "answer")]


def test_a_person_may_name_the_task_that_carries_on_or_keep_them_apart(rules: Any) -> None:
    inquiry = plans("queued", "active", priority="high")
    home = by_field(decide(inquiry, rules), "merged_into")
    assert home.trace[-1].said == "its session has the higher priority"
    named = Answer(id=home.question, value="a/1")
    decisions = decide(inquiry, rules, answers=[named])
    into_a = {"source": "one", "session": "a", "task": "1"}
    assert changes(by_field(decisions, "merged_into")) == [(B, None, into_a)]
    assert by_field(decisions, "merged_into").rule == "answer"
    assert changes(by_field(decisions, "status")) == [(A, "queued", "active")]
    apart = [Answer(id=home.question, value="apart")]
    [kept] = decide(inquiry, rules, answers=apart)
    assert (kept.rule, kept.changes) == ("answer", ())
    assert unused(apart, [kept]) == []
    stray = [Answer(id=home.question, value="c/9")]
    [wrong] = unused(stray, decide(inquiry, rules, answers=stray))
    assert "'c/9' is none of b/1, a/1" in wrong


def test_rules_are_asked_by_rank_and_then_by_name() -> None:
    given = [rule("late", 300, "blocked"), rule("b", 100, "queued"), rule("a", 100, "completed")]
    status = by_field(decide(plans(), given), "status")
    assert (status.rule, len(status.trace)) == ("a", 2)


@pytest.mark.parametrize(
    ("ruling", "words"),
    [
        (KeyError("oops"), "failed: KeyError: 'oops'"),
        ("finished", "is passed over: status cannot be 'finished'"),
        (None, "is passed over: status cannot be None"),
    ],
)
def test_a_rule_that_fails_or_talks_nonsense_is_passed_over(ruling: Any, words: str) -> None:
    status = by_field(decide(plans(), [rule("bad", 1, ruling), rule("good", 2, "active")]), "status")
    assert status.rule == "good"
    assert words in status.trace[1].said


TREE = """
[[tree]]
name = "t"
[[tree.branch]]
name = "x"
message = "drop it"
when = "c"
do = [{ set = "blocked", tasks = ["a/1"] }]
[[tree.branch]]
name = "y"
message = "leave it"
otherwise = true
"""


def test_the_tree_counts_before_the_rules_and_an_answer_before_the_tree(tmp_path: Path, rules: Any) -> None:
    (tmp_path / "t.toml").write_text(TREE)
    tree = read_tree(tmp_path / "t.toml")
    inquiry = plans()
    checked = make_inquiry(inquiry.plans, inquiry.matched.matches, [make_evidence("holds", name="c")])
    [said] = decide(checked, rules, tree)
    assert (said.rule, changes(said)) == ("tree", [(A, "abandoned", "blocked")])
    [asked] = decide(checked, rules)
    answer = Answer(id=asked.question, value="active")
    decisions = decide(checked, rules, tree, [answer])
    assert decisions[0].changes == ()
    assert "a person has answered about a/1 (one)" in decisions[0].trace[-1].said
    assert by_field(decisions[1:], "status").rule == "answer"
    assert unused([answer], decisions) == []


def test_versions_of_one_task_are_set_alike_and_need_no_home(rules: Any) -> None:
    tasks = [Task(id="1", title="Write it", status=Status(one)) for one in ("queued", "completed")]
    inquiry = make_inquiry(
        [make_plan("one", "a", tasks[:1]), make_plan("two", "a", tasks[1:])],
        [make_match(make_ref("a/1", "one"), make_ref("a/1", "two"))],
    )
    [status] = decide(inquiry, rules)
    assert changes(status) == [(make_ref("a/1", "one"), "queued", "completed")]


def test_what_the_merged_tasks_need_and_are_called_goes_with_them(rules: Any) -> None:
    here = make_plan(
        "one", "a", [Task(id="1", title="Dig", labels=("x",)), Task(id="2", title="Buy")], role="primary"
    )
    there = make_plan(
        "two", "b", [Task(id="7", title="Dig", labels=("y",), dependencies=("8",)), Task(id="8", title="Buy")]
    )
    matches = [
        make_match(make_ref("a/1", "one"), make_ref("b/7", "two")),
        make_match(make_ref("a/2", "one"), make_ref("b/8", "two")),
    ]
    decisions = decide(make_inquiry([here, there], matches), rules)
    assert changes(by_field(decisions, "labels")) == [(make_ref("a/1", "one"), ["x"], ["x", "y"])]
    assert changes(by_field(decisions, "dependencies")) == [(make_ref("a/1", "one"), [], ["2"])]


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "times", "settled"),
    [
        ("queued", "completed", "queued", (None, None), ("three-way", "completed")),
        (None, "queued", "active", (None, None), ("most-advanced", "active")),
        ("queued", "abandoned", "active", ("2025-11-17T10:00Z", "2025-11-17T11:00Z"), ("newest", "active")),
        ("queued", "abandoned", "active", (None, None), ("ask", None)),
    ],
)
def test_one_conflict_of_a_merge(
    rules: Any,
    base: str | None,
    ours: str,
    theirs: str,
    times: tuple[str | None, ...],
    settled: tuple[str, Any],
) -> None:
    verdict = settle_conflict(
        "status", base, ours, theirs, ours_updated=times[0], theirs_updated=times[1], rules=rules, now=NOW
    )
    assert (verdict.rule, verdict.value) == settled
