"""The picture that ``tiergate top`` draws of a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tiergate.cli.terminal import cut, visible
from tiergate.monitoring.happenings import Happening
from tiergate.monitoring.meters import Percentiles
from tiergate.monitoring.status import Status, TierStatus

EVENTS = 10
"""Events that are shown where the height of the terminal does not tell."""

NOTHING = "-"
_STYLES = {
    "ready": "bold green",
    "degraded": "bold yellow",
    "starting": "bold cyan",
    "draining": "bold magenta",
}
_UNITS = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))
_TIME = slice(11, 19)
"""The time of day in a moment by RFC 3339."""


def view(status: Status, width: int, height: int | None = None) -> RenderableType:
    """All of it.

    Args:
        width, height: of the terminal in characters; the events take what is left of the height.
    """
    head = [
        _title(status, width),
        *_reasons(status, width),
        Text(_service(status)),
        Text(_times(status)),
    ]
    counters = _counters(status)
    above = len(head) + len(status.tiers) + 5 + bool(counters)
    room = EVENTS if height is None else max(0, height - above)
    tail = [Text(cut(counters, width), style="dim")] if counters else []
    return Group(*head, Text(), _tiers(status.tiers), *tail, Text(), *_events(status.events[:room], width))


def _title(status: Status, width: int) -> Text:
    state = status.health.state
    rest = f"  up {span(status.uptime_s)}  {state}"
    left = cut(f"tiergate {visible(status.version)}  {visible(status.store)}", max(1, width - len(rest)))
    return Text.assemble((left, "bold"), rest.removesuffix(state), (state, _STYLES[state]))


def _reasons(status: Status, width: int) -> Iterable[Text]:
    for reason in status.health.reasons:
        yield Text(cut(f"! {visible(reason)}", width), style="yellow")


def _service(status: Status) -> str:
    affinity = status.affinity
    met = f"{100 * affinity.hits / affinity.of:.0f} %" if affinity.of else NOTHING
    return (
        f"calls/s {status.calls_rps:.1f}  running {status.running}"
        f"  queue {status.queue.waiting}/{status.queue.limit}  lost {status.lost}  affinity {met}"
    )


def _times(status: Status) -> str:
    p50, p95, p99 = milliseconds(status.response_ms)
    return f"response of the last minute, ms: p50 {p50}  p95 {p95}  p99 {p99}"


def _tiers(tiers: Sequence[TierStatus]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("tier", no_wrap=True)
    for name in ("workers", "in hand", "calls/s", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for tier in tiers:
        table.add_row(
            Text(visible(tier.name)),
            Text(f"{tier.workers}/{tier.capacity}", style="" if tier.workers else "dim"),
            str(tier.in_hand),
            f"{tier.calls_rps:.1f}",
            *milliseconds(tier.response_ms),
        )
    return table


def _counters(status: Status) -> str:
    """What happened to workers and requests, where it did."""
    found = msgspec.structs.asdict(status.counters)
    return "  ".join(f"{name.replace('_', ' ')} {number}" for name, number in found.items() if number)


def _events(events: Sequence[Happening], width: int) -> Iterable[Text]:
    for event in events:
        words = [event.kind, event.who, event.cause]
        line = " ".join(filter(None, map(visible, words)))
        effect = f": {visible(event.effect)}" if event.effect else ""
        yield Text(cut(f"{visible(event.at[_TIME])}  {line}{effect}", width))


def milliseconds(times: Percentiles) -> tuple[str, str, str]:
    """The percentiles with three digits; a dash where nothing was counted."""
    p50, p95, p99 = (NOTHING if value is None else _digits(value) for value in msgspec.structs.astuple(times))
    return p50, p95, p99


def _digits(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def span(seconds: float) -> str:
    """A time in its two largest units."""
    whole = int(seconds)
    for unit, size, smaller, part in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {smaller}"
    return f"{whole} s"
