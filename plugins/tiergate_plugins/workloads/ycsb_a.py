"""YCSB A, update heavy: a session store that records recent actions."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.ycsb import workload


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield from workload("a", {"read": 50, "update": 50}, "zipfian", "half reads, half updates, Zipfian")
