"""What was asked of the system, and where the tasks came from."""

from __future__ import annotations

import json

from tiergate.record import GateRecord, RunRecord, Source
from tiergate_reports import figures
from tiergate_reports.table import Cell, Column, Table, text_column


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """Sources, their statuses, and the trace."""
    tasks = sum(source.tasks for source in run.sources)
    sessions = sum(source.sessions for source in run.sources)
    return {
        "totals": (
            "The requests call tools of the target, on whatever it serves."
            if run.oracle is None
            else f"{figures.plural(tasks, 'task')} in {figures.plural(sessions, 'session')} came from"
            f" {figures.plural(len(run.sources), 'source')}."
        ),
        "facts": facts(run),
        "parameters": [
            (key, json.dumps(value, sort_keys=True, ensure_ascii=False, default=str))
            for key, value in sorted(run.workload.parameters.items())
        ],
        "sources": sources_table(run.sources),
        "statuses": [statuses_table(source) for source in run.sources if source.statuses],
        "notes": [(source.path, note) for source in run.sources for note in source.notes],
    }


def facts(run: RunRecord) -> list[tuple[str, str, str]]:
    """Name, value and meaning of each fact of the workload."""
    load = run.workload
    return [
        ("Workload", load.name, ""),
        ("Seed", str(load.seed), "The same seed draws the same requests."),
        ("Trace hash", load.sha256, "SHA-256 of the trace: equal hashes, equal requests."),
        (
            "Requests",
            figures.count(load.requests),
            "In the trace; every round sends all of them to every router.",
        ),
        (
            "Rounds",
            figures.count(load.rounds),
            "Routers take turns within a round; intervals come from rounds.",
        ),
        ("Length", figures.seconds(load.duration_s), "From the first intended start to the last."),
        (
            "Arrivals",
            load.arrivals,
            "A CLOSED LOOP: stalls hold requests back instead of showing in their times."
            if load.loop == "closed"
            else "Open: every request has its intended start, whatever became of the others.",
        ),
        ("Target", load.target, "What the requests were sent to."),
        (
            "Offered rate",
            figures.per_second(load.offered_rps) if load.loop == "open" else "none",
            "Requests are sent at their times, whether or not answers came."
            if load.loop == "open"
            else "Each client waits for its answer.",
        ),
        (
            "Offered load",
            "not known"
            if run.oracle is None
            else figures.percent(load.offered_load)
            if load.offered_load <= 1
            else f"{load.offered_load * 100:.0f} %",
            "Work that was sent over what the processors can do; 100 % saturates them.",
        ),
        (
            "Effort",
            load.effort,
            "How many requests and rounds were asked for; more effort gives narrower intervals.",
        ),
    ]


def sources_table(sources: list[Source]) -> Table:
    """How many tasks came from where."""
    return Table(
        caption="Sources",
        columns=(text_column("Source"), text_column("Format"), Column("Sessions"), Column("Tasks")),
        rows=[
            (Cell(s.path), Cell(s.format), Cell(figures.count(s.sessions)), Cell(figures.count(s.tasks)))
            for s in sources
        ],
        empty="The record names no source.",
    )


def statuses_table(source: Source) -> Table:
    """How the words of one source were read."""
    ordered = sorted(source.statuses.items(), key=lambda item: (-item[1][1], item[0]))
    return Table(
        caption=f"Statuses in {source.path}",
        columns=(text_column("Word in the source"), text_column("Read as"), Column("Tasks")),
        rows=[(Cell(word), Cell(status), Cell(figures.count(tasks))) for word, (status, tasks) in ordered],
    )
