"""YCSB F, read-modify-write: records that are read, changed and written back."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.ycsb import workload


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield from workload("f", {"read": 50, "read-modify-write": 50}, "zipfian", "half reads, half read-modify-writes, Zipfian")
