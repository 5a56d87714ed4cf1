"""Saves by several processes at once, each to sessions of its own."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tiergate.bench import BenchSetup
from tiergate.model import Session
from tiergate.record import BenchRow
from tiergate.store import Store
from tiergate_plugins.benchmarks import peers
from tiergate_plugins.benchmarks.rounds import ratio_row
from tiergate_plugins.benchmarks.saves import OTHERS, saver

_WRITERS = 4
_WAIT_S = 60.0


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """`sqlite:` beside every other, with four writers."""
    setup.progress(f"saves beside other stores, {_WRITERS} writers")
    places = {"sqlite:": setup.folder / "writers-ours"} | {
        name: setup.folder / f"writers-{number}" for number, name in enumerate(OTHERS)
    }
    some = sessions[:400]
    for name, place in places.items():
        peer = _open(name, place, setup.open)
        peer.fill(some)
        peer.close()
    took: dict[str, list[float]] = {name: [] for name in places}
    draw, names = random.Random(5), list(places)
    for _ in range(1 if setup.quick else 7):
        draw.shuffle(names)
        for name in names:
            each = 20 if setup.quick else 150
            took[name].append(_seconds_a_save(name, places[name], setup.open, some, each))
    for name, target in OTHERS.items():
        row = f"sqlite: saves/s, {_WRITERS} writers"
        yield ratio_row(row, took[name], took["sqlite:"], peer=name, target=target)


def _open(name: str, place: Path, open_store: Callable[[str], Store]) -> peers.Peer:
    if name == "sqlite:":
        return peers.Ours(open_store(f"sqlite:{place}"))
    return peers.open_other(name, place)


def _seconds_a_save(
    name: str, place: Path, open_store: Callable[[str], Store], sessions: list[Session], each: int
) -> float:
    """Time from the common start to the last save, over all saves."""
    context = multiprocessing.get_context("forkserver")  # imports once for all writers
    context.set_forkserver_preload([__name__])
    barrier = context.Barrier(_WRITERS)
    results = context.SimpleQueue()
    writers = [
        context.Process(
            target=_write,
            args=(name, place, open_store, sessions[number::_WRITERS], each, barrier, results),
        )
        for number in range(_WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    if any(writer.exitcode for writer in writers):
        raise RuntimeError(f"a writer of {name} failed")
    spans = [results.get() for _ in writers]
    return float(max(end for _, end in spans) - min(start for start, _ in spans)) / (each * _WRITERS)


def _write(
    name: str,
    place: Path,
    open_store: Callable[[str], Store],
    sessions: list[Session],
    each: int,
    barrier: Barrier,
    results: SimpleQueue[tuple[float, float]],
) -> None:
    peer = _open(name, place, open_store)
    peer.know(sessions)
    save = saver(peer, sessions)
    barrier.wait(_WAIT_S)
    start = time.monotonic()
    for _ in range(each):
        save()
    peer.settle()
    results.put((start, time.monotonic()))
    peer.close()
