"""Opening a large store in a new process: how long, and how much memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.record import BenchRow
from tiergate.store import Store
from tiergate_plugins.benchmarks.rounds import value_row

_MIB = float(1 << 20)


def rows(setup: BenchSetup, database: Path, session_id: str) -> Iterator[BenchRow]:
    """From the start of the process until one session is loaded; Python and its imports count too.

    Before each round the kernel is told to forget the file, where it can be told.
    """
    found = []
    for _ in range(3 if setup.quick else 9):
        _forget(database)
        found.append(_open_elsewhere(setup.open, f"sqlite:{database}", session_id))
    seconds = [one[0] for one in found]
    row = value_row("sqlite: open the large store, time", seconds, unit="s", target="<= 1")
    alone = {"open_and_load_s": median(one[1] for one in found), "store_mib": database.stat().st_size / _MIB}
    yield msgspec.structs.replace(row, details=alone)
    peaks = [one[2] / _MIB for one in found]
    yield value_row("sqlite: open the large store, peak memory", peaks, unit="MiB", target="<= 100")


def _open_elsewhere(
    open_store: Callable[[str], Store], address: str, session_id: str
) -> tuple[float, float, float]:
    """Seconds of the process until the session is there, of these opening and loading, and peak bytes."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    start = time.perf_counter()
    process = context.Process(target=_open, args=(open_store, address, session_id, theirs))
    process.start()
    theirs.close()
    try:
        inside, peak = ours.recv()
    except EOFError:
        process.join()
        raise RunError("a process that opens the store failed", where=address) from None
    took = time.perf_counter() - start
    process.join()
    return took, inside, peak


def _open(open_store: Callable[[str], Store], address: str, session_id: str, results: Connection) -> None:
    start = time.perf_counter()
    with open_store(address) as store:
        store.load(session_id)
        results.send((time.perf_counter() - start, float(_peak_bytes())))


def _peak_bytes() -> int:
    """The most memory that this process has had resident.

    On Linux what `getrusage` says includes the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _forget(path: Path) -> None:
    """Drop a file from the page cache."""
    if sys.platform == "darwin":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
