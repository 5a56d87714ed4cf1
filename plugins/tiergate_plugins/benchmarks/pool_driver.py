"""The load driver: no-ops that one core can offer, beside Locust."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
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
    """Requests a second of our driver over those of Locust; every side has a process and a core.

    Locust's users call nothing, so our driver sends to a target that answers at once, and times every request
    from its intended start. Two more rows are without a target: the same with everything that comes before
    and after the sending (a flight and an outcome for each request, and the histogram), and the sending with
    a router, a pool's future, and what the router is told.
    """
    setup.progress("no-ops that one core can offer, beside Locust")
    count, spell = ("3000", "0.4") if setup.quick else ("50000", "1.5")
    ours: dict[str, list[dict[str, Any]]] = {"target": [], "pool": []}
    sides: dict[str, Callable[[], float]] = {
        **{name: partial(_ours, kept, name, count) for name, kept in ours.items()},
        RECORDED: lambda: seconds_each(run_script(_LOCUST, "recorded", spell), recorded=True),
        BARE: lambda: seconds_each(run_script(_LOCUST, "bare", spell), recorded=False),
    }
    took = blocks(sides, rounds=1 if setup.quick else 5)
    name = "load driver: no-op requests/s of one core"
    whole = [one["whole_s"] / one["requests"] for one in ours["target"]]
    yield ratio_row(name, took[RECORDED], took["target"], peer=RECORDED, target=">= 10")
    yield ratio_row(name, took[BARE], took["target"], peer=BARE, target=None)
    yield ratio_row(
        f"{name}, preparation and histogram included", took[RECORDED], whole, peer=RECORDED, target=None
    )
    yield ratio_row(
        f"{name}, through router and pool", took[RECORDED], took["pool"], peer=RECORDED, target=None
    )


def _ours(kept: list[dict[str, Any]], through: str, count: str) -> float:
    """Seconds of a no-op of ours; what was found is kept."""
    kept.append(run_script(_OURS, through, count))
    return seconds_each(kept[-1], recorded=True)


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
