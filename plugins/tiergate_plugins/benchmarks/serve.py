"""Declares the benchmarks of the server that agents speak to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.bench import BenchSetup
from tiergate.hooks import BenchmarkDeclaration, Requirement, hookimpl
from tiergate.record import BenchRow


def run_serve(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row of the area, one theme after another, on one store."""
    from tiergate_plugins.benchmarks import monitoring, serve_calls, serve_http, serve_work

    store = f"sqlite:{setup.folder / 'serve.db'}"
    serve_work.fill(setup, store)
    for theme in (serve_calls, monitoring, serve_http):
        yield from theme.rows(setup, store)


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of the server."""
    yield BenchmarkDeclaration(
        name="serve",
        summary="tool calls beside a one-tool server on the same SDK; cost of watching; many HTTP sessions",
        requires=(Requirement(module="mcp", install="tiergate[serve]"),),
        run=run_serve,
    )
