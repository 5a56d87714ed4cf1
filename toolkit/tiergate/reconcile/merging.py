"""One plan of several: the sessions and tasks of all sources, with what was decided about them.

Nothing is dropped. Every task of every source is in the merged plan, by itself or as a part of one that
several sources have; what sources say otherwise is kept beside what is heard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from tiergate.matching import Matched, Plan
from tiergate.model import Session, Task
from tiergate.reconcile.identities import give_ids
from tiergate.reconcile.joining import Cluster, Node, clusters
from tiergate.reconcile.merged_fields import merged_session, merged_task
from tiergate.reconcile.merged_verdicts import NOTHING, Key, Verdict, verdicts
from tiergate.reconcile_record import Decision, TaskRef


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged plan.

    Attributes:
        sessions: in the order in which sources name them first; versions are 0.
        origins: by session and task of the merged plan, the tasks of the sources that it comes from, in the
            order of the sources.
        home: where each task of a source stands in the merged plan.
    """

    sessions: tuple[Session, ...]
    origins: Mapping[Key, tuple[TaskRef, ...]]
    home: Mapping[TaskRef, Key]


def merge(plans: Sequence[Plan], matched: Matched, decisions: Sequence[Decision] = ()) -> Merged:
    """Merge plans, the first one heard first.

    Sessions of one id become one; those of different ids stay apart, whatever their tasks are. In a session,
    tasks that are the same become one, in the order of the first source, new ones after their neighbours. Of
    two tasks that share an id and are not the same, the second gets a new one, and dependencies follow; ids
    and titles that a task has elsewhere are in ``extra["also_known_as"]``. A task that another one carries on
    is abandoned, with ``extra["merged_into"]``; what depends on it still does. What a person is asked keeps
    the value of the first source and is listed in ``extra["undecided"]``; what other sources say is in
    ``extra["other_values"]``. Merging the result with its sources again gives the result.

    Args:
        matched: matches among the tasks of `plans`.
        decisions: about them; those of the rule ``ask`` are not decided.

    Raises:
        UsageError: a decision sets what no task can have.
    """
    together: defaultdict[str, list[tuple[str, Session]]] = defaultdict(list)
    for plan in plans:
        for session in plan.sessions:
            together[session.id].append((plan.source, session))
    by_session = _matches_by_session(matched)
    drafts = [_Draft.of(sources, by_session.get(name, Matched())) for name, sources in together.items()]
    home = {ref: place for draft in drafts for ref, place in draft.homes()}
    by_id = {draft.id: draft for draft in drafts}
    said = verdicts(decisions, home.get, lambda ref, ids: by_id[ref.session].translated(ref, ids))
    return Merged(
        sessions=tuple(draft.merged(said) for draft in drafts),
        origins={place: refs for draft in drafts for place, refs in draft.origins()},
        home=home,
    )


def _matches_by_session(matched: Matched) -> dict[str, Matched]:
    """The matches that can make two tasks one, which are those inside sessions of one id."""
    found = defaultdict(list)
    for one in matched.matches:
        if one.a.session == one.b.session:
            found[one.a.session].append(one)
    return {name: Matched(matches=tuple(matches)) for name, matches in found.items()}


@dataclass(slots=True)
class _Draft:
    """One session of the merged plan, before decisions.

    Attributes:
        sessions: as the sources have it, in their order.
        clusters: its tasks in the order of the merged plan, with their ids.
        names: for each of `sessions`, what its ids are in the merged plan.
    """

    id: str
    sessions: list[Session]
    clusters: list[Cluster]
    names: list[dict[str, str]]
    layer_of: dict[TaskRef, int] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Sequence[tuple[str, Session]], matched: Matched) -> _Draft:
        nodes = [
            Node(layer, TaskRef(source, session.id, task.id), task)
            for layer, (source, session) in enumerate(sources)
            for task in session.tasks
        ]
        found = clusters(nodes, matched)
        for cluster, new_id in zip(found, give_ids(one.first.task for one in found), strict=True):
            cluster.id = new_id
        cluster_of = {node: cluster for cluster in found for node in cluster.nodes}
        names: list[dict[str, str]] = [{} for _ in sources]
        layer_of: dict[TaskRef, int] = {}
        for node in nodes:
            names[node.layer].setdefault(node.task.id, cluster_of[node].id)
            layer_of.setdefault(node.ref, node.layer)
        ordered: list[Cluster] = []
        for layer in range(len(sources)):
            ordered = _in_order(ordered, [cluster_of[node] for node in nodes if node.layer == layer])
        return cls(sources[0][1].id, [session for _, session in sources], ordered, names, layer_of)

    def homes(self) -> Iterable[tuple[TaskRef, Key]]:
        """Where each task of the sources is; of two that one source calls alike, where the first is."""
        found: dict[TaskRef, Key] = {}
        for ref, layer in self.layer_of.items():
            found[ref] = (self.id, self.names[layer][ref.task])
        return found.items()

    def origins(self) -> Iterable[tuple[Key, tuple[TaskRef, ...]]]:
        """What each of its tasks comes from."""
        for one in self.clusters:
            yield (self.id, one.id), tuple(dict.fromkeys(node.ref for node in one.nodes))

    def translated(self, ref: TaskRef, ids: Sequence[str]) -> list[str]:
        """Ids as the source of a task means them, to ids of the merged plan."""
        return _translated(ids, self.names[self.layer_of[ref]])

    def merged(self, said: Mapping[Key, Verdict]) -> Session:
        """The session with what is said of its tasks."""
        tasks = tuple(
            merged_task([self._own(node) for node in one.nodes], one.id, said.get((self.id, one.id), NOTHING))
            for one in self.clusters
        )
        return merged_session(self.sessions, tasks)

    def _own(self, node: Node) -> Task:
        ids = _translated(node.task.dependencies, self.names[node.layer])
        return replace(node.task, dependencies=tuple(ids))


def _translated(ids: Sequence[str], names: Mapping[str, str]) -> list[str]:
    new = [names.get(one, one) for one in ids]
    return new if new == list(ids) else list(dict.fromkeys(new))


def _in_order(ordered: list[Cluster], layer: Sequence[Cluster]) -> list[Cluster]:
    """The order of earlier sources with what the next one adds: each new task after the one before it.

    New tasks at its beginning go before the first that is known, and to the end where none is.
    """
    known = set(map(id, ordered))
    before: list[Cluster] = []
    after: defaultdict[int, list[Cluster]] = defaultdict(list)
    first = here = None
    seen = set(known)
    for cluster in layer:
        if id(cluster) in known:
            here = id(cluster)
            first = first or here
        elif id(cluster) not in seen:
            (before if here is None else after[here]).append(cluster)
            seen.add(id(cluster))
    if first is None:
        return [*ordered, *before]
    merged: list[Cluster] = []
    for cluster in ordered:
        if id(cluster) == first:
            merged += before
        merged += [cluster, *after.get(id(cluster), ())]
    return merged
