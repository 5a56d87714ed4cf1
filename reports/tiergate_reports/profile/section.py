"""What the page of a profile shows: the hot spot first, then what the profile cost, then where time went."""

from __future__ import annotations

from tiergate.profile_record import HotSpot, ProfileRecord
from tiergate.record import Interval
from tiergate_reports import figures
from tiergate_reports.plain import plain
from tiergate_reports.profile import graphs, tree
from tiergate_reports.table import Cell, Column, Figure, Table, cell, text_column

FUNCTIONS = 25

_P95 = (
    "Its part of the response time of the slowest twentieth of the requests; what is missing to the whole was"
    " spent waiting, on the wire, or unseen."
)


def build(record: ProfileRecord) -> dict[str, object]:
    """Everything that the page shows."""
    colours = graphs.palette([one.name for one in record.components])
    return {
        "heading": heading(record),
        "sentences": sentences(record),
        "facts": facts(record),
        "components": components(record),
        "functions": functions(record),
        "operations": operations(record),
        "processes": processes(record),
        "graph": figure(
            graphs.coloured(
                tree.by_operation(record), colours, "Where the time went, by operation", "by-operation"
            ),
            "Where the time went, by operation: all workers together, and the coordinator.",
        ),
        "workers": figure(
            graphs.coloured(
                tree.by_worker(record), colours, "Where the time went, by tier and worker", "by-worker"
            ),
            "The same by tier and worker.",
        ),
        "key": [(name, colours[name]) for name in (one.name for one in record.components)],
        "remarks": [plain(remark) for remark in record.remarks],
    }


def heading(record: ProfileRecord) -> str:
    """What was profiled."""
    what = f"operation {record.operation} of " if record.operation else ""
    return f"Profile of {what}workload {record.workload.name}"


def sentences(record: ProfileRecord) -> list[str]:
    """What a reader takes away."""
    if not record.hot_spots:
        return ["Nothing was seen at work: no sample fell on it."]
    part, spot = record.components[0], record.hot_spots[0]
    said = [
        f"The part that works most is {part.name}: {figures.percent(part.share)} of all work"
        + (
            f", {figures.percent(part.share_of_p95)} of the time of slow requests"
            if part.share_of_p95
            else ""
        )
        + ".",
        f"The hottest function is {plain(_name(spot))}: {figures.percent(spot.share)} of all work.",
    ]
    if record.tail is not None:
        said.append(
            f"Slow requests, from {figures.milliseconds(record.tail.p95_ms)} on, spend"
            f" {figures.percent(record.tail.waiting)} of their time outside of a worker."
        )
    said.append(_cost(record))
    return said


def _cost(record: ProfileRecord) -> str:
    cost = record.overhead
    return (
        f"Sampling made service times {figures.ratio(cost.service)}{_span(cost.service_interval)} and the p95"
        f" response time {figures.ratio(cost.response_p95)}{_span(cost.response_p95_interval)} of what they"
        " are without: trust the shares, not the times."
    )


def _span(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f" (95 %: {figures.number(interval[0])} to {figures.number(interval[1])})"


def facts(record: ProfileRecord) -> list[tuple[str, str, str]]:
    """How the profile was made."""
    samples = sum(process.samples for process in record.processes)
    return [
        ("Profiler", record.profiler, f"Every {record.interval_ms:g} ms, at the least."),
        ("Samples", figures.count(samples), "Of all processes, idle ones included."),
        (
            "Pairs of rounds",
            figures.count(record.overhead.pairs),
            "One with a profiler and one without, in drawn order.",
        ),
        ("Router", record.router, ""),
        ("Store", plain(record.store), ""),
        ("Trace", record.workload.sha256[:12], f"Seed {record.workload.seed}."),
    ]


def components(record: ProfileRecord) -> Table:
    """The parts of the system."""
    return Table(
        caption="By time of their own",
        columns=(
            text_column("Part"),
            Column("Self", help="Time in which it worked itself, with the libraries that it calls."),
            Column("Share", help="Of all time that was not idle, in workers and coordinator."),
            Column("Of p95", help=_P95),
            Column("Total", help="Time in which it was on the stack."),
        ),
        rows=[
            (
                Cell(one.name),
                Cell(figures.seconds(one.self_s)),
                Cell(figures.percent(one.share)),
                cell(one.share_of_p95, figures.percent),
                Cell(figures.seconds(one.total_s)),
            )
            for one in record.components
        ],
        empty="Nothing was seen at work.",
    )


def functions(record: ProfileRecord) -> Table:
    """The functions that took longest."""
    return Table(
        caption="Functions with the most time of their own",
        columns=(
            text_column("Function"),
            text_column("For"),
            Column("Self", help="Time in which it was the innermost call."),
            Column("Share"),
            Column("Of p95"),
            Column("Total", help="Time in which it was on the stack, once where it calls itself."),
        ),
        rows=[
            (
                Cell(plain(one.function), plain(_place(one))),
                Cell(one.component),
                Cell(figures.seconds(one.self_s)),
                Cell(figures.percent(one.share)),
                cell(one.share_of_p95, figures.percent),
                Cell(figures.seconds(one.total_s)),
            )
            for one in record.hot_spots[:FUNCTIONS]
        ],
        empty="No function was seen.",
    )


def operations(record: ProfileRecord) -> Table:
    """What was served."""
    return Table(
        caption="By time in workers",
        columns=(
            text_column("Operation"),
            Column("Requests"),
            Column("Service", help="Time in workers, of all requests of the profiled rounds."),
            Column("Overhead", help="Service time of the same requests with the profiler over that without."),
        ),
        rows=[
            (
                Cell(plain(one.name)),
                Cell(figures.count(one.requests)),
                Cell(figures.seconds(one.service_s)),
                cell(one.overhead, figures.ratio),
            )
            for one in record.operations
        ],
        empty="No request was served.",
    )


def processes(record: ProfileRecord) -> Table:
    """Who worked."""
    return Table(
        caption="All profiled rounds together",
        columns=(
            text_column("Process"),
            text_column("Tier"),
            Column("Samples"),
            Column("Busy"),
            Column("Idle"),
            Column(
                "Killed", help="Processes that were killed: what they did in their last moment is missing."
            ),
        ),
        rows=[
            (
                Cell(plain(one.name)),
                Cell(one.tier or "—"),
                Cell(figures.count(one.samples)),
                Cell(figures.seconds(one.busy_s)),
                Cell(figures.seconds(one.idle_s)),
                Cell(figures.count(one.cut_short)),
            )
            for one in record.processes
        ],
        empty="No process was seen.",
    )


def figure(svg: str | None, caption: str) -> Figure | None:
    """A graph under its caption; None where there is nothing to draw."""
    return None if svg is None else Figure(caption=caption, charts=[svg])


def _place(spot: HotSpot) -> str:
    return f"{spot.file}:{spot.line}" if spot.line else spot.file


def _name(spot: HotSpot) -> str:
    return f"{spot.function} ({_place(spot)})"
