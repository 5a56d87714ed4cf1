"""The roadmap: every open task once, nothing before what it waits for, the longest chain, spans of time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.model import Session, Status, Task
from tiergate.reconcile.roadmap import make_roadmap, next_commands
from tiergate.reconcile.roadmap.estimates import parse
from tiergate.reconcile.roadmap.graph import Work
from tiergate.reconcile_record import Decision, MatrixEntry, Roadmap, TaskRef
from tiergate.testing import make_plan

NAMES = "abcdef"


def task(name: str, *needs: str, **fields: Any) -> Task:
    return Task(id=name, title=fields.pop("title", name), dependencies=needs, **fields)


def made(*sessions: Session, **more: Any) -> Roadmap:
    origins = {(s.id, t.id): [TaskRef("src", s.id, t.id)] for s in sessions for t in s.tasks}
    return make_roadmap(sessions, origins, **more)[0]


def names(roadmap: Roadmap) -> list[str]:
    return [one.task.task for phase in roadmap.phases for one in phase.tasks]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("1-2 h", (1, 2)),
        ("3-5 days", (24, 40)),
        ("30 minutes", (0.5, 0.75)),
        ("~2 weeks", (80, 120)),
        ("takes 1.5h", (1.5, 2.25)),
        ("2 to 3 hours", (2, 3)),
        ("PT2H", (2, 3)),
        ("P1D", (8, 12)),
        ("a 30-minute task", (0.5, 0.75)),
    ],
)
def test_spans_of_time_are_read(text: str, hours: tuple[float, float]) -> None:
    found = parse(text)
    assert found is not None
    assert (found.low_h, found.high_h) == hours
    assert found.stated


@pytest.mark.parametrize(
    "text", ["", "600-800 lines", "5 dogs", "version 1.2", "10 %", "P", "100x faster", "1h5x"]
)
def test_other_numbers_are_no_spans(text: str) -> None:
    assert parse(text) is None


def test_a_task_that_is_carried_on_stands_for_the_other() -> None:
    one = Session(id="s", tasks=(task("1"), task("2", "1")))
    gone = task("x", status=Status.ABANDONED, extra={"merged_into": {"session": "s", "task": "2"}})
    other = Session(id="t", tasks=(gone, task("y", "x")))
    work = Work([one, other])
    assert work.waits_for["t", "y"] == [("s", "2")]
    assert work.critical_path() == [("s", "1"), ("s", "2"), ("t", "y")]


def test_a_circle_is_broken_openly() -> None:
    session = Session(id="s", tasks=(task("a", "b"), task("b", "a"), task("c", "b")))
    roadmap, remarks = make_roadmap([session], {})
    assert sorted(names(roadmap)) == ["a", "b", "c"]
    assert len(remarks) == 1


def test_only_what_closes_a_circle_is_passed_over() -> None:
    """A task that waits for a circle is in none, whatever stands first in its source."""
    session = Session(id="s", tasks=(task("c", "b"), task("a", "b"), task("b", "a"), task("d", "d")))
    work = Work([session])
    assert sorted(work.broken) == [(("s", "a"), ("s", "b")), (("s", "d"), ("s", "d"))]
    assert work.waits_for["s", "c"] == [("s", "b")]
    assert names(made(session)) == ["a", "d", "b", "c"]


def test_what_is_asked_comes_first() -> None:
    ref = TaskRef("src", "s", "a")
    decision = Decision(tasks=(ref,), rule="ask", outcome="?", trace=())
    roadmap = made(Session(id="s", tasks=(task("a"),)), decisions=[decision])
    assert roadmap.phases[0].name == "Resolve duplication"
    assert roadmap.undecided == (ref,)


def test_the_more_important_session_is_first_where_the_order_is_free() -> None:
    low = Session(id="a", tasks=(task("1"),), extra={"priority": "low"})
    high = Session(id="b", tasks=(task("2"),), extra={"priority": "high"})
    assert names(made(low, high)) == ["2", "1"]


def test_tasks_that_validate_come_last_together() -> None:
    one = Session(id="a", tasks=(task("1"), task("t", "1", title="Integration tests")))
    other = Session(id="b", tasks=(task("2"),))
    assert [phase.name for phase in made(one, other).phases][-1] == "Validate together"
    assert names(made(one, other))[-1] == "t"
    assert [phase.name for phase in made(one).phases] == ["Carry on a"]


def test_optional_wishes_stand_last_in_their_list() -> None:
    wishes = make_plan("list", "l", [task("o", title="Optional: HTTP/2"), task("n", title="Cache (2-3 h)")])
    phase = made(wishes=[wishes]).phases[0]
    assert [one.task.task for one in phase.tasks] == ["n", "o"]
    assert phase.estimate is not None
    assert phase.estimate.low_h == 2


def test_items_of_a_list_keep_to_their_order_and_optional_ones_take_theirs_along() -> None:
    items = [
        task("1", "2"),
        task("2"),
        task("3", notes="Optional"),
        task("4", "3"),
        task("5", "6"),
        task("6", "5"),
    ]
    roadmap, remarks = make_roadmap([], {}, wishes=[make_plan("list", "l", items)])
    [phase] = roadmap.phases
    assert [one.task.task for one in phase.tasks] == ["2", "6", "1", "5", "3", "4"]
    assert [[ref.task for ref in one.blocked_by] for one in phase.tasks] == [[], [], ["2"], ["6"], [], ["3"]]
    assert [[ref.task for ref in group] for group in phase.side_by_side] == [["2", "6", "3"], ["1", "5", "4"]]
    assert "1 optional item last" in phase.why
    assert len(remarks) == 1


def test_lists_that_touch_nothing_may_run_beside_and_validation_stands_behind_them() -> None:
    session = Session(id="s", tasks=(task("1"), task("t", "1", title="Integration tests")))
    lists = [make_plan(name, name, [task("1")]) for name in ("free", "near")]
    entry = MatrixEntry(
        task=TaskRef("src", "s", "1"),
        item=TaskRef("near", "near", "1"),
        relation="overlaps",
        action="extend",
        probability=0.9,
    )
    phases = made(session, wishes=lists, matrix=[entry]).phases
    assert [(phase.name, phase.beside) for phase in phases] == [
        ("Carry on s", ()),
        ("Take up near", ()),
        ("Take up free", ("Carry on s", "Take up near")),
        ("Validate together", ()),
    ]


def test_documenting_tests_is_no_validation() -> None:
    one = Session(id="a", tasks=(task("1"), task("t", "1", title="Document the integration tests")))
    other = Session(id="b", tasks=(task("2"),))
    assert [phase.name for phase in made(one, other).phases] == ["Carry on a", "Carry on b"]


def test_a_quick_win_is_said_to_be_short() -> None:
    """A low weight may as well mean little importance."""
    session = Session(
        id="s", tasks=(task("1", weight=0.1), task("2", weight=9), task("3", title="Fix (1 h)"))
    )
    [phase] = made(session).phases
    assert [one.task.task for one in phase.tasks if one.quick_win] == ["3"]
    assert phase.tasks[0].task.task == "3"


def test_next_is_what_is_free_and_never_what_is_asked() -> None:
    session = Session(id="s", tasks=(task("1"), task("2", "1"), task("3"), task("4", status=Status.ACTIVE)))
    decision = Decision(tasks=(TaskRef("src", "s", "3"),), rule="ask", outcome="?", trace=())
    roadmap = made(session, decisions=[decision])
    found = next_commands(["tiergate", "reconcile", "a b"], roadmap, [decision], {"s"}, applied=False)
    assert [one.command for one in found] == [
        "tiergate reconcile 'a b' --review",
        "tiergate reconcile 'a b' --apply sqlite:merged.db",
        "task_progress session='s' task='4'",
        "task_update session='s' task='1' status='active'",
    ]
    assert "on the critical path" in found[3].why


tasks = st.lists(
    st.builds(
        lambda name, needs, status, weight: task(name, *needs, status=status, weight=weight),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
        st.sampled_from(Status),
        st.floats(0, 9),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@settings(max_examples=200, deadline=None)
@given(tasks, tasks)
def test_every_open_task_stands_once_after_what_it_waits_for(mine: list[Task], theirs: list[Task]) -> None:
    sessions = [Session(id="s", tasks=tuple(mine)), Session(id="t", tasks=tuple(theirs))]
    roadmap = made(*sessions)
    order = [(one.task.session, one.task.task) for phase in roadmap.phases for one in phase.tasks]
    is_open = {(s.id, t.id) for s in sessions for t in s.tasks if t.status not in ("completed", "abandoned")}
    assert sorted(order) == sorted(is_open)
    place = {key: number for number, key in enumerate(order)}
    for phase in roadmap.phases:
        for one in phase.tasks:
            for needed in one.blocked_by:
                assert place[needed.session, needed.task] < place[one.task.session, one.task.task]
    assert made(*sessions) == roadmap


@settings(max_examples=150, deadline=None)
@given(tasks)
def test_the_critical_path_is_the_longest_chain(mine: list[Task]) -> None:
    work = Work([Session(id="s", tasks=tuple(mine))])
    path = work.critical_path()
    assert all(before in work.waits_for[after] for before, after in pairwise(path))

    def longest(key: tuple[str, str]) -> float:
        before = max((longest(one) for one in work.waits_for[key]), default=0.0)
        return before + work.estimates[key].likely_h

    length = sum(work.estimates[key].likely_h for key in path)
    assert length == pytest.approx(max((longest(key) for key in work.tasks), default=0.0))


@settings(max_examples=200, deadline=None)
@given(tasks)
def test_nothing_but_circles_is_broken(mine: list[Task]) -> None:
    """Each dependency that is passed over leads back to who has it, by what the source states."""
    work = Work([Session(id="s", tasks=tuple(mine))])
    stated = {one.id: [name for name in one.dependencies if ("s", name) in work.tasks] for one in mine}
    for (_, waiting), (_, needed) in work.broken:
        reached, left = {needed}, [needed]
        while left:
            more = [name for name in stated[left.pop()] if name not in reached]
            reached.update(more)
            left += more
        assert waiting in reached
    kept = sum(map(len, work.waits_for.values()))
    assert kept + len(work.broken) == sum(len(stated[name]) for _, name in work.tasks)
