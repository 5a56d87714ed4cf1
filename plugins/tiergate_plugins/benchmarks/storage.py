"""Declares the benchmarks of the stores: ours beside others at equal durability, and SQLite's settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.bench import BenchSetup
from tiergate.hooks import BenchmarkDeclaration, Requirement, hookimpl
from tiergate.record import BenchRow

_PEERS = ("diskcache", "duckdb", "lmdb", "sqlitedict")


def run_storage(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row of the area, one theme after another."""
    from tiergate_plugins.benchmarks import (
        caching,
        codecs,
        growth,
        moving,
        reads,
        save_steps,
        saves,
        sizes,
        writers,
    )
    from tiergate_plugins.benchmarks.texts import make_sessions

    sessions = make_sessions(seed=1, sessions=200 if setup.quick else 2000, tasks=50)
    few = sessions[:60] if setup.quick else sessions
    for theme in (saves.rows, save_steps.rows, writers.rows, reads.rows, codecs.rows, caching.rows):
        yield from theme(setup, few)
    for theme in (sizes.rows, moving.rows, growth.rows):
        yield from theme(setup, sessions)


def run_settings(setup: BenchSetup) -> Iterator[BenchRow]:
    """A row for every other choice that the SQLite store could have made."""
    from tiergate_plugins.benchmarks import settings
    from tiergate_plugins.benchmarks.texts import make_sessions

    yield from settings.rows(setup, make_sessions(seed=1, sessions=20 if setup.quick else 1000, tasks=50))


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of the stores, and of the settings of one."""
    yield BenchmarkDeclaration(
        name="storage",
        summary="the stores beside SQLite, DuckDB, LMDB, diskcache, sqlitedict and plain JSON files",
        requires=tuple(Requirement(module=peer, install="tiergate[bench]") for peer in _PEERS),
        run=run_storage,
    )
    yield BenchmarkDeclaration(
        name="sqlite-settings",
        summary="what page size, caches, journal and the other settings of sqlite: are worth",
        run=run_settings,
    )
