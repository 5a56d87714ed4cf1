"""The main job on somebody's own task store: what came from where, down to the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.gate.budgets import parse_budgets
from tiergate.gate.check import check_run
from tiergate.hooks import ExporterDeclaration, ImporterDeclaration, RouterDeclaration, WorkloadDeclaration
from tiergate.load.effort import Effort
from tiergate.load.experiment import run
from tiergate.load.plan import Plan, Silent
from tiergate.plugins import PluginHost
from tiergate.record import RunRecord
from tiergate.sources import read_source

TINY = Effort(tasks=1, training=100, requests=40, passes=2, rounds=1)
ROUTERS = ("shared-queue", "least-work-left", "size-heuristic", "oracle")

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost()


def run_on(host: PluginHost, path: Path) -> RunRecord:
    imported, source = read_source(path, "auto", host.all(ImporterDeclaration))
    plan = Plan(
        effort_name="tiny",
        effort=TINY,
        seed=7,
        workload=host.get(WorkloadDeclaration, "agents"),
        routers=[host.get(RouterDeclaration, name) for name in ROUTERS],
        configured_router="size-heuristic",
        store="sqlite:",
        pool="local",
        tiers={"hot": 1, "warm": 1, "cold": 1},
        offered_load=0.4,
        sessions=imported.sessions,
        sources=[source],
    )
    return run(plan, host, Silent())


@pytest.mark.parametrize(
    ("place", "format_name", "tasks", "status"),
    [
        ("beads/session-2025-12-28.jsonl", "beads", 695, ("tombstone", ("abandoned", 251))),
        ("taskmaster/testcraft.tasks.json", "taskmaster", 145, ("in-progress", ("active", 1))),
        ("backlog_md", "backlog", 398, ("Won't Do", ("abandoned", 5))),
    ],
)
def test_report_says_how_many_tasks_came_from_where(
    host: PluginHost,
    shared_data: Path,
    place: str,
    format_name: str,
    tasks: int,
    status: tuple[str, tuple[str, int]],
) -> None:
    record = run_on(host, shared_data / place)
    source = record.sources[0]
    assert (source.format, source.tasks) == (format_name, tasks)
    word, mapped = status
    assert source.statuses[word] == mapped
    assert all(variant.requests.lost == 0 for variant in record.variants)
    assert record.too_few, "forty requests are too few for a verdict, and the record says so"

    gate = check_run(record, parse_budgets({"requests.lost": "= 0"}))
    page = host.get(ExporterDeclaration, "html").render([record, gate])
    assert gate.verdict == "inconclusive"
    assert f"{tasks}" in page
    assert word.replace("'", "&#39;") in page
    assert place.rpartition("/")[2] in page
