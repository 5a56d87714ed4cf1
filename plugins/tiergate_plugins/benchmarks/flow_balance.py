"""Auto-balance: the time of it, how that grows with the session, and its graph part beside networkx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log
from random import Random
from statistics import median
from typing import Any

from tiergate.bench import BenchSetup
from tiergate.flow.balance import balance
from tiergate.flow.graph import TaskGraph
from tiergate.flow.moments import seconds_of
from tiergate.model import Session, Status, Task, decode_session, encode
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks.rounds import interval_of, judged, p50_rounds, ratio_row, seconds, value_row

SMALL = 10_000
_DEPENDENCIES = 3
_WIP_LIMIT = 8
_CREATED = "2026-03-02T08:00:00Z"
_NOW = seconds_of("2026-03-09T08:00:00Z") or 0.0


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """The time for 10,000 tasks with 30,000 dependencies, its growth to a million, and the peer."""
    tasks = make_tasks(SMALL)
    few = 3 if setup.quick else 15
    setup.progress(f"auto-balance of {SMALL} tasks")
    sides = {
        "balance": balancer(tasks),
        "ours": lambda: TaskGraph(tasks).tails,
        "peer": lambda: peer_tails(tasks),
    }
    if sides["ours"]() != sides["peer"]():
        raise AssertionError("networkx comes to other weights of the chains")
    took = p50_rounds(sides, rounds=few, each=3)
    name = f"balance of {SMALL} tasks with {sum(len(task.dependencies) for task in tasks)} dependencies"
    yield value_row(name, [1e3 * one for one in took["balance"]], unit="ms", target="<= 50")
    yield ratio_row(
        f"graph part of balance, {SMALL} tasks, time",
        took["ours"],
        took["peer"],
        peer="networkx",
        target="<= 1.0",
        unit="ms",
    )
    for large in (100_000,) if setup.quick else (100_000, 1_000_000):
        yield _growth(setup, large, rounds=3 if setup.quick else 5, shuffled=False)
    if not setup.quick:
        # Neighbours in the graph are no neighbours in memory: this is that of the caches, and has no target.
        yield _growth(setup, 100_000, rounds=5, shuffled=True)


def make_tasks(count: int, *, shuffled: bool = False, seed: int = 1) -> tuple[Task, ...]:
    """Open tasks as a store gives them; each waits for three of the 500 before it, if there are as many.

    Args:
        shuffled: in random order, instead of that in which they were added.
    """
    draw = Random(seed)
    tasks = [
        Task(
            id=f"task-{number:07}",
            title=f"Task {number}",
            status=Status.ACTIVE if number % 1000 == 0 else Status.QUEUED,
            weight=float(draw.choice((1, 2, 3, 5, 8))),
            dependencies=tuple(f"task-{other:07}" for other in _some_before(draw, number)),
            created_at=_CREATED,
            updated_at=_CREATED,
        )
        for number in range(count)
    ]
    if shuffled:
        draw.shuffle(tasks)
    return decode_session(encode(Session(id="large", tasks=tuple(tasks)))).tasks


def _some_before(draw: Random, number: int) -> list[int]:
    before = range(max(0, number - 500), number)
    return draw.sample(before, k=min(len(before), _DEPENDENCIES))


def balancer(tasks: tuple[Task, ...]) -> Callable[[], object]:
    """What balances these tasks."""
    return lambda: balance(tasks, _WIP_LIMIT, _NOW)


def peer_tails(tasks: tuple[Task, ...]) -> list[float]:
    """The weight of the heaviest chain that begins with each task, by networkx."""
    import networkx

    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(task.id for task in tasks)
    graph.add_edges_from((before, task.id) for task in tasks for before in task.dependencies)
    weights = {task.id: task.weight for task in tasks}
    tails: dict[str, float] = {}
    for name in reversed(list(networkx.topological_sort(graph))):
        tails[name] = weights[name] + max((tails[after] for after in graph.successors(name)), default=0.0)
    return [tails[task.id] for task in tasks]


def _growth(setup: BenchSetup, size: int, *, rounds: int, shuffled: bool) -> BenchRow:
    """How many times longer a larger session takes, over how many times longer ``n log n`` is there."""
    manner = ", shuffled" if shuffled else ""
    setup.progress(f"the growth of auto-balance to {size} tasks{manner}")
    small, large = make_tasks(SMALL, shuffled=shuffled), make_tasks(size, shuffled=shuffled)
    allowed = size * log(size) / (SMALL * log(SMALL))
    both: list[tuple[float, float]] = []
    for _ in range(rounds):
        short = median(seconds(balancer(small)) for _ in range(9))
        both.append((short, seconds(balancer(large))))
    grown = [long / short / allowed for short, long in both]
    return judged(
        BenchRow(
            name=f"balance: growth from {SMALL} to {size} tasks{manner}",
            value=median(grown),
            interval=interval_of(grown),
            unit="x",
            peer="n log n",
            target=None if shuffled else "<= 1.0",
            details={
                "over_ms": 1e3 * median(long for _, long in both),
                "under_ms": 1e3 * median(short for short, _ in both),
                "exponent": log(median(long / short for short, long in both)) / log(size / SMALL),
            },
        )
    )
