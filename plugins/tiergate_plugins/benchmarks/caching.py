"""The cache: reading again what was read or computed before, beside doing it again."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tiergate.bench import BenchSetup
from tiergate.model import Session
from tiergate.record import BenchRow
from tiergate.store import Store
from tiergate_plugins.benchmarks.rounds import p50_rounds, ratio_row
from tiergate_plugins.benchmarks.texts import make_sessions

_TASKS = 5000


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Every row about the cache."""
    setup.progress("reading again through the cache")
    path = setup.folder / "cached.db"
    (large,) = make_sessions(seed=9, sessions=1, tasks=_TASKS // 10 if setup.quick else _TASKS)
    with setup.open(f"sqlite:{path}") as plain, setup.open(f"zstd+sqlite:{path}") as cached:
        with plain.transaction():
            for session in sessions[:1000]:
                plain.save(session)
        plain.save(msgspec.structs.replace(large, id="large"))
        took = p50_rounds(
            {"cached": lambda: cached.load("large"), "plain": lambda: plain.load("large")},
            rounds=15,
            each=2 if setup.quick else 5,
        )
        yield ratio_row(
            "zstd+sqlite: read a large session again, speed",
            took["plain"],
            took["cached"],
            peer="sqlite:",
            target=">= 5",
            unit="ms",
        )
        took = p50_rounds(
            {
                "cached": lambda: cached.remember(b"weight by status", None, lambda: _summary(cached)),
                "plain": lambda: _summary(plain),
            },
            rounds=15,
            each=1,
        )
        yield ratio_row(
            "zstd+sqlite: a result that spans sessions, speed",
            took["plain"],
            took["cached"],
            peer="computing it again on sqlite:",
            target=">= 5",
            unit="ms",
        )


def _summary(store: Store) -> dict[str, float]:
    """Work left by status, over all sessions."""
    found: dict[str, float] = {}
    for name in store.ids():
        for task in store.load(name).tasks:
            found[task.status] = found.get(task.status, 0.0) + task.weight
    return found
