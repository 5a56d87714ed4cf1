"""The roadmap: phases with their tasks, the critical path, and a drawing of what waits for what."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tiergate.reconcile_record import Estimate, Phase, PlannedTask, TaskRef
from tiergate.record import ReconcileRecord
from tiergate_reports import figures
from tiergate_reports.charts.graph import Node, graph
from tiergate_reports.plain import plain
from tiergate_reports.table import Cell, Table, text_column

MOST_DRAWN = 60
"""Tasks that a drawing can show; more would not be read."""

_FIRST_ROWS, _MOST_ROWS = 15, 200
"""Tasks of a phase that are shown at once, and at all."""
_GROUPS = 6
Name = Callable[[TaskRef], str]


def build(record: ReconcileRecord, name: Name) -> dict[str, object]:
    """What the page shows of the roadmap."""
    roadmap = record.roadmap
    path = {ref: place for place, ref in enumerate(roadmap.critical_path)}
    return {
        "estimate": _span(roadmap.estimate),
        "phases": [_phase(number, phase, name, path) for number, phase in enumerate(roadmap.phases)],
        "critical_path": [name(ref) for ref in roadmap.critical_path],
        "drawing": _drawing(roadmap.phases, name, path),
    }


def _phase(number: int, phase: Phase, name: Name, path: dict[TaskRef, int]) -> dict[str, object]:
    rest = phase.tasks[_FIRST_ROWS:_MOST_ROWS]
    return {
        "number": number,
        "name": plain(phase.name),
        "why": plain(phase.why),
        "estimate": _span(phase.estimate),
        "beside": [plain(one) for one in phase.beside],
        "side_by_side": [_some(group, name) for group in phase.side_by_side[:_GROUPS]],
        "tasks": _tasks(phase.tasks[:_FIRST_ROWS], name, path) if phase.tasks else None,
        "more": _tasks(rest, name, path) if rest else None,
        "left": max(0, len(phase.tasks) - _MOST_ROWS),
    }


def _some(group: Sequence[TaskRef], name: Name) -> str:
    more = f" and {len(group) - _GROUPS} more" if len(group) > _GROUPS else ""
    return ", ".join(map(name, group[:_GROUPS])) + more


def _tasks(tasks: Sequence[PlannedTask], name: Name, path: dict[TaskRef, int]) -> Table:
    return Table(
        caption=figures.plural(len(tasks), "task"),
        columns=(text_column("Task"), text_column("State"), text_column("Waits for"), text_column("Takes")),
        rows=[
            (
                Cell(name(one.task), plain(one.title)),
                Cell(
                    str(one.status),
                    ", ".join(
                        word
                        for word, holds in (("quick win", one.quick_win), ("critical path", one.task in path))
                        if holds
                    ),
                ),
                Cell(", ".join(map(name, one.blocked_by)) or "nothing"),
                Cell(_span(one.estimate) or "—", "" if one.estimate and one.estimate.stated else "guessed"),
            )
            for one in tasks
        ],
        stacked=True,
    )


def _span(estimate: Estimate | None) -> str:
    return "" if estimate is None else figures.hours(estimate.low_h, estimate.high_h)


def _drawing(phases: Sequence[Phase], name: Name, path: dict[TaskRef, int]) -> str | None:
    tasks = [one for phase in phases for one in phase.tasks]
    linked = {ref for one in tasks for ref in (one.task, *one.blocked_by) if one.blocked_by}
    shown = [one for one in tasks if one.task in linked]
    if not shown or len(shown) > MOST_DRAWN:
        return None
    nodes = [
        Node(
            name=str(one.task),
            label=name(one.task),
            title=plain(one.title),
            after=[str(ref) for ref in one.blocked_by],
            critical=one.task in path,
            active=one.status == "active",
        )
        for one in shown
    ]
    return graph(
        nodes,
        "What waits for what",
        f"{len(shown)} open tasks from left to right; the table of each phase says the same.",
        uid="roadmap-graph",
    )
