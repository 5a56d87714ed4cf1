"""Two plans that contradict each other and a third that may be done: every branch of the documented tree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tiergate.deciding import Inquiry
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.model import Status, Task
from tiergate.reconcile.answers import Answer
from tiergate.reconcile.deciding_chain import decide
from tiergate.reconcile.decision_tree import DecisionTree, read_tree
from tiergate.reconcile_record import Decision, TaskRef
from tiergate.testing import make_evidence, make_inquiry, make_match, make_plan, make_ref

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "decisions.md"
POOL, FLOW, ROOT = (
    "WORKER_POOL_INTEGRATION_NOV17",
    "FLOW_BALANCER_OPTIMIZATION_NOV17",
    "PSYCHONOIR-BUN-MONOREPO-PHASE1",
)


def tasks(*rows: tuple[str, str, str, str]) -> list[Task]:
    return [
        Task(id=id_, title=title, status=Status(status), dependencies=tuple(needs.split()))
        for id_, title, status, needs in rows
    ]


POOL_TASKS = tasks(
    ("1", "WorkerPoolManager.ts", "completed", ""),
    ("2", "MultiTierPoolManager.ts", "active", "1"),
    ("3", "MCPCoordinator.ts", "queued", "2"),
    ("4", "Integration tests", "queued", "2 3"),
    ("5", "Monitoring", "queued", "2"),
    ("6", "Documentation", "queued", "3 4"),
)
FLOW_TASKS = tasks(
    ("1", "MCPCoordinator.ts", "completed", ""),
    ("2", "Integration tests", "active", "1"),
    ("3", "End-to-end stdio server", "active", "1"),
    ("4", "Benchmarks", "queued", "2"),
    ("5", "Usage examples", "queued", "3"),
    *[
        (f"{one}.{two}", f"{step} {one}", "queued", "")
        for one in "234"
        for two, step in enumerate(("Plan", "Implement", "Test", "Document"), 1)
    ],
)
ROOT_TASKS = tasks(("1", "Root workspaces configuration", "active", ""))


@pytest.fixture
def tree(tmp_path: Path) -> DecisionTree:
    """The tree of the reference page."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    [text] = [block for block in blocks if block.startswith("[[tree]]")]
    path = tmp_path / "decisions.toml"
    path.write_text(text)
    return read_tree(path)


def plans(**outcomes: str) -> Inquiry:
    known = {"file": "holds", "lines": "holds", "stdio": "holds", "workspaces": "holds", **outcomes}
    names = {"workspaces": "workspaces-key"}
    return make_inquiry(
        [
            make_plan("pool.md", POOL, POOL_TASKS, priority="high", role="primary"),
            make_plan("flow.md", FLOW, FLOW_TASKS),
            make_plan("root.md", ROOT, ROOT_TASKS, priority="low"),
        ],
        matches=[
            make_match(make_ref(f"{POOL}/3", "pool.md"), make_ref(f"{FLOW}/1", "flow.md")),
            make_match(make_ref(f"{POOL}/4", "pool.md"), make_ref(f"{FLOW}/2", "flow.md")),
        ],
        evidence=[
            make_evidence(outcome, name=names.get(name, f"coordinator-{name}"), subject=name)
            for name, outcome in known.items()
        ],
    )


def after(inquiry: Inquiry, decisions: list[Decision]) -> dict[str, str]:
    """What becomes of each task: its status, or where it went."""
    found = {
        f"{session.id}/{task.id}": task.status.value
        for plan in inquiry.plans
        for session in plan.sessions
        for task in session.tasks
    }
    for change in (change for one in decisions for change in one.changes):
        name = f"{change.task.session}/{change.task.task}"
        if change.field == "status":
            assert change.before == found[name]
            found[name] = change.after
        elif change.field == "merged_into":
            found[name] = f"-> {change.after['session']}/{change.after['task']}"
        elif change.field == "added":
            found[name] = change.after.get("status", "queued")
    return found


def went_on(decisions: list[Decision]) -> list[TaskRef]:
    return [ref for one in decisions if one.field == "next" for ref in one.tasks]


def open_questions(decisions: list[Decision]) -> list[str]:
    return [one.question for one in decisions if one.rule == "ask"]


def test_where_the_coordinator_works_its_claim_stands(tree: DecisionTree, rules: Any) -> None:
    inquiry = plans()
    decisions = decide(inquiry, rules, tree)
    found = after(inquiry, decisions)
    assert found[f"{FLOW}/1"] == "completed"
    assert found[f"{POOL}/3"] == "completed"
    assert found[f"{FLOW}/2"] == f"-> {POOL}/4"
    assert found[f"{POOL}/4"] == "active"  # what was begun there goes on here
    assert found[f"{FLOW}/3"] == "abandoned"
    assert found[f"{FLOW}/4"] == found[f"{FLOW}/2.1"] == "queued"
    assert went_on(decisions) == [make_ref(f"{POOL}/4", "pool.md")]
    assert open_questions(decisions) == []
    trace = decisions[0].trace
    assert [step.rule for step in trace] == [
        "answer",
        "check coordinator-file",
        "check coordinator-lines",
        "check coordinator-stdio",
        "tree",
    ]
    assert "branch 'stands' applies, since coordinator-file holds and" in trace[-1].said


@pytest.mark.parametrize(
    "short", [{"lines": "fails"}, {"stdio": "fails"}, {"lines": "fails", "stdio": "unknown"}]
)
def test_where_it_falls_short_the_second_session_is_abandoned(
    tree: DecisionTree, rules: Any, short: dict[str, str]
) -> None:
    inquiry = plans(**short)
    decisions = decide(inquiry, rules, tree)
    found = after(inquiry, decisions)
    assert {status for name, status in found.items() if name.startswith(FLOW)} == {"abandoned"}
    assert [found[f"{POOL}/{number}"] for number in range(1, 7)] == ["completed", "active", *["queued"] * 4]
    assert went_on(decisions) == [make_ref(f"{POOL}/2", "pool.md")]
    assert "'falls short'" in decisions[0].trace[-1].said


def test_where_it_is_missing_the_claim_is_wrong(tree: DecisionTree, rules: Any) -> None:
    inquiry = plans(file="fails", lines="fails", stdio="unknown")
    decisions = decide(inquiry, rules, tree)
    found = after(inquiry, decisions)
    assert {status for name, status in found.items() if name.startswith(FLOW)} == {"abandoned"}
    assert found[f"{POOL}/3"] == "queued"
    assert went_on(decisions) == [make_ref(f"{POOL}/2", "pool.md")]
    assert decisions[0].outcome == "its claim is wrong"


def test_the_workspaces_close_the_third_session(tree: DecisionTree, rules: Any) -> None:
    inquiry = plans()
    assert after(inquiry, decide(inquiry, rules, tree))[f"{ROOT}/1"] == "completed"


def test_without_workspaces_half_an_hour_is_planned(tree: DecisionTree, rules: Any) -> None:
    inquiry = plans(workspaces="fails")
    decisions = decide(inquiry, rules, tree)
    [added] = [one for one in decisions if one.field == "added"]
    task, needed = added.changes
    assert task.after == {
        "id": "workspaces-key",
        "title": "Add the key workspaces to package.json, then close the session",
        "extra": {"estimate": "30 min"},
    }
    assert (needed.task, needed.field, needed.after) == (
        make_ref(f"{ROOT}/1", "root.md"),
        "dependencies",
        ["workspaces-key"],
    )
    assert after(inquiry, decisions)[f"{ROOT}/1"] == "active"


def test_what_could_not_be_told_is_asked_and_an_answer_takes_a_branch(tree: DecisionTree, rules: Any) -> None:
    inquiry = plans(stdio="unknown", workspaces="unknown")
    decisions = decide(inquiry, rules, tree)
    assert [(one.question, one.options) for one in decisions if one.rule == "ask"] == [
        ("tree:coordinator", ("stands", "falls short", "missing")),
        ("tree:workspaces", ("declared", "absent")),
    ]
    assert "coordinator-stdio" in decisions[0].outcome
    offered = [step for step in decisions[0].trace if step.rule == "branch missing"]
    assert [step.said for step in offered] == [
        "there is no coordinator; applies where coordinator-file fails"
    ]
    # What the branches would rule on waits with them: no rule decides about it, and nothing is merged.
    assert make_ref(f"{POOL}/3", "pool.md") in decisions[0].tasks
    assert after(inquiry, decisions) == after(inquiry, [])
    answers = [Answer(id="tree:coordinator", value="missing", by="Ada")]
    answered = decide(inquiry, rules, tree, answers)
    assert (answered[0].rule, answered[0].outcome) == ("answer", "its claim is wrong")
    assert after(inquiry, answered)[f"{FLOW}/1"] == "abandoned"


def test_without_a_tree_the_rules_decide_and_the_first_session_carries_on(
    rules: list[DecisionRuleDeclaration],
) -> None:
    inquiry = plans()
    decisions = decide(inquiry, rules)
    found = after(inquiry, decisions)
    assert found[f"{FLOW}/1"] == f"-> {POOL}/3"
    assert found[f"{POOL}/3"] == "completed"
    assert found[f"{POOL}/4"] == "active"
    [home] = [
        one
        for one in decisions
        if one.field == "merged_into" and make_ref(f"{FLOW}/1", "flow.md") in one.tasks
    ]
    assert (home.rule, home.trace[-1].said) == ("home", "its session states the leading role")


@pytest.mark.parametrize(
    "outcomes",
    [{}, {"lines": "fails"}, {"file": "fails", "lines": "fails", "stdio": "fails"}, {"workspaces": "fails"}],
)
def test_in_every_branch_a_second_run_changes_nothing(
    tree: DecisionTree, rules: Any, applied: Any, outcomes: dict[str, str]
) -> None:
    first = plans(**outcomes)
    second = applied(first, decide(first, rules, tree))
    assert [change for one in decide(second, rules, tree) for change in one.changes] == []
    assert second != first
