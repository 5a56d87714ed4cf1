"""What the workers used, how sessions met them, and what happened to them."""

from __future__ import annotations

from collections import Counter

from tiergate.record import GateRecord, RunRecord, Variant
from tiergate_reports import figures, metrics
from tiergate_reports.table import Cell, Column, Table, cell, text_column

MOST_EVENTS = 60


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """Three small tables, and every router's events to unfold."""
    return {
        "resources": resources_table(run),
        "driver": driver_table(run),
        "affinity": affinity_table(run),
        "kinds": kinds_table(run),
        "events": [events_table(variant) for variant in run.variants if variant.events],
    }


def resources_table(run: RunRecord) -> Table:
    """Processor, memory and workers."""
    return Table(
        caption="Resources",
        columns=(
            text_column("Router"),
            Column("Processor time", "", "Of all workers over all rounds, their start-up included."),
            Column("Peak memory", "", "Resident memory at its highest, in the worst round."),
            Column("Worker seconds", "", "Time that workers were alive, idle or not: what the pool costs."),
        ),
        rows=[
            (
                Cell(v.name, f"{v.pool}, {v.store}"),
                cell(v.resources.cpu_s, figures.seconds, interval=metrics.interval_of(v, "resources.cpu_s")),
                Cell(figures.size(v.resources.peak_rss_bytes)),
                Cell(figures.seconds(v.resources.worker_seconds)),
            )
            for v in run.variants
        ],
        empty="This run has no variants.",
    )


def driver_table(run: RunRecord) -> Table:
    """How busy the load generator itself was; how late it was stands with the latencies."""
    return Table(
        caption="Load generator",
        columns=(
            text_column("Router"),
            Column(
                "Busy", "of one core", "Its own process, in the worst round; near 100 % it is what limits."
            ),
            Column("Dropped", "requests", "Refused by a full queue; counted as lost."),
        ),
        rows=[
            (
                Cell(v.name),
                cell(v.driver.busy if v.driver else None, figures.percent, reason="not recorded"),
                Cell(figures.count(v.requests.dropped)),
            )
            for v in run.variants
        ],
        empty="This run has no variants.",
    )


def affinity_table(run: RunRecord) -> Table:
    """Whether sessions met their worker, and at what price in balance."""
    return Table(
        caption="Affinity",
        columns=(
            text_column("Router"),
            Column(
                "Hit rate",
                "",
                "Requests that met the worker which last served their session in that tier; higher is"
                " better.",
            ),
            Column("Busiest worker", "", "Its requests over the mean of its tier; ×1 is an even spread."),
        ),
        rows=[
            (
                Cell(v.name),
                cell(
                    v.affinity.hit_rate,
                    figures.percent,
                    interval=metrics.interval_of(v, "affinity.hit_rate"),
                    reason="no session came twice",
                ),
                Cell(figures.ratio(v.affinity.max_load_ratio)),
            )
            for v in run.variants
        ],
        empty="This run has no variants.",
    )


def kinds_table(run: RunRecord) -> Table:
    """How often each kind of event happened."""
    kinds = sorted({event.kind for variant in run.variants for event in variant.events})
    counted = [(variant, Counter(event.kind for event in variant.events)) for variant in run.variants]
    return Table(
        caption="Events of workers, all rounds",
        columns=(text_column("Router"), *(Column(kind) for kind in kinds)),
        rows=[
            (Cell(v.name), *(Cell(figures.count(counts[kind])) for kind in kinds))
            for v, counts in counted
            if kinds
        ],
        empty="No events were recorded.",
    )


def events_table(variant: Variant) -> Table:
    """The first events of one variant."""
    shown = variant.events[:MOST_EVENTS]
    rest = len(variant.events) - len(shown)
    more = f" (the first {len(shown)}; the record has {figures.count(rest)} more)" if rest else ""
    return Table(
        caption=f"{variant.name}: events{more}",
        columns=(
            Column("Round"),
            Column("At", "s"),
            text_column("Event"),
            text_column("Worker"),
            text_column("Detail"),
        ),
        rows=[
            (
                Cell(str(e.round)),
                Cell(figures.number(e.at_s)),
                Cell(e.kind),
                Cell(e.worker),
                Cell(e.detail or "—"),
            )
            for e in shown
        ],
    )
