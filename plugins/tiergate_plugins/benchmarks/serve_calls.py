"""Tool calls over standard streams: reading ones beside a trivial server, writing ones beside the disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from tiergate.bench import BenchSetup
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import serve_trivial
from tiergate_plugins.benchmarks.rounds import interval_of, judged, p50_rounds, ratio_row
from tiergate_plugins.benchmarks.serve_stdio import StdioServer
from tiergate_plugins.benchmarks.serve_work import PAGE, READ, ToolCall, words, writing

TRIVIAL = "a one-tool server on the same SDK"
DISK = "one append of 4 KiB and fdatasync, on this disk"
ADD = ToolCall("add", {"a": 1, "b": 2})
IN_FLIGHT = 16
_WARM_UP = 300


def rows(setup: BenchSetup, store: str) -> Iterator[BenchRow]:
    """Every row about calls over standard streams."""
    with ExitStack() as opened:
        setup.progress("starting the servers")
        ours = opened.enter_context(closing(StdioServer("tiergate serve", words(store))))
        trivial_words = [sys.executable, "-m", serve_trivial.__name__]
        trivial = opened.enter_context(closing(StdioServer(TRIVIAL, trivial_words)))
        for _ in range(_WARM_UP):
            ours.seconds(READ.tool, READ.arguments)
            trivial.seconds(ADD.tool, ADD.arguments)
        yield from _reading(setup, ours, trivial)
        yield from _many(setup, ours, trivial)
        yield _writing(setup, ours, opened.enter_context(Floor(setup.folder / "floor")))


def _reading(setup: BenchSetup, ours: StdioServer, trivial: StdioServer) -> Iterator[BenchRow]:
    setup.progress("a reading tool call, one in flight")
    took = p50_rounds(
        {
            "ours": lambda: ours.seconds(READ.tool, READ.arguments),
            "page": lambda: ours.seconds(PAGE.tool, PAGE.arguments),
            "trivial": lambda: trivial.seconds(ADD.tool, ADD.arguments),
        },
        rounds=5 if setup.quick else 20,
        each=20 if setup.quick else 100,
    )
    name = "serve: a reading call, p50"
    yield ratio_row(name, took["ours"], took["trivial"], peer=TRIVIAL, target="<= 1.15")
    yield ratio_row(
        "serve: a page of 50 tasks, p50", took["page"], took["trivial"], peer=TRIVIAL, target=None
    )


def _many(setup: BenchSetup, ours: StdioServer, trivial: StdioServer) -> Iterator[BenchRow]:
    setup.progress(f"reading tool calls a second, {IN_FLIGHT} in flight")
    draw, calls = Random(1), 100 if setup.quick else 400
    sides = [(ours, READ), (trivial, ADD)]
    took: dict[str, list[float]] = {READ.tool: [], ADD.tool: []}
    for _ in range(5 if setup.quick else 20):
        draw.shuffle(sides)
        for server, call in sides:
            took[call.tool].append(server.window(call.tool, [call.arguments] * calls, IN_FLIGHT) / calls)
    yield ratio_row(
        f"serve: reading calls/s, {IN_FLIGHT} in flight",
        took[ADD.tool],
        took[READ.tool],
        peer=TRIVIAL,
        target=">= 0.9",
    )


def _writing(setup: BenchSetup, ours: StdioServer, floor: Floor) -> BenchRow:
    """What a writing call takes beyond a reading one, in syncs of the disk that were done in between."""
    setup.progress("a writing tool call, one in flight")
    numbers = count()

    def write() -> None:
        call = writing(next(numbers))
        ours.seconds(call.tool, call.arguments)

    took = p50_rounds(
        {"write": write, "read": lambda: ours.seconds(READ.tool, READ.arguments), "sync": floor.sync},
        rounds=5 if setup.quick else 20,
        each=20 if setup.quick else 100,
    )
    more = [
        (write - read) / sync
        for write, read, sync in zip(took["write"], took["read"], took["sync"], strict=True)
    ]
    details = {f"{name}_us": median(found) * 1e6 for name, found in took.items()}
    return judged(
        BenchRow(
            name="serve: a writing call beyond a reading one, p50",
            value=median(more),
            interval=interval_of(more),
            unit="syncs",
            peer=DISK,
            target="<= 1",
            details=details,
        )
    )


class Floor:
    """The least that a durable write can cost: a file that grows by 4 KiB, synced each time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._page = b"\0" * 4096

    def sync(self) -> float:
        """Append and sync; how long that took, in seconds."""
        start = perf_counter()
        os.write(self._file, self._page)
        os.fdatasync(self._file)
        return perf_counter() - start

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
