"""Expansion of a task into subtasks."""

from __future__ import annotations

from functools import reduce
from itertools import permutations
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.flow.expansion import expanded
from tiergate.flow.graph import TaskGraph
from tiergate.flow.moments import text_of
from tiergate.flow.momentum import progressed
from tiergate.flow.notes import notes_of
from tiergate.model import Status, Task
from tiergate.operation import OperationError

NOW = 1_800_000_000.0


def task(name: str, weight: float = 1.0, *waits_for: str, **fields: Any) -> Task:
    return Task(id=name, title=f"Task {name}", weight=weight, dependencies=waits_for, **fields)


def test_the_subtasks_stand_between_what_it_waited_for_and_itself() -> None:
    parent, plan, implement, test, document = expanded(task("a", 8, "x", "y", labels=("api",)), {"a"}, NOW)
    assert [one.id for one in (plan, implement, test, document)] == [
        "a.plan",
        "a.implement",
        "a.test",
        "a.document",
    ]
    assert plan.dependencies == ("x", "y")
    assert implement.dependencies == ("a.plan",)
    assert test.dependencies == ("a.implement",)
    assert document.dependencies == ("a.test",)
    assert parent.dependencies == ("a.document",)
    assert [one.weight for one in (parent, plan, implement, test, document)] == [0, 1, 4, 2, 1]
    assert (plan.title, plan.labels, plan.created_at) == ("Plan: Task a", ("api",), text_of(NOW))
    assert notes_of(plan).part_of == "a"
    assert notes_of(parent).into == ("a.plan", "a.implement", "a.test", "a.document")
    assert notes_of(parent).weight == 8


@given(st.floats(0, 1e300))
def test_weights_add_up_to_the_last_digit(weight: float) -> None:
    _, *subtasks = expanded(task("a", weight), {"a"}, NOW)
    for order in permutations(one.weight for one in subtasks):
        assert reduce(add, order) == weight
    assert all(one.weight >= 0 for one in subtasks)


@given(st.sets(st.sampled_from(["a.plan", "a.plan-2", "a.test", "a.test-3", "a.document"])))
def test_ids_never_clash(taken: set[str]) -> None:
    _, *subtasks = expanded(task("a"), taken, NOW)
    ids = [one.id for one in subtasks]
    assert len(set(ids)) == 4
    assert taken.isdisjoint(ids)
    assert [one.dependencies for one in subtasks[1:]] == [(name,) for name in ids[:-1]]


def test_no_chain_gets_heavier() -> None:
    tasks = [task("x", 2), task("a", 8, "x"), task("z", 1, "a")]
    before = TaskGraph(tasks).critical_path()
    tasks = [tasks[0], tasks[2], *expanded(tasks[1], {"x", "a", "z"}, NOW)]
    path, weight = TaskGraph(tasks).critical_path()
    assert weight == before[1]
    assert path == ["x", "a.plan", "a.implement", "a.test", "a.document", "a", "z"]


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.BLOCKED, Status.QUEUED])
def test_the_first_subtask_takes_over_the_status(status: Status) -> None:
    parent, *subtasks = expanded(task("a", status=status), {"a"}, NOW)
    assert [one.status for one in subtasks] == [status, *[Status.QUEUED] * 3]
    assert parent.status is Status.QUEUED


def test_what_was_reported_stays_with_the_task() -> None:
    parent, *_ = expanded(progressed(task("a", extra={"x": 1}), 0.5, NOW), {"a"}, NOW)
    assert notes_of(parent).done == 0.5
    assert parent.momentum == 0.5
    assert parent.extra["x"] == 1


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.ABANDONED])
def test_a_closed_task_is_refused(status: Status) -> None:
    with pytest.raises(OperationError, match=f"task 'a' is {status.value} and cannot be expanded"):
        expanded(task("a", status=status), {"a"}, NOW)


def test_an_expanded_task_is_refused_but_a_subtask_is_not() -> None:
    parent, *subtasks = expanded(task("a", 8), {"a"}, NOW)
    ids = {one.id for one in (parent, *subtasks)}
    with pytest.raises(OperationError, match=r"was expanded before \(its subtasks are a\.plan, a\.implement"):
        expanded(parent, ids, NOW)
    _, *parts = expanded(subtasks[1], ids, NOW)
    assert parts[0].id == "a.implement.plan"
    assert parts[0].dependencies == ("a.plan",)
