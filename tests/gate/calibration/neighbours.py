"""Neighbours of a measurement: processes that compute all the time, as many as are asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BUSY = "while True: sum(range(10000))"


@contextmanager
def busy(times_cores: int) -> Iterator[None]:
    """Load of so many times the cores that there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(times_cores * cores)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
