"""Dependencies that cannot be met, circles of them, and tasks whose parent is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tiergate.model import Status
from tiergate.reconcile.findings.view import OPEN, View, listed, named
from tiergate.reconcile.grouping import Known
from tiergate.reconcile_record import Finding, FindingKind, Severity

_PARENT_FIELDS = ("parent", "parent_id", "parent_task_id", "parentTaskId", "parentId")


def bad_dependencies(view: View) -> Iterator[Finding]:
    """Tasks that wait for one that is missing, abandoned or later, or that did not wait for an open one."""
    for members in view.sessions.values():
        by_id = {known.ref.task: known for known in members}
        for known in members:
            if known.task.status is Status.ABANDONED:
                continue
            for needed in dict.fromkeys(known.task.dependencies):
                found = _wrong(view, known, by_id.get(needed), needed)
                if found is not None:
                    severity, what, hint = found
                    near = (by_id[needed].ref,) if needed in by_id else ()
                    yield Finding(
                        kind=FindingKind.BAD_DEPENDENCY,
                        severity=severity,
                        tasks=(known.ref, *near),
                        message=f"{named(known)} {what}",
                        hint=hint,
                    )


def _wrong(view: View, known: Known, other: Known | None, needed: str) -> tuple[Severity, str, str] | None:
    is_open = known.task.status in OPEN
    if other is None:
        severity: Severity = "high" if is_open else "low"
        return severity, f"needs {needed!r}, which its session does not have", "mend the id, or drop it"
    if other is known:
        return None  # a circle
    status = other.task.status
    if status is Status.ABANDONED and is_open and not view.is_settled(other):
        return "high", f"needs {named(other)}, which is abandoned", "drop the dependency, or take it up again"
    if known.task.status is Status.COMPLETED and status in OPEN:
        return (
            "medium",
            f"is completed although it needs {named(other)}, which is {status}",
            "look whether it is really done",
        )
    if is_open and status in OPEN and _is_later(known.ref.task, needed):
        return "low", f"needs {named(other)}, which stands later in the plan", "check the order"
    return None


def _is_later(task: str, needed: str) -> bool:
    """Of plain numbers only, which are given in the order of a plan."""
    return task.isdecimal() and needed.isdecimal() and int(needed) > int(task)


def cycles(view: View) -> Iterator[Finding]:
    """Open tasks that wait for each other in a circle."""
    for members in view.sessions.values():
        open_ones = [known for known in members if known.task.status in OPEN]
        for circle in _circles(open_ones):
            names = [known.ref.task for known in circle]
            yield Finding(
                kind=FindingKind.CYCLE,
                severity="high",
                tasks=tuple(known.ref for known in circle),
                message=f"in session {circle[0].ref.session!r} none of these can begin:"
                f" {' → '.join([*names[:_CHAIN], *(['…'] if len(names) > _CHAIN else []), names[0]])}",
                hint="each waits for the next; remove one of these dependencies",
            )


_CHAIN = 12


def _circles(members: Sequence[Known]) -> Iterator[list[Known]]:
    """Every strongly connected component with its members along a circle of it."""
    waiting = [known for known in members if known.task.dependencies]
    if not waiting:
        return
    import rustworkx

    places = {known.ref.task: place for place, known in enumerate(members)}
    graph: Any = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(len(members)))
    edges = [
        (places[known.ref.task], places[needed])
        for known in waiting
        for needed in known.task.dependencies
        if needed in places
    ]
    graph.extend_from_edge_list(edges)
    itself = {one for one, other in edges if one == other}
    for component in rustworkx.strongly_connected_components(graph):
        if len(component) == 1 and component[0] not in itself:
            continue
        inside = graph.subgraph(sorted(component))
        circle = rustworkx.digraph_find_cycle(inside, 0)
        yield [members[inside[one]] for one, _ in circle] or [members[place] for place in sorted(component)]


def orphaned(view: View) -> Iterator[Finding]:
    """Open tasks whose parent is missing or abandoned."""
    for members in view.sessions.values():
        by_id = {known.ref.task: known for known in members}
        children: dict[str, list[Known]] = {}
        for known in members:
            parent = _parent(known, by_id)
            if parent is not None and known.task.status in OPEN:
                children.setdefault(parent, []).append(known)
        for parent, left in children.items():
            holder = by_id.get(parent)
            if holder is not None and holder.task.status is not Status.ABANDONED:
                continue
            what = "is abandoned" if holder is not None else "is not in their session"
            yield Finding(
                kind=FindingKind.ORPHANED,
                severity="medium",
                tasks=tuple(known.ref for known in left),
                message=f"the parent {parent!r} of {listed([known.ref.task for known in left])} {what}",
                hint="decide about them too: give them another parent, or abandon them",
            )


def _parent(known: Known, by_id: dict[str, Known]) -> str | None:
    """The id of the parent that a task names, or that its own id says."""
    for field in _PARENT_FIELDS:
        named_parent = known.task.extra.get(field)
        if isinstance(named_parent, str) and named_parent:
            return named_parent
    above = known.ref.task.rpartition(".")[0]
    return above if above in by_id else None
