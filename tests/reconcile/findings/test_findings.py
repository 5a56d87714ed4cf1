"""Every kind of finding: a case in which it is found, and one beside it in which it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.deciding import Inquiry
from tiergate.matching import Matched, Plan
from tiergate.model import Session, Status, Task
from tiergate.reconcile.analysis import analyse
from tiergate.reconcile.findings import FINDERS, View, find
from tiergate.reconcile.matrix import matrix
from tiergate.reconcile_record import Finding, FindingKind, Match, MatchKind
from tiergate.testing import make_evidence, make_inquiry, make_match, make_plan, make_ref

NOW = datetime(2026, 1, 31, tzinfo=UTC)
DONE, OPEN, GONE = Status.COMPLETED, Status.QUEUED, Status.ABANDONED


def task(name: str, status: Status = OPEN, title: str = "", **fields: Any) -> Task:
    return Task(id=name, title=title or f"Task {name}", status=status, **fields)


def found(inquiry: Inquiry, kind: str) -> list[Finding]:
    return [one for one in find(replace(inquiry, now=NOW)) if one.kind == kind]


def severities(inquiry: Inquiry, kind: str) -> list[str]:
    return [one.severity for one in found(inquiry, kind)]


def one_session(*tasks: Task, **extra: Any) -> Inquiry:
    return make_inquiry([make_plan("one", "s", tasks, **extra)])


def two_sessions(mine: list[Task], theirs: list[Task], pairs: list[tuple[str, str]]) -> Inquiry:
    matches = [make_match(make_ref(f"s/{a}"), make_ref(f"t/{b}", "two")) for a, b in pairs]
    return make_inquiry([make_plan("one", "s", mine), make_plan("two", "t", theirs)], matches)


def test_every_kind_has_a_finder_and_a_line_in_the_reference() -> None:
    assert {*FINDERS, FindingKind.STALE} == set(FindingKind)
    page = Path(__file__).resolve().parents[3] / "docs" / "reference" / "findings.md"
    text = page.read_text(encoding="utf-8")
    for kind in FindingKind:
        assert f"| `{kind}` |" in text


@pytest.mark.parametrize(
    ("statuses", "expected"), [((OPEN, OPEN), ["medium"]), ((OPEN, DONE), ["low"]), ((GONE, DONE), ["low"])]
)
def test_a_duplicate_inside_a_session(statuses: tuple[Status, Status], expected: list[str]) -> None:
    inquiry = one_session(task("1", statuses[0]), task("2", statuses[1]))
    matched = Matched(matches=(make_match(make_ref("s/1"), make_ref("s/2")),))
    assert severities(replace(inquiry, matched=matched), "duplicate") == expected


def test_a_session_that_stands_in_another_one() -> None:
    mine, theirs = [task(name) for name in "123"], [task(name) for name in "1234567"]
    whole = two_sessions(mine, theirs, [("1", "1"), ("2", "2")])
    [one] = found(whole, "duplicate")
    assert (one.severity, one.session) == ("critical", ("one", "s"))
    part = two_sessions(theirs, [task(name) for name in "abcdef"], [("1", "a"), ("2", "b")])
    assert [(one.severity, one.session) for one in found(part, "duplicate")] == [("high", None)] * 2
    assert severities(two_sessions(mine, [], []), "duplicate") == []


def test_parts_of_tasks_do_not_make_a_session_larger() -> None:
    parts = [task(f"{parent}.{part}") for parent in "12" for part in "1234"]
    inquiry = two_sessions(
        [task("1"), task("2"), *parts], [task(n) for n in "abcdefg"], [("1", "a"), ("2", "b")]
    )
    assert [one.severity for one in found(inquiry, "duplicate")] == ["critical"]


def test_versions_of_one_session_are_no_duplicates() -> None:
    plans = [make_plan(name, "s", [task("1"), task("2")]) for name in ("old", "new")]
    matches = [make_match(make_ref(f"s/{n}", "old"), make_ref(f"s/{n}", "new")) for n in "12"]
    assert found(make_inquiry(plans, matches), "duplicate") == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(DONE, OPEN, ["high"]), (GONE, OPEN, ["medium"]), (OPEN, Status.ACTIVE, []), (DONE, DONE, [])],
)
def test_statuses_that_exclude_each_other(one: Status, other: Status, expected: list[str]) -> None:
    inquiry = two_sessions([task("a", one)], [task("b", other)], [("a", "b")])
    assert severities(inquiry, "status-conflict") == expected


def test_an_older_copy_weighs_little() -> None:
    plans = [
        make_plan("old", "s", [task("1", OPEN, updated_at="2026-01-01T00:00:00Z")]),
        make_plan("new", "s", [task("1", DONE, updated_at="2026-01-02T00:00:00Z")]),
    ]
    matches = [make_match(make_ref("s/1", "old"), make_ref("s/1", "new"))]
    assert severities(make_inquiry(plans, matches), "status-conflict") == ["low"]


@pytest.mark.parametrize(
    ("status", "outcome", "declared", "kind", "expected"),
    [
        (DONE, "fails", True, "unproven", ["high"]),
        (DONE, "fails", False, "unproven", ["medium"]),
        (DONE, "holds", True, "unproven", []),
        (OPEN, "fails", True, "unproven", []),
        (OPEN, "holds", True, "done-but-open", ["medium"]),
        (OPEN, "holds", False, "done-but-open", []),
        (DONE, "holds", True, "done-but-open", []),
    ],
)
def test_evidence_against_a_status(
    status: Status, outcome: str, declared: bool, kind: str, expected: list[str]
) -> None:
    evidence = make_evidence(outcome, make_ref("s/1"), declared=declared)
    inquiry = make_inquiry([make_plan("one", "s", [task("1", status)])], evidence=[evidence])
    assert severities(inquiry, kind) == expected


@pytest.mark.parametrize(
    ("days", "status", "expected"),
    [(15, Status.ACTIVE, ["medium"]), (13, Status.ACTIVE, []), (99, OPEN, [])],
)
def test_what_nobody_touches_is_stale(days: int, status: Status, expected: list[str]) -> None:
    at = (NOW - timedelta(days=days)).isoformat()
    assert severities(one_session(task("1", status, updated_at=at)), "stale") == expected


def test_the_offset_of_a_time_counts() -> None:
    at = (NOW - timedelta(days=14)).replace(tzinfo=None).isoformat()
    assert severities(one_session(task("1", Status.ACTIVE, updated_at=f"{at}-01:00")), "stale") == []
    assert severities(one_session(task("1", Status.ACTIVE, updated_at=f"{at}+01:00")), "stale") == ["medium"]


@pytest.mark.parametrize(("parent", "expected"), [(GONE, ["medium"]), (OPEN, []), (None, ["medium"])])
def test_parts_whose_parent_is_gone(parent: Status | None, expected: list[str]) -> None:
    tasks = [task("part", extra={"parent": "whole"}), *([] if parent is None else [task("whole", parent)])]
    assert severities(one_session(*tasks), "orphaned") == expected
    dotted = one_session(task("1", GONE), task("1.1"), task("1.2", DONE))
    assert [one.tasks for one in found(dotted, "orphaned")] == [(make_ref("s/1.1"),)]


def test_what_calls_itself_obsolete() -> None:
    assert severities(one_session(task("1"), state="possibly obsolete"), "obsolete") == ["low"]
    assert severities(one_session(task("1", DONE), state="obsolete"), "obsolete") == []
    assert severities(one_session(task("1", notes="no longer needed")), "obsolete") == ["low"]
    assert severities(one_session(task("1", title="Remove deprecated calls")), "obsolete") == []


def test_what_is_superseded() -> None:
    text = {"notes": "Superseded by 2."}
    assert severities(one_session(task("1", OPEN, **text), task("2")), "superseded") == ["medium"]
    assert severities(one_session(task("1", GONE, **text), task("2")), "superseded") == []
    assert severities(one_session(task("1", GONE, **text)), "superseded") == ["low"]
    assert severities(one_session(task("1", notes="replaced by a new one")), "superseded") == []


def test_collisions_of_tasks_and_of_items() -> None:
    plans = (make_plan("one", "s", [task("1")]), make_plan("two", "t", [task("1")]))
    a, b = make_ref("s/1"), make_ref("t/1", "two")
    collision = Match(a=a, b=b, kind=MatchKind.COLLISION, score=0.1, probability=0.9, reason="r")
    matched = Matched(matches=(collision,))
    assert severities(Inquiry(plans=plans, now=NOW, matched=matched), "collision") == ["high"]
    assert severities(Inquiry(plans=(), wishes=plans, now=NOW, matched=matched), "collision") == ["medium"]
    mixed = Inquiry(plans=plans[:1], wishes=plans[1:], now=NOW, matched=matched)
    assert severities(mixed, "collision") == []


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([task("1", dependencies=("9",))], ["high"]),
        ([task("1", DONE, dependencies=("9",))], ["low"]),
        ([task("1", dependencies=("2",)), task("2", GONE)], ["high"]),
        ([task("1", dependencies=("2",)), task("2", GONE, extra={"merged_into": {"task": "3"}})], []),
        ([task("1", DONE, dependencies=("2",)), task("2")], ["medium"]),
        ([task("1", dependencies=("2",)), task("2")], ["low"]),
        ([task("2", dependencies=("1",)), task("1")], []),
        ([task("a", dependencies=("b",)), task("b")], []),
    ],
)
def test_dependencies_that_are_wrong(tasks: list[Task], expected: list[str]) -> None:
    assert severities(one_session(*tasks), "bad-dependency") == expected


def test_circles_are_found_with_their_chain() -> None:
    ring = [task(name, dependencies=(after,)) for name, after in ("ab", "bc", "ca", "da")]
    [one] = found(one_session(*ring), "cycle")
    assert one.severity == "high"
    assert {ref.task for ref in one.tasks} == {"a", "b", "c"}
    assert "a → b → c → a" in one.message or "→ a → b → c" in one.message or "→ c → a → b" in one.message
    assert severities(one_session(task("a", dependencies=("a",))), "cycle") == ["high"]
    closed = one_session(task("a", DONE, dependencies=("b",)), task("b", dependencies=("a",)))
    assert severities(closed, "cycle") == []


@pytest.mark.parametrize(
    ("stated", "expected"),
    [(83, ["high"]), ("83 %", ["high"]), (0.6, ["medium"]), (0.5, []), (53, []), ("soon", []), (True, [])],
)
def test_progress_that_is_not_what_is_counted(stated: Any, expected: list[str]) -> None:
    inquiry = one_session(task("1", DONE), task("2"), task("3", GONE), progress=stated)
    assert severities(inquiry, "wrong-progress") == expected


def test_what_no_session_plans() -> None:
    items = [task("1", title="Alpha"), task("2", title="Beta", notes="Optional."), task("3", title="Gamma")]
    wishes = make_plan("list", "l", [*items, task("4", DONE, title="Delta")])
    matches = (make_match(make_ref("l/3", "list"), make_ref("s/1")),)
    inquiry = Inquiry(
        plans=(make_plan("one", "s", [task("1", title="Gamma")]),),
        wishes=(wishes,),
        now=NOW,
        matched=Matched(matches=matches),
    )
    assert severities(inquiry, "unplanned") == ["medium", "low"]
    relations = [(one.item.task, one.relation, one.action) for one in matrix(View(inquiry))]
    assert relations == [
        ("1", "none", "add"),
        ("2", "none", "add"),
        ("3", "covers", "merge"),
        ("4", "none", "add"),
    ]


def test_a_source_that_says_two_things() -> None:
    def says(*values: Any) -> Task:
        statements = [
            {"field": "weight", "value": value, "where": f"line {n}"} for n, value in enumerate(values)
        ]
        return task("1", extra={"statements": statements})

    [one] = found(one_session(says(1, 2, 1)), "contradiction")
    assert "1 (line 0, line 2); 2 (line 1)" in one.message
    assert found(one_session(says(1, 1)), "contradiction") == []


def test_roles() -> None:
    plans = [
        make_plan("a", "s", [task("1")], priority="low"),
        make_plan("b", "t", [task("1")], priority="high"),
        make_plan("c", "u", [task("1")], state="obsolete"),
    ]
    view = View(make_inquiry(plans))
    roles = {one.id: one.role for one in analyse(view, find(view.inquiry))}
    assert roles == {"s": "secondary", "t": "primary", "u": "obsolete"}


hostile = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
known = st.sampled_from(
    ("progress", "priority", "role", "state", "statements", "parent", "merged_into", "stated_progress")
)
extras = st.dictionaries(known, hostile, max_size=4)
tasks = st.builds(
    Task,
    id=st.sampled_from("abcd"),
    title=st.text(max_size=12),
    notes=st.text(max_size=12),
    status=st.sampled_from(Status),
    dependencies=st.lists(st.sampled_from("abcde"), max_size=3).map(tuple),
    updated_at=st.none() | st.text(max_size=10),
    extra=extras,
)
sessions = st.builds(
    Session,
    id=st.sampled_from("st"),
    title=st.text(max_size=12),
    tasks=st.lists(tasks, max_size=4, unique_by=lambda one: one.id).map(tuple),
    extra=extras,
)
sources = st.lists(
    st.lists(sessions, max_size=2, unique_by=lambda one: one.id).map(tuple), min_size=1, max_size=3
)


@settings(max_examples=150, deadline=None)
@given(sources, st.randoms(use_true_random=False))
def test_no_plan_breaks_it_and_the_order_of_plans_changes_nothing(
    given_sources: list[tuple[Session, ...]], draw: Any
) -> None:
    plans = [Plan(source=str(number), sessions=one) for number, one in enumerate(given_sources)]
    inquiry = Inquiry(plans=tuple(plans), now=NOW, wishes=())
    mixed = Inquiry(plans=tuple(draw.sample(plans, len(plans))), now=NOW)
    assert find(inquiry) == find(mixed)
    view = View(inquiry)
    assert len(analyse(view, find(inquiry))) == sum(len(one) for one in given_sources)
