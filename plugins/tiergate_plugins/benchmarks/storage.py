"""The benchmarks of the stores."""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.hooks import BenchmarkDeclaration, hookimpl


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of the stores."""
    return ()
