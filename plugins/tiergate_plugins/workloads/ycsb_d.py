"""YCSB D, read latest: new records are the most popular ones."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.ycsb import workload


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield from workload("d", {"read": 95, "insert": 5}, "latest", "95 % reads of what is latest, 5 % inserts")
