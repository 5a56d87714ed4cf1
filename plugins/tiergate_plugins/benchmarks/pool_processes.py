"""Processor time of this process and of those that it started, from Linux's /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def can_be_read() -> bool:
    """Whether this system tells processor time to the nanosecond."""
    return (_PROC / "self" / "schedstat").exists()


def descendants() -> frozenset[int]:
    """Ids of all processes that this one started, and those that they started."""
    if not can_be_read():
        return frozenset()
    parents = {}
    for folder in _PROC.iterdir():
        # A process can end while it is looked at.
        with suppress(OSError):
            if folder.name.isdecimal():
                # The name of the program stands in brackets and can hold anything.
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return frozenset(found - {os.getpid()})


def cpu_s(processes: Collection[int]) -> float:
    """Seconds of processor time of this process and of those, user and system, all threads."""
    return time.process_time() + sum(_of(pid) for pid in processes)


def _of(pid: int) -> float:
    """What the threads of a process that live have used.

    The first figure of ``schedstat`` is exact to the nanosecond; ``stat`` counts ticks of 10 ms.
    """
    threads = (_PROC / str(pid) / "task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
