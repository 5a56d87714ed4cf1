"""YCSB E, short ranges: conversations, each read as a thread."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.ycsb import workload


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield from workload("e", {"scan": 95, "insert": 5}, "zipfian", "95 % short scans, 5 % inserts, Zipfian")
