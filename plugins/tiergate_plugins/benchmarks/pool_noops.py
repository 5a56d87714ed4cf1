"""No-ops: one after the other, many in flight, and the processor time of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from statistics import median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import pool_processes
from tiergate_plugins.benchmarks.pool_host import ECHO, OURS, WARM_UP, Host
from tiergate_plugins.benchmarks.pool_peers import EXECUTOR, LOKY, MULTIPROCESSING, PEBBLE
from tiergate_plugins.benchmarks.rounds import ratio_row

WORKERS = 2
IN_FLIGHT = 64
OTHERS = {EXECUTOR: ">= 6", MULTIPROCESSING: ">= 3", LOKY: ">= 10", PEBBLE: ">= 5"}
"""Other pools, and how many times as many tasks a second ours should do."""


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row about no-ops; all pools have the same number of workers."""
    with ExitStack() as opened:
        hosts: dict[str, Host] = {}
        for name in (OURS, ECHO, *OTHERS):
            setup.progress(f"nothing yet: starting {name}")
            store = f"sqlite:{setup.folder / 'noops.db'}"
            hosts[name] = opened.enter_context(closing(Host(name, WORKERS, store)))
        yield from _round_trips(setup, hosts)
        yield from _tasks_a_second(setup, hosts)
        yield from _processor_time(setup, hosts)


def blocks(sides: Mapping[str, Callable[[], float]], *, rounds: int, seed: int = 1) -> dict[str, list[float]]:
    """What each side's block of work came to in each round; the sides alternate in random order."""
    draw = random.Random(seed)
    names = list(sides)
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        draw.shuffle(names)
        for name in names:
            found[name].append(sides[name]())
    return found


def _round_trips(setup: BenchSetup, hosts: Mapping[str, Host]) -> Iterator[BenchRow]:
    setup.progress("a no-op round trip, one in flight")
    each = 40 if setup.quick else 200
    took = blocks(
        {name: partial(_p50, hosts[name], each) for name in (OURS, EXECUTOR, ECHO)},
        rounds=20,
    )
    row = ratio_row(
        "pool: no-op round trip, p50", took[OURS], took[EXECUTOR], peer=EXECUTOR, target="<= 0.35"
    )
    yield msgspec.structs.replace(row, details={**row.details, "echo_us": median(took[ECHO]) * 1e6})


def _p50(host: Host, count: int) -> float:
    return median(host.round_trips(count))


def _tasks_a_second(setup: BenchSetup, hosts: Mapping[str, Host]) -> Iterator[BenchRow]:
    setup.progress(f"tasks a second, {IN_FLIGHT} in flight, {WORKERS} workers")
    count = 300 if setup.quick else 2000

    took = blocks(
        {name: partial(hosts[name].seconds, count, IN_FLIGHT) for name in (OURS, *OTHERS)},
        rounds=4 if setup.quick else 15,
    )
    for name, target in OTHERS.items():
        yield ratio_row(
            f"pool: tasks/s, {IN_FLIGHT} in flight", took[name], took[OURS], peer=name, target=target
        )


def _processor_time(setup: BenchSetup, hosts: Mapping[str, Host]) -> Iterator[BenchRow]:
    """The echo's row is judged at one in flight: then both sides wake two processes for each frame."""
    setup.progress("processor time of a no-op, parent and workers")
    if not pool_processes.can_be_read():
        setup.progress("nothing of processor time: this system has no /proc that tells it exactly")
        return
    count = 300 if setup.quick else WARM_UP
    both = [(name, in_flight) for name in (OURS, EXECUTOR) for in_flight in (1, IN_FLIGHT)]
    used = blocks(
        {
            f"{name} {in_flight}": partial(hosts[name].cpu_s, count, in_flight)
            for name, in_flight in (*both, (ECHO, 1))
        },
        rounds=4 if setup.quick else 15,
    )
    for in_flight, peer, other, target in (
        (1, f"{EXECUTOR}, 1 in flight", f"{EXECUTOR} 1", "<= 0.2"),
        (IN_FLIGHT, f"{EXECUTOR}, {IN_FLIGHT} in flight", f"{EXECUTOR} {IN_FLIGHT}", "<= 0.2"),
        (1, f"{ECHO}, 1 in flight", f"{ECHO} 1", "<= 1.5"),
        (IN_FLIGHT, f"{ECHO}, 1 in flight", f"{ECHO} 1", None),
    ):
        yield ratio_row(
            f"pool: processor time of a no-op, {in_flight} in flight",
            used[f"{OURS} {in_flight}"],
            used[other],
            peer=peer,
            target=target,
        )
