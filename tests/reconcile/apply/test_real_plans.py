"""Public task stores: merged with the shipped matcher, applied, merged again with the result, undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from apply_desk import Desk
from msgspec.structs import replace

from tiergate.hooks import ImporterDeclaration
from tiergate.matching import Plan
from tiergate.plugins import PluginHost
from tiergate.reconcile.applying import apply, reading
from tiergate.reconcile.merging import merge
from tiergate.reconcile_record import TaskRef
from tiergate.sources import AUTO, read_source
from tiergate.store import StoreAddress

pytest.importorskip("sparse_dot_topn", reason="tiergate[reconcile] is not installed")
pytest.importorskip("rapidfuzz", reason="tiergate[reconcile] is not installed")

from tiergate_plugins.reconcile.matcher import match

BEADS = ("beads/session-2025-12-28.jsonl", "beads/session-2025-12-16.jsonl")
TASKMASTER = ("taskmaster/testcraft.tasks.json",)
BACKLOG = ("backlog_md",)

HOST = PluginHost()


def read(path: Path | str) -> Plan:
    imported, _ = read_source(Path(path), AUTO, HOST.all(ImporterDeclaration))
    # One id, so that sources of one project are merged.
    sessions = imported.sessions if len(imported.sessions) > 1 else [replace(imported.sessions[0], id="plan")]
    return Plan(source=str(path), sessions=tuple(sessions))


@pytest.mark.parametrize("names", [BEADS, TASKMASTER, BACKLOG], ids=["beads", "taskmaster", "backlog"])
def test_merged_applied_and_merged_again(shared_data: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    desk = Desk(tmp_path, "sqlite")
    plans = [read(shared_data / name) for name in names]
    merged = merge(plans, match(plans))
    everything = {
        TaskRef(plan.source, session.id, task.id)
        for plan in plans
        for session in plan.sessions
        for task in session.tasks
    }
    assert set(merged.home) == everything
    assert apply(desk.opener, desk.address, merged).made == tuple(one.id for one in merged.sessions)

    versions = reading(desk.opener, desk.address)
    with desk.opener.open_read_only(StoreAddress.parse(desk.address)) as store:
        store_plan = Plan(source="store", sessions=tuple(map(store.load, versions)))
    again = [store_plan, *plans]
    done = apply(desk.opener, desk.address, merge(again, match(again)), read=versions)
    assert [(change.task, change.field) for change in done.changes] == []
    assert done.id is None
    desk.undo()
    assert desk.content() == {}
