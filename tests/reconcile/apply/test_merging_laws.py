"""What must hold of every merge, whatever the plans, the matches and the decisions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tiergate.canonical import session_bytes
from tiergate.matching import Matched, MatchKind, Plan
from tiergate.model import Session, Status, Task
from tiergate.reconcile.merging import Merged, merge
from tiergate.reconcile_record import Change, Decision, Match, TaskRef

values = st.one_of(st.integers(0, 3), st.text("ab", max_size=2), st.lists(st.integers(0, 2), max_size=2))
task_ids = st.sampled_from("123456")


@st.composite
def some_tasks(draw: st.DrawFn) -> tuple[Task, ...]:
    """Tasks with ids of their own and few titles, so that sources agree and disagree."""
    ids = draw(st.lists(task_ids, unique=True, max_size=5))
    return tuple(
        Task(
            id=name,
            title=draw(st.sampled_from(["write it", "Write  it", "test it", "ship it", ""])),
            notes=draw(st.sampled_from(["", "n", "m"])),
            status=draw(st.sampled_from(Status)),
            weight=draw(st.sampled_from([1.0, 2.0, 5.0])),
            dependencies=tuple(draw(st.lists(task_ids, max_size=3))),
            labels=tuple(draw(st.lists(st.sampled_from("xyz"), max_size=2))),
            source_status=draw(st.sampled_from([None, "open"])),
            updated_at=draw(st.sampled_from([None, "2025-11-17", "2025-11-18"])),
            extra=draw(
                st.dictionaries(st.sampled_from(["k", "undecided", "also_known_as"]), values, max_size=2)
            ),
        )
        for name in ids
    )


@st.composite
def some_plans(draw: st.DrawFn, most: int = 3) -> list[Plan]:
    """Up to three sources with up to two sessions each."""
    plans = []
    for source in "ABC"[: draw(st.integers(1, most))]:
        names = draw(st.lists(st.sampled_from(["s", "t"]), unique=True, max_size=2))
        sessions = tuple(
            Session(
                id=name,
                title=draw(st.sampled_from(["", "one", "two"])),
                tasks=draw(some_tasks()),
                extra=draw(st.dictionaries(st.sampled_from(["k", "l"]), values, max_size=2)),
            )
            for name in names
        )
        plans.append(Plan(source=source, sessions=sessions))
    return plans


def refs(plans: Sequence[Plan]) -> list[TaskRef]:
    return [TaskRef(plan.source, s.id, task.id) for plan in plans for s in plan.sessions for task in s.tasks]


@st.composite
def some_matches(draw: st.DrawFn, plans: list[Plan]) -> Matched:
    """Any matches, also ones that contradict each other."""
    pairs = list(combinations(sorted(refs(plans)), 2))
    if not pairs:
        return Matched()
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=6, unique=True))
    return Matched(matches=tuple(match(a, b, draw(st.sampled_from(MatchKind))) for a, b in chosen))


@st.composite
def some_decisions(draw: st.DrawFn, plans: list[Plan]) -> list[Decision]:
    """Any decisions, also ones that contradict each other, or merge tasks in a circle."""
    tasks = refs(plans)
    if not tasks:
        return []
    made = []
    for number in range(draw(st.integers(0, 4))):
        ref = draw(st.sampled_from(tasks))
        field, after = draw(
            st.one_of(
                st.tuples(st.just("status"), st.sampled_from([status.value for status in Status])),
                st.tuples(st.just("notes"), st.sampled_from(["decided", "n"])),
                st.tuples(st.just("dependencies"), st.lists(task_ids, unique=True, max_size=2)),
                st.tuples(st.just("merged_into"), st.sampled_from(tasks).map(plain)),
                st.tuples(st.just("k"), values),
            )
        )
        ask = draw(st.booleans())
        changes = () if ask else (Change(task=ref, field=field, before=None, after=after),)
        made.append(
            Decision(
                tasks=(ref,),
                rule="ask" if ask else "newest",
                outcome="it is so",
                trace=(),
                question=f"q{number}",
                field=field,
                changes=changes,
                options=(1, 2) if ask else (),
            )
        )
    return made


def plain(ref: TaskRef) -> dict[str, str]:
    return {"source": ref.source, "session": ref.session, "task": ref.task}


def match(a: TaskRef, b: TaskRef, kind: MatchKind, probability: float = 0.9) -> Match:
    return Match(a=min(a, b), b=max(a, b), kind=kind, score=1.0, probability=probability, reason="")


def matched_again(merged: Merged, matched: Matched) -> Matched:
    """What a perfect matcher says of the merged plan and its sources: each task is what it comes from."""
    pairs = {
        pair: match(*pair, MatchKind.SAME, 1.0)
        for (session, task), origins in merged.origins.items()
        for origin in origins
        for pair in [(TaskRef("merged", session, task), origin)]
    }
    return Matched(matches=(*matched.matches, *pairs.values()))


def content(merged: Merged) -> list[bytes]:
    return [session_bytes(session) for session in merged.sessions]


def everything(data: st.DataObject) -> tuple[list[Plan], Matched, list[Decision]]:
    plans = data.draw(some_plans())
    return plans, data.draw(some_matches(plans)), data.draw(some_decisions(plans))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_nothing_is_dropped_and_every_id_is_unique(data: st.DataObject) -> None:
    plans, matched, decisions = everything(data)
    merged = merge(plans, matched, decisions)
    there = {(session.id, task.id): task for session in merged.sessions for task in session.tasks}
    assert len(there) == sum(len(session.tasks) for session in merged.sessions)
    assert set(merged.origins) == set(there)
    assert sorted(ref for origins in merged.origins.values() for ref in origins) == sorted(refs(plans))
    assert {ref: place for place, origins in merged.origins.items() for ref in origins} == merged.home
    assert {s.id for plan in plans for s in plan.sessions} == {session.id for session in merged.sessions}
    for plan in plans:
        for session in plan.sessions:
            for task in session.tasks:
                found = there[merged.home[TaskRef(plan.source, session.id, task.id)]]
                assert set(task.labels) <= set(found.labels)
                assert says(found, "title", task.title)
                if task.extra.keys() <= {"k"}:
                    assert set(task.extra) <= set(found.extra)


def says(task: Task, field: str, value: str) -> bool:
    return not value or getattr(task, field) == value or value in task.extra["other_values"][field]


@settings(max_examples=50, deadline=None)
@given(some_plans(most=1))
def test_a_plan_merged_with_itself_is_that_plan(plans: list[Plan]) -> None:
    again = [replace(plan, source=f"copy of {plan.source}") for plan in plans]
    alone, twice = merge(plans, Matched()), merge([*plans, *again], Matched())
    assert alone.sessions == plans[0].sessions
    assert twice.sessions == plans[0].sessions


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_merging_the_result_with_its_sources_changes_nothing(data: st.DataObject) -> None:
    plans, matched, decisions = everything(data)
    merged = merge(plans, matched, decisions)
    result = Plan(source="merged", sessions=merged.sessions)
    assert content(merge([result], Matched())) == content(merged)
    again = merge([result, *plans], matched_again(merged, matched), decisions)
    assert content(again) == content(merged)


@settings(max_examples=80, deadline=None)
@given(some_plans())
def test_it_does_so_without_a_matcher(plans: list[Plan]) -> None:
    merged = merge(plans, Matched())
    result = Plan(source="merged", sessions=merged.sessions)
    assert content(merge([result, *plans], Matched())) == content(merged)


@settings(max_examples=50, deadline=None)
@given(st.data(), st.integers())
def test_the_order_of_keys_matches_and_decisions_makes_no_difference(data: st.DataObject, seed: int) -> None:
    plans, matched, decisions = everything(data)
    draw = random.Random(seed)
    shuffled = [
        replace(plan, sessions=tuple(with_shuffled_keys(session, draw) for session in plan.sessions))
        for plan in plans
    ]
    matches = draw.sample(matched.matches, len(matched.matches))
    expected = content(merge(plans, matched, decisions))
    assert content(merge(shuffled, Matched(matches=tuple(matches)), decisions)) == expected


def with_shuffled_keys(session: Session, draw: random.Random) -> Session:
    def shuffled(extra: dict[str, Any]) -> dict[str, Any]:
        return dict(draw.sample(list(extra.items()), len(extra)))

    tasks = tuple(replace(task, extra=shuffled(task.extra)) for task in session.tasks)
    return replace(session, tasks=tasks, extra=shuffled(session.extra))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_first_source_keeps_its_order_and_its_ids(data: st.DataObject) -> None:
    plans, matched, decisions = everything(data)
    merged = {session.id: session for session in merge(plans, matched, decisions).sessions}
    for session in plans[0].sessions:
        ids = [task.id for task in session.tasks]
        assert [task.id for task in merged[session.id].tasks if task.id in ids] == ids
