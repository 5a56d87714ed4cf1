"""Which questions plans raise, by what id, and what the base is of each."""

from __future__ import annotations

from typing import Any

import pytest

from tiergate.deciding import Inquiry, Question
from tiergate.model import Status, Task
from tiergate.reconcile.questions import questions
from tiergate.testing import make_evidence, make_inquiry, make_match, make_plan, make_ref

OURS, THEIRS = make_ref("s/bd-1", "ours"), make_ref("s/bd-1", "theirs")


def two(
    ours: dict[str, Any],
    theirs: dict[str, Any],
    base: dict[str, Any] | None = None,
    probability: float = 0.99,
) -> Inquiry:
    """One task in two sources, and maybe in the base."""

    def plan(source: str, fields: dict[str, Any]) -> Any:
        return make_plan(source, "s", [Task(**{"id": "bd-1", "title": "Write it", **fields})])

    return make_inquiry(
        [plan("ours", ours), plan("theirs", theirs)],
        [make_match(OURS, THEIRS, probability)],
        base=[] if base is None else [plan("base", base)],
    )


def fields(inquiry: Inquiry) -> list[str]:
    return [one.field for one in questions(inquiry)]


def test_tasks_that_agree_raise_none() -> None:
    assert fields(two({}, {"title": "write  it", "updated_at": "2025-11-17"})) == []


def test_every_field_that_they_disagree_on_is_one_question_status_first() -> None:
    theirs = {
        "title": "Ship it",
        "notes": "soon",
        "status": Status.ACTIVE,
        "weight": 3.0,
        "dependencies": ("2",),
        "labels": ("x",),
    }
    assert fields(two({}, theirs)) == ["status", "title", "notes", "weight", "dependencies", "labels"]


def test_a_question_says_what_each_task_says() -> None:
    [question] = questions(two({"updated_at": "2025-11-17"}, {"status": Status.COMPLETED}))
    assert [(one.task, one.value, one.updated_at) for one in question.options] == [
        (OURS, "queued", "2025-11-17"),
        (THEIRS, "completed", None),
    ]
    assert not question.has_base


def test_the_base_is_found_by_session_and_id() -> None:
    [question] = questions(two({"status": Status.ACTIVE}, {}, base={"status": Status.BLOCKED}))
    assert (question.has_base, question.base) == (True, "blocked")


def test_an_id_that_was_used_again_has_no_base() -> None:
    born, before = {"created_at": "2025-11-17T10:00:00Z"}, {"created_at": "2025-01-01T10:00:00Z"}
    [question] = questions(two({"status": Status.ACTIVE, **born}, born, base=before))
    assert not question.has_base
    same = {"created_at": "2025-11-17T11:00:00+01:00"}
    [question] = questions(two({"status": Status.ACTIVE, **born}, born, base=same))
    assert question.has_base


@pytest.mark.parametrize(("title", "known"), [("Write it", True), ("Sweep the floor", False)])
def test_under_another_session_the_base_is_found_by_id_and_title(title: str, known: bool) -> None:
    inquiry = two({"status": Status.ACTIVE}, {})
    base = make_plan("base", "before", [Task(id="bd-1", title=title)])
    [question] = questions(make_inquiry(inquiry.plans, inquiry.matched.matches, base=[base]))
    assert question.has_base is known


def test_a_pair_that_is_not_sure_is_asked_about_before_its_fields_are() -> None:
    [question] = questions(two({}, {"status": Status.COMPLETED}, probability=0.6))
    assert question.field == "same"
    assert [one.value for one in question.options] == ["Write it", "Write it"]


def test_two_plans_may_word_the_same_work_in_two_ways() -> None:
    here = make_plan("ours", "a", [Task(id="1", title="Write it", notes="today", weight=2.0)])
    there = make_plan("theirs", "b", [Task(id="1", title="Get it written", notes="tomorrow")])
    match = make_match(make_ref("a/1", "ours"), make_ref("b/1", "theirs"))
    assert fields(make_inquiry([here, there], [match])) == []
    born = {"created_at": "2025-11-17T10:00:00Z"}
    here = make_plan("ours", "a", [Task(id="1", title="Write it", **born)])
    there = make_plan("theirs", "b", [Task(id="1", title="Get it written", **born)])
    assert fields(make_inquiry([here, there], [match])) == ["title"]


def test_dependencies_are_compared_as_ids_of_the_session_that_carries_on() -> None:
    """Both plans say that the second task needs the first one, by ids of their own."""
    here = make_plan(
        "ours",
        "a",
        [Task(id="1", title="Dig"), Task(id="2", title="Plant", dependencies=("1",))],
        role="primary",
    )
    there = make_plan(
        "theirs", "b", [Task(id="7", title="Dig"), Task(id="8", title="Plant", dependencies=("7",))]
    )
    matches = [
        make_match(make_ref("a/1", "ours"), make_ref("b/7", "theirs")),
        make_match(make_ref("a/2", "ours"), make_ref("b/8", "theirs")),
    ]
    assert fields(make_inquiry([here, there], matches)) == []
    alone = make_plan("ours", "a", [Task(id="1", title="Dig"), Task(id="2", title="Plant")], role="primary")
    [question] = questions(make_inquiry([alone, there], matches))
    assert (question.field, [one.value for one in question.options]) == ("dependencies", [[], ["1"]])


@pytest.mark.parametrize(
    ("status", "outcome", "declared", "asked"),
    [
        ("completed", "fails", True, True),
        ("completed", "holds", True, False),
        ("queued", "holds", True, True),
        ("active", "fails", True, False),
        ("abandoned", "holds", True, False),
        ("completed", "unknown", True, False),
        ("completed", "fails", False, False),
        ("queued", "holds", False, False),
    ],
)
def test_declared_evidence_puts_a_status_in_doubt(
    status: str, outcome: str, declared: bool, asked: bool
) -> None:
    plan = make_plan("one", "s", [Task(id="1", title="Write it", status=Status(status))])
    evidence = [make_evidence(outcome, make_ref("s/1"), declared=declared)]
    assert fields(make_inquiry([plan], evidence=evidence)) == ["status"] * asked


def test_evidence_about_one_of_several_same_tasks_is_about_all_of_them() -> None:
    inquiry = two({"status": Status.COMPLETED}, {"status": Status.COMPLETED})
    checked = make_inquiry(inquiry.plans, inquiry.matched.matches, [make_evidence("fails", THEIRS)])
    assert fields(checked) == ["status"]


def moved(inquiry: Inquiry, folder: str) -> Inquiry:
    """The same plans, read from somewhere else."""
    plans = [make_plan(f"{folder}/{one.source}", "s", one.sessions[0].tasks) for one in inquiry.plans]
    refs = [make_ref("s/bd-1", one.source) for one in plans]
    return make_inquiry(plans, [make_match(*refs)])


def ids(found: list[Question]) -> list[str]:
    return [one.id for one in found]


def test_an_id_is_the_same_wherever_the_sources_lie_and_another_one_for_another_task() -> None:
    inquiry = two({}, {"status": Status.ACTIVE})
    [question] = questions(inquiry)
    assert question.id.startswith("status:s/bd-1:")
    assert (
        ids(questions(moved(inquiry, "elsewhere"))) == ids(questions(moved(inquiry, "zoo"))) == [question.id]
    )
    [reused] = questions(two({"title": "Sweep"}, {"title": "sweep", "status": Status.ACTIVE}))
    assert reused.id != question.id


def test_evidence_about_a_task_that_was_merged_is_about_the_one_that_carries_it_on() -> None:
    def merged(task: str, into: str) -> Task:
        extra = {"merged_into": {"session": "s", "task": into}}
        return Task(id=task, title="Write it", status=Status.ABANDONED, extra=extra)

    evidence = [make_evidence("fails", make_ref("s/3"))]
    home = Task(id="1", title="Write it", status=Status.COMPLETED)
    plan = make_plan("one", "s", [home, merged("2", "1"), merged("3", "2")])
    [question] = questions(make_inquiry([plan], evidence=evidence))
    assert [one.task for one in question.options] == [make_ref("s/1")]
    circle = make_plan("one", "s", [merged("1", "3"), merged("2", "1"), merged("3", "2")])
    nowhere = make_plan("one", "s", [home, merged("3", "7")])
    assert fields(make_inquiry([circle], evidence=evidence)) == []
    assert fields(make_inquiry([nowhere], evidence=evidence)) == []


def test_a_task_that_was_merged_before_is_not_asked_about_again() -> None:
    extra = {"merged_into": {"session": "s", "task": "bd-1"}}
    assert fields(two({}, {"status": Status.ABANDONED, "extra": extra})) == []
    assert fields(two({}, {"status": Status.ABANDONED})) == ["status"]
