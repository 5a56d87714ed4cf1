"""Merging plans that were written by hand: what becomes of each kind of task."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins

from tiergate.errors import UsageError
from tiergate.matching import Matched, MatchKind, Plan
from tiergate.model import Session, Status, Task
from tiergate.reconcile.merging import Merged, merge
from tiergate.reconcile_record import Change, Decision, Match, TaskRef


def plan(source: str, *tasks: Task, session: str = "s", **fields: Any) -> Plan:
    return Plan(source=source, sessions=(Session(id=session, tasks=tasks, **fields),))


def task(task_id: str, title: str = "", *needs: str, **fields: Any) -> Task:
    return Task(id=task_id, title=title or f"task {task_id}", dependencies=needs, **fields)


def ref(name: str) -> TaskRef:
    """``A/1`` is task 1 of session s in source A, ``A/t/1`` the one of session t."""
    source, *session, number = name.split("/")
    return TaskRef(source, session[0] if session else "s", number)


def matched(*pairs: tuple[str, str, MatchKind]) -> Matched:
    return Matched(
        matches=tuple(
            Match(a=ref(a), b=ref(b), kind=kind, score=0.9, probability=0.9, reason="")
            for a, b, kind in pairs
        )
    )


def decided(name: str, field: str, after: Any, *, rule: str = "evidence") -> Decision:
    change = Change(task=ref(name), field=field, before=None, after=after)
    return Decision(tasks=(ref(name),), rule=rule, outcome="", trace=(), changes=(change,))


def asked(name: str, field: str, *options: Any, question: str = "q1") -> Decision:
    return Decision(
        tasks=(ref(name),), rule="ask", outcome="", trace=(), question=question, field=field, options=options
    )


def merged_tasks(merged: Merged, session: str = "s") -> dict[str, Task]:
    [found] = [one for one in merged.sessions if one.id == session]
    return {one.id: one for one in found.tasks}


SAME, COLLISION, DUPLICATE = MatchKind.SAME, MatchKind.COLLISION, MatchKind.DUPLICATE


class TestWhichTasksAreOne:
    """Tasks of sessions with one id."""

    def test_same_by_id_and_title(self) -> None:
        merged = merge([plan("A", task("1")), plan("B", task("1"), task("2"))], Matched())
        assert list(merged_tasks(merged)) == ["1", "2"]
        assert merged.origins["s", "1"] == (ref("A/1"), ref("B/1"))
        assert merged.home[ref("B/2")] == ("s", "2")

    def test_same_by_a_match_keeps_the_id_of_the_first(self) -> None:
        plans = [
            plan("A", task("1", "write the pool")),
            plan("B", task("7", "write pool"), task("8", "x", "7")),
        ]
        merged = merge(plans, matched(("A/1", "B/7", SAME)))
        found = merged_tasks(merged)
        assert list(found) == ["1", "8"]
        assert found["8"].dependencies == ("1",)
        assert found["1"].extra["also_known_as"] == [{"id": "7", "title": "write pool"}]
        again = merge([Plan(source="store", sessions=merged.sessions), *plans], Matched())
        assert again.sessions == merged.sessions

    def test_a_collision_gives_the_second_a_new_id(self) -> None:
        plans = [plan("A", task("3", "zstd cache")), plan("B", task("3", "SQLite"), task("4", "y", "3"))]
        found = merged_tasks(merge(plans, matched(("A/3", "B/3", COLLISION))))
        first, new, after = found
        assert (first, after) == ("3", "4")
        assert new.startswith("3-")
        assert found[new].title == "SQLite"
        assert found[new].extra == {"also_known_as": [{"id": "3", "title": "SQLite"}]}
        assert found["4"].dependencies == (new,)
        assert found["3"].extra == {}

    def test_one_id_and_two_texts_collide_without_a_match_too(self) -> None:
        found = merged_tasks(merge([plan("A", task("3", "a")), plan("B", task("3", "b"))], Matched()))
        assert [one.title for one in found.values()] == ["a", "b"]

    def test_a_new_id_is_the_same_whatever_else_is_merged(self) -> None:
        alone = merge([plan("A", task("3", "a")), plan("B", task("3", "b"))], Matched())
        among = merge(
            [plan("A", task("1"), task("3", "a")), plan("C", task("3", "c")), plan("B", task("3", "b"))],
            Matched(),
        )
        assert alone.home[ref("B/3")] == among.home[ref("B/3")]

    def test_a_new_id_is_none_that_a_source_uses(self) -> None:
        [_, new] = merged_tasks(merge([plan("A", task("3", "a")), plan("B", task("3", "b"))], Matched()))
        found = merged_tasks(
            merge([plan("A", task("3", "a"), task(new, "c")), plan("B", task("3", "b"))], Matched())
        )
        assert len(found) == 3
        assert found[new].title == "c"

    def test_two_tasks_of_one_source_stay_apart(self) -> None:
        plans = [plan("A", task("1"), task("2")), plan("B", task("7", "both"))]
        merged = merge(plans, matched(("A/1", "B/7", SAME), ("A/2", "B/7", SAME)))
        assert list(merged_tasks(merged)) == ["1", "2"]

    def test_duplicates_inside_one_session_stay_apart(self) -> None:
        merged = merge([plan("A", task("1", "x"), task("2", "x"))], matched(("A/1", "A/2", DUPLICATE)))
        assert list(merged_tasks(merged)) == ["1", "2"]

    def test_two_tasks_that_one_source_gives_one_id(self) -> None:
        found = merged_tasks(merge([plan("A", task("1", "x"), task("1", "y"), task("1", "x"))], Matched()))
        assert [one.title for one in found.values()] == ["x", "y"]

    def test_sessions_of_different_ids_stay_apart(self) -> None:
        plans = [plan("A", task("1")), plan("B", task("1"), session="t")]
        merged = merge(plans, matched(("A/1", "B/t/1", SAME)))
        assert [session.id for session in merged.sessions] == ["s", "t"]
        assert list(merged_tasks(merged)) == list(merged_tasks(merged, "t")) == ["1"]

    def test_an_empty_session_is_kept(self) -> None:
        assert merge([plan("A")], Matched()).sessions == (Session(id="s"),)
        assert merge([], Matched()).sessions == ()


class TestOrder:
    """Where new tasks go."""

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("123", "1a2b3c", "1a2b3c"),
            ("123", "a1", "a123"),
            ("123", "ab3", "12ab3"),
            ("123", "ab", "123ab"),
            ("123", "3a1b", "1b23a"),
            ("", "ab", "ab"),
        ],
    )
    def test_after_their_neighbours(self, first: str, second: str, expected: str) -> None:
        merged = merge([plan("A", *map(task, first)), plan("B", *map(task, second))], Matched())
        assert "".join(merged_tasks(merged)) == expected


class TestValues:
    """What is heard, and where the rest goes."""

    def test_the_first_that_states_something_is_heard(self) -> None:
        plans = [
            plan("A", task("1", notes="", weight=1.0, labels=("x",), extra={"k": 1}), title=""),
            plan("B", task("1", notes="n", weight=5.0, labels=("y", "x"), extra={"k": 2, "l": 3}), title="T"),
        ]
        merged = merge(plans, Matched())
        found = merged_tasks(merged)["1"]
        assert (found.notes, found.weight, found.labels) == ("n", 5.0, ("x", "y"))
        assert found.extra == {"k": 1, "l": 3, "other_values": {"extra.k": [2]}}
        assert merged.sessions[0].title == "T"

    def test_what_others_say_is_kept_beside_it(self) -> None:
        plans = [
            plan("A", task("1", "One", "2"), title="first"),
            plan("B", task("1", "one", "3", status=Status.ACTIVE, notes="n"), title="second"),
        ]
        merged = merge(plans, Matched())
        found = merged_tasks(merged)["1"]
        assert (found.title, found.status, found.dependencies) == ("One", Status.QUEUED, ("2",))
        others = {"title": ["one"], "status": ["active"], "dependencies": [["3"]]}
        assert found.extra["other_values"] == others
        assert merged.sessions[0].extra == {"other_values": {"title": ["second"]}}

    def test_a_key_of_the_source_with_the_name_of_ours_is_kept(self) -> None:
        plans = [plan("A", task("1", extra={"undecided": "whether"}))]
        found = merged_tasks(merge(plans, Matched(), [asked("A/1", "status", "queued", "active")]))["1"]
        assert found.extra["other_values"] == {"extra.undecided": ["whether"]}
        assert found.extra["undecided"][0]["question"] == "q1"


class TestDecisions:
    """What decisions change."""

    def test_a_decided_field(self) -> None:
        plans = [plan("A", task("1", source_status="open")), plan("B", task("1", status=Status.COMPLETED))]
        found = merged_tasks(merge(plans, Matched(), [decided("A/1", "status", "completed")]))["1"]
        assert found == task("1", status=Status.COMPLETED)

    def test_the_word_of_the_source_that_was_right(self) -> None:
        words = {"status": Status.COMPLETED, "source_status": "closed"}
        plans = [plan("A", task("1", source_status="open")), plan("B", task("1", **words))]
        found = merged_tasks(merge(plans, Matched(), [decided("A/1", "status", "completed")]))["1"]
        assert found.source_status == "closed"

    def test_decided_dependencies_are_meant_as_the_source_means_them(self) -> None:
        plans = [plan("A", task("1", "a"), task("2", "b")), plan("B", task("1", "b"), task("9", "c"))]
        decisions = [decided("B/9", "dependencies", ["1"])]
        found = merged_tasks(merge(plans, matched(("A/2", "B/1", SAME)), decisions))
        assert found["9"].dependencies == ("2",)

    def test_a_key_of_extra(self) -> None:
        plans = [plan("A", task("1", extra={"estimate": "1 h", "old": 1}))]
        decisions = [decided("A/1", "estimate", "2 h"), decided("A/1", "extra.old", None)]
        assert merged_tasks(merge(plans, Matched(), decisions))["1"].extra == {"estimate": "2 h"}

    def test_a_question_for_a_person_keeps_the_first_and_is_listed(self) -> None:
        plans = [plan("A", task("1")), plan("B", task("1", status=Status.ACTIVE))]
        found = merged_tasks(merge(plans, Matched(), [asked("B/1", "status", "queued", "active")]))["1"]
        assert found.status is Status.QUEUED
        listed = [{"question": "q1", "field": "status", "options": ["queued", "active"]}]
        assert found.extra["undecided"] == listed

    def test_an_answer_takes_the_question_off_the_list(self) -> None:
        plans = [plan("A", task("1")), plan("B", task("1", status=Status.ACTIVE))]
        once = merge(plans, Matched(), [asked("B/1", "status", "queued", "active")])
        store = Plan(source="store", sessions=once.sessions)
        again = merge([store, *plans], Matched(), [decided("B/1", "status", "active", rule="answer")])
        assert merged_tasks(again)["1"] == task("1", status=Status.ACTIVE)

    def test_contradicting_decisions_decide_nothing(self) -> None:
        decisions = [decided("A/1", "status", "active"), decided("A/1", "status", "completed")]
        for order in (decisions, decisions[::-1]):
            found = merged_tasks(merge([plan("A", task("1"))], Matched(), order))["1"]
            assert found.status is Status.QUEUED
            [question] = found.extra["undecided"]
            assert sorted(question["options"]) == ["active", "completed"]

    def test_a_decision_about_a_task_that_is_not_there_is_passed_over(self) -> None:
        decisions = [decided("Z/1", "status", "active")]
        assert merged_tasks(merge([plan("A", task("1"))], Matched(), decisions)) == {"1": task("1")}

    @pytest.mark.parametrize(
        ("field", "after", "words"),
        [
            ("status", "finished", "gives what no task can have"),
            ("dependencies", "1", "a wrong dependencies"),
            ("merged_into", {"task": "1"}, "a wrong merged_into"),
            ("id", "2", "which cannot be decided"),
        ],
    )
    def test_what_no_task_can_have_is_refused(self, field: str, after: Any, words: str) -> None:
        with pytest.raises(UsageError, match=words) as caught:
            merge([plan("A", task("1"))], Matched(), [decided("A/1", field, after)])
        assert "1" in str(caught.value)


class TestMergedInto:
    """Tasks that another one carries on."""

    def test_abandoned_with_the_one_that_carries_it_on(self) -> None:
        plans = [
            plan("A", task("3", "coordinator")),
            plan("B", task("1", "coordinator"), task("2", "later", "1"), session="t"),
        ]
        decisions = [decided("B/t/1", "merged_into", to_builtins(ref("A/3")))]
        found = merged_tasks(merge(plans, Matched(), decisions), "t")
        assert found["1"].status is Status.ABANDONED
        assert found["1"].extra == {"merged_into": {"session": "s", "task": "3"}}
        assert found["2"].dependencies == ("1",)

    def test_it_names_the_id_of_the_merged_plan(self) -> None:
        plans = [plan("A", task("3", "a")), plan("B", task("3", "b")), plan("C", task("1"), session="t")]
        decisions = [decided("C/t/1", "merged_into", to_builtins(ref("B/3")))]
        merged = merge(plans, Matched(), decisions)
        into = merged_tasks(merged, "t")["1"].extra["merged_into"]
        assert (into["session"], into["task"]) == merged.home[ref("B/3")]

    def test_a_task_that_is_the_same_is_merged_already(self) -> None:
        plans = [plan("A", task("1")), plan("B", task("1"))]
        decisions = [decided("B/1", "merged_into", to_builtins(ref("A/1")))]
        assert merged_tasks(merge(plans, Matched(), decisions)) == {"1": task("1")}

    def test_a_circle_abandons_nobody(self) -> None:
        tasks = [task("1"), task("2"), task("3")]
        pairs = (("A/1", "A/2"), ("A/2", "A/1"), ("A/3", "A/1"))
        decisions = [decided(one, "merged_into", to_builtins(ref(other))) for one, other in pairs]
        found = merged_tasks(merge([plan("A", *tasks)], Matched(), decisions))
        assert [one.status for one in found.values()] == [Status.QUEUED, Status.QUEUED, Status.ABANDONED]
        assert found["1"].extra["undecided"] == [
            {"field": "merged_into", "options": [{"session": "s", "task": "2"}]}
        ]
