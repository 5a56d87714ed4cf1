"""YCSB B, read mostly: tags that are read far more often than they are added."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.ycsb import workload


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield from workload("b", {"read": 95, "update": 5}, "zipfian", "95 % reads, 5 % updates, Zipfian")
