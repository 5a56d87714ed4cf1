"""Neighbours of a measurement: processes that compute all the time, as many as are asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tiergate.environment import usable_cores

_BUSY = "while True: sum(range(10000))"


@contextmanager
def busy(times_cores: int) -> Iterator[None]:
    """Load of so many times the cores that there are."""
    command = [sys.executable, "-c", _BUSY]
    processes = [subprocess.Popen(command) for _ in range(times_cores * usable_cores())]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
