"""The open tasks of a session as a graph: which waits for which, in what order, and how heavy its chains are.

Closed tasks (completed or abandoned) and ids that name no task hold nobody up: they are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING, TypeAlias

from tiergate.model import Status, Task
from tiergate.operation import OperationError

if TYPE_CHECKING:
    import numpy
    from rustworkx import PyDiGraph

    Places: TypeAlias = numpy.ndarray[tuple[int], numpy.dtype[numpy.int64]]

CLOSED = (Status.COMPLETED, Status.ABANDONED)
"""What a task is when nobody needs to wait for it."""

_NOBODY = -1


class DependencyCycle(OperationError):
    """Tasks wait for each other in a circle, so that none of them can begin.

    Args:
        tasks: their ids; each waits for the next one, and the last one is the first again.
        where: which session it is in.
    """

    def __init__(self, tasks: Sequence[str], where: str | None = None) -> None:
        self.tasks = list(tasks)
        super().__init__(
            f"dependency cycle {' → '.join(tasks)}",
            where=where,
            hint="each waits for the next; remove one of these dependencies",
        )


class TaskGraph:
    """The open tasks, by their places in `tasks`, and what each waits for.

    Args:
        tasks: of one session, with ids that are unique.
        where: names the session in errors.

    Attributes:
        tasks: the open ones, in the order given.
        places: their places by id.
    """

    def __init__(self, tasks: Iterable[Task], where: str | None = None) -> None:
        import numpy

        self.tasks = [task for task in tasks if task.status not in CLOSED]
        self.places = dict(zip([task.id for task in self.tasks], range(len(self.tasks)), strict=True))
        self._where = where
        wanted = [task.dependencies for task in self.tasks]
        counts = numpy.fromiter(map(len, wanted), numpy.int64, len(wanted))
        found = map(self.places.get, chain.from_iterable(wanted), repeat(_NOBODY))
        befores = numpy.fromiter(found, numpy.int64, int(counts.sum()))
        waiting = numpy.repeat(numpy.arange(len(wanted)), counts)
        is_open = befores != _NOBODY
        # Edges as arrays, sorted by who waits: a million lists would keep the garbage collector busy.
        self._befores, self._waiting = befores[is_open], waiting[is_open]
        self._starts = numpy.searchsorted(self._waiting, numpy.arange(len(wanted) + 1))

    def waits_for(self, place: int) -> list[int]:
        """Places of the open tasks that a task waits for, in the order of its dependencies."""
        found: list[int] = self._befores[self._starts[place] : self._starts[place + 1]].tolist()
        return found

    def free(self) -> list[bool]:
        """By place: whether the task waits for no open one."""
        free: list[bool] = (self._starts[1:] == self._starts[:-1]).tolist()
        return free

    def names(self, places: Iterable[int]) -> list[str]:
        """The ids of tasks, sorted, each once."""
        return sorted({self.tasks[place].id for place in places})

    @cached_property
    def order(self) -> Places:
        """The places in an order in which no task comes before one that it waits for.

        Raises:
            DependencyCycle: there is none.
        """
        import numpy
        import rustworkx

        try:
            return numpy.asarray(rustworkx.topological_sort(self._digraph), numpy.int64)
        except rustworkx.DAGHasCycle as error:
            raise DependencyCycle(self._cycle(), self._where) from error

    @cached_property
    def tails(self) -> list[float]:
        """By place: the weight of the heaviest chain of tasks that begins with this one and of which each
        next one waits for the one before.

        The longest path of a weighted directed acyclic graph, edge by edge in topological order from the end
        (Sedgewick & Wayne, Algorithms, 4th ed., section 4.4). Critical-path scheduling ranks by it (Kwok &
        Ahmad, Static scheduling algorithms for allocating directed task graphs, 1999: the b-level).

        Raises:
            DependencyCycle: tasks wait for each other.
        """
        import numpy

        order = self.order[::-1]
        rank = numpy.empty_like(order)
        rank[order] = numpy.arange(len(order))
        weights = [self.tasks[place].weight for place in order.tolist()]
        tails = weights.copy()
        # By rank in the order, not by place: what is used together then lies together in memory.
        for before, after in self._edges(order, rank):
            tail = weights[before] + tails[after]
            if tail > tails[before]:  # noqa: PLR1730 (a call of `max` takes twice as long)
                tails[before] = tail
        by_place: list[float] = numpy.array(tails)[rank].tolist()
        return by_place

    def _edges(self, order: Places, names: Places | None = None) -> Iterator[tuple[int, int]]:
        """Every pair of a task and one that waits for it, those of each waiting one together, in an order.

        Args:
            names: a number by place to give instead of places.
        """
        import numpy

        counts = (self._starts[1:] - self._starts[:-1])[order]
        shift = self._starts[:-1][order] - (numpy.cumsum(counts) - counts)
        rows = numpy.arange(len(self._befores)) + numpy.repeat(shift, counts)
        befores, waiting = self._befores[rows], numpy.repeat(order, counts)
        if names is not None:
            befores, waiting = names[befores], names[waiting]
        return zip(befores.tolist(), waiting.tolist(), strict=True)

    def layers(self) -> list[list[str]]:
        """The ids by topological generation, sorted: each task waits for one of the generation before.

        Raises:
            DependencyCycle: tasks wait for each other.
        """
        depths = [1] * len(self.tasks)
        for before, place in self._edges(self.order):
            depths[place] = max(depths[place], depths[before] + 1)
        layers: list[list[str]] = [[] for _ in range(max(depths, default=0))]
        for task, depth in zip(self.tasks, depths, strict=True):
            layers[depth - 1].append(task.id)
        return [sorted(layer) for layer in layers]

    def critical_path(self) -> tuple[list[str], float]:
        """The heaviest chain of all, from first to last, and its weight; of equal ones the greatest ids.

        Raises:
            DependencyCycle: tasks wait for each other.
        """
        weights = [task.weight for task in self.tasks]
        heads = weights.copy()
        previous: dict[int, int] = {}

        def rank(place: int) -> tuple[float, str]:
            return heads[place], self.tasks[place].id

        for before, place in self._edges(self.order):
            if place not in previous or rank(before) > rank(previous[place]):
                previous[place] = before
                heads[place] = heads[before] + weights[place]
        last = max(range(len(heads)), key=rank, default=None)
        weight = heads[last] if last is not None else 0.0
        path: list[str] = []
        while last is not None:
            path.append(self.tasks[last].id)
            last = previous.get(last)
        return path[::-1], weight

    @cached_property
    def _digraph(self) -> PyDiGraph[int | None, None]:
        """An edge leads from each task to those that wait for it."""
        import rustworkx

        graph: PyDiGraph[int | None, None] = rustworkx.PyDiGraph(
            node_count_hint=len(self.tasks), edge_count_hint=len(self._befores)
        )
        graph.add_nodes_from(range(len(self.tasks)))
        # An iterator: a list of all these pairs would be walked through by the garbage collector.
        graph.extend_from_edge_list(zip(self._befores.tolist(), self._waiting.tolist(), strict=True))
        return graph

    def _cycle(self) -> list[str]:
        """One cycle, the same for every order of the tasks: the ids, the least one first and last."""
        import rustworkx

        parts = [
            self.names(part)
            for part in rustworkx.strongly_connected_components(self._digraph)
            if len(part) > 1 or part[0] in self.waits_for(part[0])
        ]
        names = min(parts)
        inner = {name: number for number, name in enumerate(names)}
        graph: PyDiGraph[int | None, None] = rustworkx.PyDiGraph()
        graph.add_nodes_from(range(len(names)))
        for name in names:
            befores = self.names(self.waits_for(self.places[name]))
            graph.add_edges_from_no_data([(inner[name], inner[other]) for other in befores if other in inner])
        edges = list(rustworkx.digraph_find_cycle(graph, 0))
        circle = [names[start] for start, _ in edges]
        first = circle.index(min(circle))
        return [*circle[first:], *circle[:first], circle[first]]
