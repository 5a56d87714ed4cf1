"""Queries across sessions, and the critical path of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.errors import UsageError
from tiergate.model import Session, Status, Task
from tiergate.operation import OperationError, Scope
from tiergate.store import SessionNotFound, Store
from tiergate_plugins.operations.sessions import (
    CriticalPath,
    CriticalPathArguments,
    TasksQuery,
    critical_path,
    tasks_query,
    tiergate_operations,
)
from tiergate_plugins.storage.json_store import JsonStore

CLOSED = (Status.COMPLETED, Status.ABANDONED)


def task(name: str, weight: float, *waits_for: str, status: Status = Status.QUEUED) -> Task:
    return Task(id=name, title=f"Task {name}", weight=weight, dependencies=waits_for, status=status)


class InMemory(JsonStore):
    """Holds one session; asked for nothing else."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load(self, session_id: str) -> Session:
        """The session, whatever its id."""
        return self._session


def path_of(*tasks: Task) -> CriticalPath:
    return critical_path(InMemory(Session(id="s", tasks=tasks)), "s", CriticalPathArguments())


def test_query_sorts_by_weight_and_says_where_a_task_is(store: Store) -> None:
    store.save(Session(id="one", tasks=(task("a", 2), task("b", 8, status=Status.ACTIVE))))
    store.save(Session(id="two", tasks=(task("a", 5), task("c", 1))))
    found = tasks_query(store, "", TasksQuery())
    assert [(row.session, row.id, row.weight) for row in found] == [
        ("one", "b", 8.0),
        ("two", "a", 5.0),
        ("one", "a", 2.0),
        ("two", "c", 1.0),
    ]
    assert (found[0].title, found[0].status) == ("Task b", Status.ACTIVE)


def test_query_passes_every_condition_on(store: Store) -> None:
    tasks = [task(f"t{n:02}", n, status=list(Status)[n % 5]) for n in range(30)]
    store.save(Session(id="s", tasks=tuple(tasks)))
    assert len(tasks_query(store, "", TasksQuery())) == 20
    assert len(tasks_query(store, "", TasksQuery(limit=None))) == 30
    chosen = tasks_query(
        store, "", TasksQuery(statuses=(Status.QUEUED, Status.ACTIVE), min_weight=10, order="id", limit=3)
    )
    assert [row.id for row in chosen] == ["t10", "t11", "t15"]
    assert [row.id for row in tasks_query(store, "", TasksQuery(text="TASK T07"))] == ["t07"]


def test_query_of_an_empty_store_and_by_an_unknown_order(store: Store) -> None:
    assert tasks_query(store, "", TasksQuery()) == []
    with pytest.raises(UsageError, match="cannot order tasks by 'colour'"):
        tasks_query(store, "", TasksQuery(order="colour"))


def test_critical_path_of_a_stored_session(store: Store) -> None:
    store.save(Session(id="s", tasks=(task("b", 2, "a"), task("a", 1), task("c", 4, "b"))))
    assert critical_path(store, "s", CriticalPathArguments()) == CriticalPath(["a", "b", "c"], 7.0)
    with pytest.raises(SessionNotFound):
        critical_path(store, "other", CriticalPathArguments())


@pytest.mark.parametrize(
    ("tasks", "path", "weight"),
    [
        ((), [], 0.0),
        ((task("a", 3),), ["a"], 3.0),
        ((task("a", 3), task("b", 5)), ["b"], 5.0),
        # a diamond with a heavier right side
        (
            (task("a", 1), task("b", 2, "a"), task("c", 3, "a"), task("d", 1, "b", "c")),
            ["a", "c", "d"],
            5.0,
        ),
        # few heavy tasks outweigh many light ones
        (
            (task("a", 1), task("b", 1, "a"), task("c", 1, "b"), task("x", 2), task("y", 2, "x")),
            ["x", "y"],
            4.0,
        ),
        # a dependency that stands twice counts once
        ((task("a", 1), task("b", 1, "a", "a")), ["a", "b"], 2.0),
        ((task("a", 0), task("b", 0, "a")), ["a", "b"], 0.0),
    ],
)
def test_known_graphs(tasks: tuple[Task, ...], path: list[str], weight: float) -> None:
    assert path_of(*tasks) == CriticalPath(path, weight)


@pytest.mark.parametrize("status", CLOSED)
def test_closed_and_missing_tasks_do_not_count(status: Status) -> None:
    tasks = (
        task("a", 100, status=status),
        task("b", 2, "a", "not there"),
        task("c", 3, "b"),
        task("d", 100, "c", status=status),
    )
    assert path_of(*tasks) == CriticalPath(["b", "c"], 5.0)


def test_a_cycle_through_a_closed_task_is_none() -> None:
    assert path_of(task("a", 1, "b"), task("b", 1, "a", status=Status.COMPLETED)) == CriticalPath(["a"], 1.0)


@pytest.mark.parametrize(
    ("tasks", "named"),
    [
        ((task("a", 1, "a"),), {"a"}),
        ((task("a", 1, "c"), task("b", 1, "a"), task("c", 1, "b"), task("d", 9)), {"a", "b", "c"}),
    ],
)
def test_a_cycle_is_named(tasks: tuple[Task, ...], named: set[str]) -> None:
    with pytest.raises(OperationError, match="dependency cycle") as caught:
        path_of(*tasks)
    assert caught.value.where == "session 's'"
    cycle = caught.value.what.removeprefix("dependency cycle ").split(" → ")
    assert set(cycle) == named
    assert cycle[0] == cycle[-1]
    assert len(cycle) == len(named) + 1


@given(st.permutations([task("a", 2), task("b", 2), task("c", 1, "a", "b"), task("d", 1, "b", "a")]))
def test_ties_do_not_depend_on_the_order_of_tasks(tasks: list[Task]) -> None:
    assert path_of(*tasks) == CriticalPath(["b", "d"], 3.0)


def test_a_chain_longer_than_the_recursion_limit() -> None:
    chain = [task(f"t{n}", 1, *([f"t{n - 1}"] if n else [])) for n in range(3000)]
    assert path_of(*chain).weight == 3000.0


@st.composite
def graphs(draw: st.DrawFn) -> list[Task]:
    """Small directed acyclic graphs, some tasks closed, some dependencies missing, in any order."""
    names = [f"t{number}" for number in range(draw(st.integers(0, 7)))]
    tasks = [
        task(
            name,
            draw(st.integers(0, 5)),
            *draw(st.lists(st.sampled_from([*names[:position], "missing"]), unique=True)),
            status=draw(st.sampled_from(Status)),
        )
        for position, name in enumerate(names)
    ]
    return draw(st.permutations(tasks))


def chains(tasks: list[Task]) -> list[list[Task]]:
    """Every chain of open tasks of which each waits for the one before."""
    opened = {found.id: found for found in tasks if found.status not in CLOSED}
    found = [[first] for first in opened.values()]
    for chain in found:  # grows while it is read
        found += [[*chain, after] for after in opened.values() if chain[-1].id in after.dependencies]
    return found


@given(graphs())
def test_no_chain_is_heavier(tasks: list[Task]) -> None:
    path = path_of(*tasks)
    every = chains(tasks)
    assert path.weight == max((sum(one.weight for one in chain) for chain in every), default=0.0)
    assert not every or path.tasks in [[one.id for one in chain] for chain in every]
    by_name = {one.id: one for one in tasks}
    assert path.weight == sum(by_name[name].weight for name in path.tasks)


def test_what_is_declared_for_routers() -> None:
    declared = {found.name: found for found in tiergate_operations()}
    assert declared["tasks_query"].scope(TasksQuery()) is Scope.STORE
    assert declared["critical_path"].scope(CriticalPathArguments()) is Scope.SESSION
    assert {name: found.needs_session for name, found in declared.items()} == {
        "tasks_query": False,
        "critical_path": True,
    }
    assert not any(found.writes for found in declared.values())
