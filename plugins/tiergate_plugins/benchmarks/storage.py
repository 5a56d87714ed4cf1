"""Declares the benchmarks of the stores: ours beside others, at equal durability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.bench import BenchSetup
from tiergate.hooks import BenchmarkDeclaration, Requirement, hookimpl
from tiergate.record import BenchRow

_PEERS = ("diskcache", "duckdb", "lmdb", "sqlitedict")


def run_storage(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row of the area, one theme after another."""
    from tiergate_plugins.benchmarks import caching, codecs, reads, saves, writers
    from tiergate_plugins.benchmarks.texts import make_sessions

    sessions = make_sessions(seed=1, sessions=60 if setup.quick else 2000, tasks=50)
    for theme in (saves.rows, writers.rows, reads.rows, codecs.rows, caching.rows):
        yield from theme(setup, sessions)


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of the stores."""
    yield BenchmarkDeclaration(
        name="storage",
        summary="the stores beside SQLite, DuckDB, LMDB, diskcache, sqlitedict and plain JSON files",
        requires=tuple(Requirement(module=peer, install="tiergate[bench]") for peer in _PEERS),
        run=run_storage,
    )
