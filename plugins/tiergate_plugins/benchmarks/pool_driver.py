"""The load driver: no-ops that one core can offer, beside Locust."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks.pool_noops import blocks
from tiergate_plugins.benchmarks.rounds import ratio_row

RECORDED, BARE = "Locust's user loop, each no-op recorded", "Locust's user loop, nothing recorded"
_OURS = "tiergate_plugins.benchmarks.pool_offering"
_LOCUST = "tiergate_plugins.benchmarks.pool_locust"


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Requests a second of our driver over those of Locust; every side has a process and a core."""
    setup.progress("no-ops that one core can offer, beside Locust")
    count, spell = ("3000", "0.4") if setup.quick else ("50000", "1.5")
    sides = {
        "ours": lambda: seconds_each(run_script(_OURS, count), recorded=True),
        RECORDED: lambda: seconds_each(run_script(_LOCUST, "recorded", spell), recorded=True),
        BARE: lambda: seconds_each(run_script(_LOCUST, "bare", spell), recorded=False),
    }
    took = blocks(sides, rounds=1 if setup.quick else 5)
    for peer, target in ((RECORDED, ">= 10"), (BARE, None)):
        yield ratio_row(
            "load driver: no-op requests/s of one core", took[peer], took["ours"], peer=peer, target=target
        )


def run_script(module: str, *words: str) -> dict[str, Any]:
    """What a module says of itself, run in a process that has one core where the system can give it one."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PINNED, module, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RunError(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}", where=module)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


_PINNED = """
import os, runpy, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def seconds_each(found: dict[str, Any], *, recorded: bool) -> float:
    """Seconds of a no-op.

    Raises:
        RunError: not every one of them was recorded, where they should be.
    """
    # Locust counts on while it is asked: the last no-ops can be in one figure and not in the other.
    if recorded and abs(found["recorded"] - found["requests"]) > 0.001 * found["requests"]:
        raise RunError(f"{found['recorded']} of {found['requests']} no-ops were recorded")
    return float(found["seconds"]) / float(found["requests"])
