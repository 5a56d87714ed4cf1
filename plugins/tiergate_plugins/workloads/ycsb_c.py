"""YCSB C, read only: profiles that are kept up to date elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.ycsb import workload


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield from workload("c", {"read": 100}, "zipfian", "reads alone, Zipfian")
