"""Declares the benchmarks of reconciliation: how often matches are right, and how long they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.bench import BenchSetup
from tiergate.errors import UsageError
from tiergate.hooks import BenchmarkDeclaration, Requirement, hookimpl
from tiergate.record import BenchRow


def run_reconcile(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row of the area, one theme after another.

    Raises:
        UsageError: the public data is not there.
    """
    from tiergate_plugins.reconcile.bench import lists, lookups, merges, sizes, snapshots
    from tiergate_plugins.reconcile.bench.data import data_folder

    folder = data_folder()
    if folder is None:
        raise UsageError(
            "the public task stores are not there",
            where="bench reconcile",
            hint="set TIERGATE_TEST_DATA to the folder with beads, abt_buy and fodors_zagats",
        )
    for theme in (snapshots, lists, lookups, merges):
        setup.progress(f"{theme.__name__.rpartition('.')[2]}")
        yield from theme.rows(folder)
    yield from sizes.rows(setup)


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of reconciliation."""
    extra = "tiergate[bench,reconcile]"
    yield BenchmarkDeclaration(
        name="reconcile",
        summary="matches on public task stores and labelled lists; merge conflicts; 100,000 tasks",
        requires=(
            Requirement(module="sparse_dot_topn", install=extra),
            Requirement(module="sklearn", install=extra),
        ),
        run=run_reconcile,
    )
