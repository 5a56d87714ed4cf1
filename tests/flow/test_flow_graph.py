"""The graph of open tasks, and the balance that rests on it; oracles share no code with either."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.errors import TiergateError
from tiergate.flow import Balance
from tiergate.flow.balance import RUNNING, balance
from tiergate.flow.graph import DependencyCycle, TaskGraph
from tiergate.flow.moments import text_of
from tiergate.model import Status, Task

CLOSED = (Status.COMPLETED, Status.ABANDONED)
NOW, HOUR = 1_800_000_000.0, 3600.0
UNTIMED = settings(deadline=None)  # the first example imports the library of graphs


def task(name: str, weight: float = 1.0, *waits_for: str, **fields: Any) -> Task:
    return Task(id=name, title=f"Task {name}", weight=weight, dependencies=waits_for, **fields)


@st.composite
def sessions(draw: st.DrawFn) -> list[Task]:
    """Small directed acyclic graphs of tasks in every status, some dependencies missing, in any order."""
    names = [f"t{number}" for number in range(draw(st.integers(0, 8)))]
    tasks = [
        task(
            name,
            draw(st.integers(0, 5)),
            *draw(st.lists(st.sampled_from([*names[:position], "missing"]), unique=True)),
            status=draw(st.sampled_from(Status)),
            momentum=draw(st.sampled_from((0.0, 0.3, 1.0))),
            created_at=draw(st.sampled_from((None, text_of(NOW - HOUR), text_of(NOW - 1000 * HOUR)))),
        )
        for position, name in enumerate(names)
    ]
    return draw(st.permutations(tasks))


def heaviest_chain(tasks: list[Task], first: Task) -> float:
    """The oracle: every chain that begins with a task, one after another."""
    after = [one for one in tasks if one.status not in CLOSED and first.id in one.dependencies]
    return first.weight + max((heaviest_chain(tasks, one) for one in after), default=0.0)


@UNTIMED
@given(sessions())
def test_no_chain_from_a_task_is_heavier_than_its_tail(tasks: list[Task]) -> None:
    graph = TaskGraph(tasks)
    assert [one for one in tasks if one.status not in CLOSED] == graph.tasks
    assert graph.tails == [heaviest_chain(tasks, one) for one in graph.tasks]
    path, weight = graph.critical_path()
    assert weight == max(graph.tails, default=0.0)
    assert bool(path) == bool(graph.tasks)


@UNTIMED
@given(sessions())
def test_a_layer_waits_for_the_one_before(tasks: list[Task]) -> None:
    opened = {one.id: one for one in tasks if one.status not in CLOSED}
    layers = TaskGraph(tasks).layers()
    depth = {name: number for number, layer in enumerate(layers) for name in layer}
    assert sorted(depth) == sorted(opened)
    assert all(layer == sorted(layer) for layer in layers)
    for name, one in opened.items():
        befores = [depth[other] for other in one.dependencies if other in opened]
        assert depth[name] == max(befores, default=-1) + 1


def test_who_waits_for_whom() -> None:
    graph = TaskGraph(
        [
            task("a"),
            task("b", 1, "a", "gone", "c"),
            task("c", status=Status.ABANDONED),
            task("d", 1, "b", "a"),
        ]
    )
    places = graph.places
    assert graph.free() == [True, False, False]
    assert graph.names(graph.waits_for(places["d"])) == ["a", "b"]
    assert graph.waits_for(places["b"]) == [places["a"]]
    assert graph.order.tolist() == [places["a"], places["b"], places["d"]]


def test_an_empty_graph() -> None:
    for graph in (TaskGraph([]), TaskGraph([task("a", status=Status.COMPLETED)])):
        assert (graph.tails, graph.layers(), graph.critical_path()) == ([], [], ([], 0.0))


RING = [task("c", 1, "b"), task("a", 1, "c"), task("b", 1, "a"), task("d", 1, "c"), task("e")]


@UNTIMED
@given(st.permutations(RING))
def test_a_cycle_is_named_the_same_in_any_order_of_tasks(tasks: list[Task]) -> None:
    with pytest.raises(DependencyCycle) as caught:
        TaskGraph(tasks, "session 's'").order  # noqa: B018
    assert caught.value.tasks == ["a", "c", "b", "a"]
    assert str(caught.value).startswith("session 's': dependency cycle a → c → b → a (")
    assert isinstance(caught.value, TiergateError)


@UNTIMED
@given(sessions(), st.data())
def test_every_link_of_a_named_cycle_is_there(tasks: list[Task], data: st.DataObject) -> None:
    names = [one.id for one in tasks] or ["x"]
    links = data.draw(st.lists(st.sampled_from(names), min_size=len(tasks), max_size=len(tasks)))
    tasks = [
        task(one.id, 1, *one.dependencies, extra, status=one.status)
        for one, extra in zip(tasks, links, strict=True)
    ]
    opened = {one.id: one for one in tasks if one.status not in CLOSED}
    try:
        order = [TaskGraph(tasks).tasks[place].id for place in TaskGraph(tasks).order.tolist()]
    except DependencyCycle as cycle:
        circle = cycle.tasks
        assert circle[0] == circle[-1] == min(circle)
        assert len(set(circle)) == len(circle) - 1
        for one, other in pairwise(circle):
            assert other in opened[one].dependencies
    else:
        seen: set[str] = set()
        for name in order:
            assert {other for other in opened[name].dependencies if other in opened} <= seen
            seen.add(name)
        assert seen == opened.keys()


def test_a_task_that_waits_for_itself_is_a_cycle_unless_it_is_closed() -> None:
    with pytest.raises(DependencyCycle, match="dependency cycle a → a"):
        TaskGraph([task("a", 1, "a")]).layers()
    assert TaskGraph([task("a", 1, "a", status=Status.COMPLETED)]).layers() == []


def is_ready(tasks: list[Task], one: Task) -> bool:
    """The oracle of readiness, by the words of the contract."""
    status = {other.id: other.status for other in tasks}
    return one.status in (Status.QUEUED, Status.ACTIVE) and all(
        status[other] in CLOSED for other in one.dependencies if other in status
    )


@UNTIMED
@given(sessions(), st.integers(0, 4))
def test_no_more_than_the_limit_and_only_what_is_ready(tasks: list[Task], limit: int) -> None:
    found = balance(tasks, limit, NOW)
    by_name = {one.id: one for one in tasks}
    ready = [one for one in tasks if is_ready(tasks, one)]
    assert len(found.active) == min(limit, len(ready))
    assert all(is_ready(tasks, by_name[one.task]) for one in found.active)
    assert (found.ready, found.wip_limit, found.now) == (len(ready), limit, text_of(NOW))
    assert found.blocked == sum(one.status is Status.BLOCKED for one in tasks)
    for one in found.active:
        assert one.action == ("keep" if by_name[one.task].status is Status.ACTIVE else "start")
        assert one.score == sum(msgspec.structs.astuple(one.parts))
        assert one.path_weight == heaviest_chain(tasks, by_name[one.task])
        assert one.reason
    # What is active now is what was chosen or steps back, and nothing is both.
    kept = [one.task for one in found.active if one.action == "keep"]
    back = [one.task for one in found.step_back]
    assert sorted(kept + back) == sorted(one.id for one in tasks if one.status is Status.ACTIVE)


@UNTIMED
@given(sessions(), st.integers(0, 4), st.randoms())
def test_balance_does_not_depend_on_the_order_of_tasks(tasks: list[Task], limit: int, random: Any) -> None:
    found = balance(tasks, limit, NOW)
    shuffled = random.sample(tasks, k=len(tasks))
    assert balance(shuffled, limit, NOW) == found
    assert [one.score for one in found.active] == sorted((one.score for one in found.active), reverse=True)


def after(tasks: list[Task], found: Balance) -> list[Task]:
    """The tasks as they are when a balance was applied."""
    become = dict.fromkeys((one.task for one in found.active), Status.ACTIVE)
    become |= dict.fromkeys((one.task for one in found.step_back), Status.QUEUED)
    return [msgspec.structs.replace(one, status=become.get(one.id, one.status)) for one in tasks]


@UNTIMED
@given(sessions(), st.integers(0, 4))
def test_a_balance_that_was_applied_stays(tasks: list[Task], limit: int) -> None:
    balanced = after(tasks, balance(tasks, limit, NOW))
    again = balance(balanced, limit, NOW)
    assert again.step_back == []
    assert {one.action for one in again.active} <= {"keep"}


def chosen(tasks: list[Task], limit: int) -> list[str]:
    return [one.task for one in balance(tasks, limit, NOW).active]


def test_heavier_chains_come_first_then_momentum_then_age_then_ids() -> None:
    chain = [task("a"), task("b", 5, "a"), task("c", 3)]
    assert chosen(chain, 2) == ["a", "c"]
    assert chosen([task("a"), task("b", momentum=0.2)], 2) == ["b", "a"]
    assert chosen([task("a"), task("b", created_at=text_of(NOW - HOUR))], 2) == ["b", "a"]
    assert chosen([task("c"), task("a"), task("b")], 2) == ["a", "b"]


def test_a_trifle_displaces_nothing_and_much_does() -> None:
    running = task("z", 10, status=Status.ACTIVE)
    trifle = task("a", 10 + 10 * RUNNING)
    assert chosen([running, trifle], 1) == ["z"]
    found = balance([running, task("a", 20)], 1, NOW)
    assert [one.task for one in found.active] == ["a"]
    (back,) = found.step_back
    assert (back.task, back.cause, back.waits_for) == ("z", "displaced", [])
    assert back.reason == "'a' has a score of 0.60, this one of 0.40"


def test_why_tasks_step_back() -> None:
    tasks = [
        task("a", 9, status=Status.ACTIVE),
        task("b", 1, status=Status.ACTIVE),
        task("c", 1, *"aefgh", status=Status.ACTIVE),
        *(task(name, status=Status.BLOCKED) for name in "efgh"),
    ]
    found = balance(tasks, 1, NOW)
    assert [(one.task, one.cause) for one in found.step_back] == [("b", "over_limit"), ("c", "waits")]
    assert found.step_back[0].reason == "1 active task of a higher score fill the limit"
    assert found.step_back[1].waits_for == ["a", "e", "f"]
    assert found.step_back[1].reason == "it waits for 'a', 'e', 'f' and 2 more tasks"
    assert found.step_back[1].score is None
    assert found.active[0].reason == (
        "it waits for nothing, and work of weight 10 (the heaviest of all) hangs on it; it is active already"
    )
    assert [one.cause for one in balance(tasks, 0, NOW).step_back] == ["over_limit", "over_limit", "waits"]


def test_momentum_of_long_ago_does_not_count() -> None:
    old = task("a", momentum=1.0, updated_at=text_of(NOW - 100 * HOUR))
    assert chosen([old, task("b", momentum=0.1)], 1) == ["b"]
    assert [one.task for one in balance([old, task("b", momentum=0.1)], 1, NOW, half_life_s=1e9).active] == [
        "a"
    ]


def test_a_cycle_cannot_be_balanced() -> None:
    with pytest.raises(DependencyCycle, match="session 's': dependency cycle a → c → b → a"):
        balance(RING, 2, NOW, where="session 's'")


def test_tasks_that_weigh_nothing_are_balanced_too() -> None:
    assert chosen([task("b", 0), task("a", 0, "b"), task("c", 0)], 3) == ["b", "c"]
