"""What a profile prints at its end: what it cost, the parts of the system, the functions, what to do next."""

from __future__ import annotations

from pathlib import Path

from tiergate.cli.output import output_width, table
from tiergate.errors import counted
from tiergate.profile_record import HotSpot, ProfileOverhead, ProfileRecord, ProfileTail

FUNCTIONS = 12
"""That are printed; the record has more."""

MOST_CHARACTERS = 38
"""Of a function and its place."""


def profile_lines(record: ProfileRecord) -> list[str]:
    """The tables of a profile."""
    return [
        *_head(record),
        "",
        *table(["part", "self", "share", "of p95", "total"], _components(record), output_width()),
        *_tail(record.tail),
        "",
        *table(["function", "for", "self", "share", "of p95"], _functions(record), output_width()),
        *_cut_short(record),
        *(f"  note: {remark}" for remark in record.remarks),
    ]


def next_steps(record: ProfileRecord, output: Path | None, html: Path | None) -> list[str]:
    """What to look at, and how."""
    lines = [f"wrote {path}" for path in (output, html) if path is not None]
    kept = output or Path("profile.json")
    if output is None:
        lines.append("next: keep the record with `-o profile.json`; it holds every stack")
    if html is None:
        lines.append(f"next: see the flame graph with `tiergate report {kept} -o profile.html`")
    if record.hot_spots:
        lines.append(f"after a change: profile again, and `tiergate report {kept} NEW.json -o diff.html`")
    return lines


def _head(record: ProfileRecord) -> list[str]:
    workload = record.workload
    samples = sum(process.samples for process in record.processes)
    busy = sum(process.busy_s for process in record.processes)
    what = f"operation {record.operation} of " if record.operation else ""
    return [
        f"{what}workload {workload.name}, seed {workload.seed}, router {record.router}, store {record.store}",
        f"{record.profiler} every {record.interval_ms:g} ms: {counted(samples, 'sample')} of"
        f" the coordinator and {counted(len(record.processes) - 1, 'worker')}, {busy:.3g} s of work",
        _overhead(record.overhead),
    ]


def _overhead(cost: ProfileOverhead) -> str:
    service = _ratio(cost.service, cost.service_interval)
    response = _ratio(cost.response_p95, cost.response_p95_interval)
    return (
        f"sampling made service times {service} and response p95 {response} of what they are without,"
        f" by {counted(cost.pairs, 'pair')} of rounds"
    )


def _ratio(value: float, interval: tuple[float, float] | None) -> str:
    bounds = f" [{interval[0]:.3g}, {interval[1]:.3g}]" if interval else ""
    return f"{value:.3g}x{bounds}"


def _components(record: ProfileRecord) -> list[list[str]]:
    return [
        [one.name, _seconds(one.self_s), _share(one.share), _share(one.share_of_p95), _seconds(one.total_s)]
        for one in record.components
    ]


def _functions(record: ProfileRecord) -> list[list[str]]:
    return [
        [_function(one), one.component, _seconds(one.self_s), _share(one.share), _share(one.share_of_p95)]
        for one in record.hot_spots[:FUNCTIONS]
    ]


def _function(spot: HotSpot) -> str:
    """Short enough for a line of a narrow terminal; the record has the whole path."""
    name = spot.file.rpartition("/")[2]
    place = f"  {name}:{spot.line}" if spot.line else f"  {name}"
    most = MOST_CHARACTERS - len(place)
    return (spot.function if len(spot.function) <= most else f"{spot.function[: most - 1]}…") + place


def _tail(tail: ProfileTail | None) -> list[str]:
    if tail is None:
        return []
    return [
        f"of p95: of the response time of {counted(tail.requests, 'request')}, from {tail.p95_ms:.3g} ms on:"
        f" {_share(tail.waiting)} of it outside of a worker, {_share(max(0.0, tail.unseen))} not seen"
    ]


def _cut_short(record: ProfileRecord) -> list[str]:
    return [
        f"  note: {one.name} was killed {counted(one.cut_short, 'time')}; its last moment is not known."
        for one in record.processes
        if one.cut_short
    ]


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
