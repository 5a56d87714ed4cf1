"""No-ops: one after the other, many in flight, and the processor time of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from statistics import median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.pool import TierSpec
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import pool_processes
from tiergate_plugins.benchmarks.pool_found import make_pool
from tiergate_plugins.benchmarks.pool_peers import EXECUTOR, LOKY, MULTIPROCESSING, PEBBLE, open_peer
from tiergate_plugins.benchmarks.pool_sides import Echo, Ours, Side, require_all
from tiergate_plugins.benchmarks.rounds import ratio_row

WORKERS = 2
IN_FLIGHT = 64
OURS, ECHO = "ours", "a bare Unix-socket echo of the same frames, 1 in flight"
OTHERS = {EXECUTOR: ">= 6", MULTIPROCESSING: ">= 3", LOKY: ">= 10", PEBBLE: ">= 5"}
"""Other pools, and how many times as many tasks a second ours should do."""

_WARM_UP = 500


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row about no-ops; all pools have the same number of workers."""
    with ExitStack() as opened:
        sides, processes = _open(setup, opened)
        yield from _round_trips(setup, sides)
        yield from _tasks_a_second(setup, sides)
        yield from _processor_time(setup, sides, processes)


def _open(setup: BenchSetup, opened: ExitStack) -> tuple[dict[str, Side], dict[str, frozenset[int]]]:
    """Every side, warm and known to do all of its work, and the processes of each."""
    count = 300 if setup.quick else 1000
    openers: dict[str, Callable[[], Side]] = {
        name: (lambda name=name: open_peer(name, WORKERS)) for name in OTHERS
    }
    openers[ECHO] = lambda: Echo(max(count, _WARM_UP))
    openers[OURS] = lambda: Ours(
        make_pool([TierSpec("hot", WORKERS)], f"sqlite:{setup.folder / 'noops.db'}")
    )
    sides: dict[str, Side] = {}
    processes: dict[str, frozenset[int]] = {}
    for name, opener in openers.items():
        setup.progress(f"nothing yet: starting {name}")
        before = pool_processes.descendants() if pool_processes.can_be_read() else frozenset()
        sides[name] = opened.enter_context(closing(opener()))
        require_all(name, sides[name], _WARM_UP, 1 if name == ECHO else IN_FLIGHT)
        if pool_processes.can_be_read():
            processes[name] = pool_processes.descendants() - before
    return sides, processes


def blocks(
    sides: Mapping[str, Callable[[], float]], *, rounds: int, seed: int = 1
) -> dict[str, list[float]]:
    """What each side's block of work came to in each round; the sides alternate in random order."""
    draw = random.Random(seed)
    names = list(sides)
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        draw.shuffle(names)
        for name in names:
            found[name].append(sides[name]())
    return found


def _round_trips(setup: BenchSetup, sides: Mapping[str, Side]) -> Iterator[BenchRow]:
    setup.progress("a no-op round trip, one in flight")
    each = 40 if setup.quick else 200
    took = blocks(
        {name: (lambda side=sides[name]: median(side.round_trips(each))) for name in (OURS, EXECUTOR, ECHO)},
        rounds=20,
    )
    row = ratio_row(
        "pool: no-op round trip, p50", took[OURS], took[EXECUTOR], peer=EXECUTOR, target="<= 0.35"
    )
    yield msgspec.structs.replace(row, details={**row.details, "echo_us": median(took[ECHO]) * 1e6})


def _tasks_a_second(setup: BenchSetup, sides: Mapping[str, Side]) -> Iterator[BenchRow]:
    setup.progress(f"tasks a second, {IN_FLIGHT} in flight, {WORKERS} workers")
    count = 300 if setup.quick else 2000

    def seconds_each(name: str) -> float:
        start = time.perf_counter()
        require_all(name, sides[name], count, IN_FLIGHT)
        return (time.perf_counter() - start) / count

    took = blocks(
        {name: (lambda name=name: seconds_each(name)) for name in (OURS, *OTHERS)},
        rounds=4 if setup.quick else 15,
    )
    for name, target in OTHERS.items():
        yield ratio_row(
            f"pool: tasks/s, {IN_FLIGHT} in flight", took[name], took[OURS], peer=name, target=target
        )


def _processor_time(
    setup: BenchSetup, sides: Mapping[str, Side], processes: Mapping[str, frozenset[int]]
) -> Iterator[BenchRow]:
    """The echo's row is judged at one in flight: then both sides wake two processes for each frame."""
    setup.progress("processor time of a no-op, parent and workers")
    if not processes:
        setup.progress("nothing of processor time: this system has no /proc that tells it exactly")
        return
    count = 300 if setup.quick else 1000

    def cpu_each(name: str, in_flight: int) -> float:
        before = pool_processes.cpu_s(processes[name])
        require_all(name, sides[name], count, in_flight)
        return (pool_processes.cpu_s(processes[name]) - before) / count

    both = [(name, in_flight) for name in (OURS, EXECUTOR) for in_flight in (1, IN_FLIGHT)]
    used = blocks(
        {
            f"{name} {in_flight}": (lambda name=name, in_flight=in_flight: cpu_each(name, in_flight))
            for name, in_flight in (*both, (ECHO, 1))
        },
        rounds=4 if setup.quick else 15,
    )
    for in_flight, peer, other, target in (
        (1, f"{EXECUTOR}, 1 in flight", f"{EXECUTOR} 1", "<= 0.2"),
        (IN_FLIGHT, f"{EXECUTOR}, {IN_FLIGHT} in flight", f"{EXECUTOR} {IN_FLIGHT}", "<= 0.2"),
        (1, ECHO, f"{ECHO} 1", "<= 1.5"),
        (IN_FLIGHT, ECHO, f"{ECHO} 1", None),
    ):
        yield ratio_row(
            f"pool: processor time of a no-op, {in_flight} in flight",
            used[f"{OURS} {in_flight}"],
            used[other],
            peer=peer,
            target=target,
        )
