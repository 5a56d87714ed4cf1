"""Which tasks of one session, as several sources have it, are one task of the merged plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tiergate.matching import Matched, MatchKind
from tiergate.model import Task
from tiergate.reconcile.identities import Name, name_of, other_names
from tiergate.reconcile_record import TaskRef


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A task as one source has it.

    Attributes:
        layer: which source's session it is of, counted from 0 in the order of the sources.
    """

    layer: int
    ref: TaskRef
    task: Task


@dataclass(slots=True, eq=False)
class Cluster:
    """Nodes that become one task, in the order of their sources; the first one's values are kept.

    Attributes:
        id: that the task has in the merged plan.
    """

    nodes: list[Node]
    id: str = ""

    @property
    def first(self) -> Node:
        """What the earliest source says."""
        return self.nodes[0]


def clusters(nodes: Sequence[Node], matched: Matched) -> list[Cluster]:
    """Part the tasks of one session into those that are one, in the order of the first of each.

    Joined are, in this order: what was matched as the same, likeliest first; tasks whose id and title agree;
    a task of an earlier merge with what it was merged from. Never joined are two tasks of one source, but for
    copies that share their very id and title, and what was matched as a collision.
    """
    join = _Joining(nodes, matched)
    for a, b in join.same():
        join.try_to(a, b)
    named = _by_name(nodes)
    for alike in named.values():
        for at, node in enumerate(alike):
            any(join.try_to(earlier, node, copies=True) for earlier in alike[:at])
    for node in nodes:
        for name in other_names(node.task):
            for other in named.get(name, ()):
                join.try_to(node, other)
    return join.result()


class _Joining:
    """Sets of nodes that grow together, as a union-find whose sets know their members."""

    def __init__(self, nodes: Sequence[Node], matched: Matched) -> None:
        self._nodes = nodes
        self._of = {node: [node] for node in nodes}
        self._at: dict[TaskRef, Node] = {}
        for node in nodes:
            self._at.setdefault(node.ref, node)
        self._matches = [one for one in matched.matches if one.a in self._at and one.b in self._at]
        self._apart: defaultdict[Node, set[Node]] = defaultdict(set)
        for one in self._matches:
            if one.kind is MatchKind.COLLISION:
                a, b = self._at[one.a], self._at[one.b]
                self._apart[a].add(b)
                self._apart[b].add(a)

    def same(self) -> Iterator[tuple[Node, Node]]:
        """Pairs that were matched as the same, likeliest first."""
        found = [one for one in self._matches if one.kind is MatchKind.SAME]
        for one in sorted(found, key=lambda match: (-match.probability, match.a, match.b)):
            yield self._at[one.a], self._at[one.b]

    def try_to(self, a: Node, b: Node, *, copies: bool = False) -> bool:
        """Join what two nodes are in, unless that would make one of what must stay apart.

        Args:
            copies: whether a source may have both, when they share their id.
        """
        one, other = self._of[a], self._of[b]
        if one is other:
            return True
        layers = {node.layer for node in one} & {node.layer for node in other}
        if layers and not (copies and a.ref == b.ref):
            return False
        if any(not self._apart[node].isdisjoint(other) for node in one):
            return False
        one.extend(other)
        for node in other:
            self._of[node] = one
        return True

    def result(self) -> list[Cluster]:
        """The sets, each in the order of its nodes."""
        found: dict[int, Cluster] = {}
        for node in self._nodes:
            found.setdefault(id(self._of[node]), Cluster([])).nodes.append(node)
        return list(found.values())


def _by_name(nodes: Sequence[Node]) -> dict[Name, list[Node]]:
    """The nodes of each name."""
    found: defaultdict[Name, list[Node]] = defaultdict(list)
    for node in nodes:
        found[name_of(node.task)].append(node)
    return dict(found)
