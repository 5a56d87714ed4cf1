"""Where the time of a save goes: the disk, SQLite's statements, the codec, and the rest."""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Any

import msgspec

from tiergate.bench import BenchSetup
from tiergate.model import Session
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import peers
from tiergate_plugins.benchmarks.rounds import seconds, value_row
from tiergate_plugins.benchmarks.saves import saver

_STORES = ("json", "sqlite")
_DISK = ("fdatasync", "fsync", "pwrite", "pwritev")
_CODEC = ("encode", "decode")
_CALLERS = {
    "_begin": "begin",
    "_raise_version": "raise the version",
    "upsert_tasks": "put the task",
    "_execute": "commit",
}
"""The statements of a save, by the function that runs each."""


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Microseconds of a save, in all and by step; the steps are those of a profiled run, which is slower."""
    setup.progress("where the time of a save goes")
    times = 50 if setup.quick else 2000
    for name in _STORES:
        peer = peers.Ours(setup.open(f"{name}:{setup.folder / ('steps-' + name)}"))
        peer.fill(sessions)
        save = saver(peer, sessions)
        took = [seconds(save) for _ in range(times)]
        steps = _by_step(save, times)
        peer.close()
        rounds = [median(took[number::10]) * 1e6 for number in range(10)]
        row = value_row(f"{name}: save one changed task, by step", rounds, unit="us")
        yield msgspec.structs.replace(row, details=steps)


def _by_step(save: Any, times: int) -> dict[str, float]:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(times):
        save()
    profile.disable()
    steps: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        for caller, (_, _, part, _) in callers.items() if callers else [(("", 0, ""), (0, 0, own, 0))]:
            steps[_step(function[2], caller[2])] += part / times * 1e6
    return {f"{name}_us": round(spent, 1) for name, spent in sorted(steps.items(), key=lambda one: -one[1])}


def _step(function: str, caller: str) -> str:
    """What a function's own time is counted as; built-in ones are named ``<built-in method posix.fsync>``."""
    name = function.rstrip(">").split("'")[1] if "'" in function else function.rstrip(">").rpartition(".")[2]
    if name in _DISK:
        return "disk"
    if name in ("execute", "executemany"):
        return _CALLERS.get(caller, "other statements")
    return "codec" if name in _CODEC else "python"
