"""Two plans that contradict each other, a third that may be obsolete, and two lists: every branch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tiergate.cli import main
from tiergate.model import Status
from tiergate.reconcile_record import FindingKind
from tiergate.record import ReconcileRecord, read_record

pytest.importorskip("sparse_dot_topn", reason="tiergate[reconcile] is not installed")

DATA = Path(__file__).resolve().parents[2] / "data" / "two_plans"
FIRST, SECOND, THIRD = (
    "WORKER_POOL_INTEGRATION_NOV17",
    "FLOW_BALANCER_OPTIMIZATION_NOV17",
    "PSYCHONOIR-BUN-MONOREPO-PHASE1",
)
COORDINATOR = Path(".poly_gluttony/flow-balancer/MCPCoordinator.ts")


def make_root(folder: Path, *, lines: int, works: bool, workspaces: bool) -> Path:
    """The working tree that the plans speak of, as a git repository."""
    folder.mkdir()
    (folder / "WorkerPoolManager.ts").write_text("export const line = 1;\n" * 550)
    if lines:
        (folder / COORDINATOR).parent.mkdir(parents=True)
        (folder / COORDINATOR).write_text("export const line = 1;\n" * lines)
    package: dict[str, Any] = {"name": "root"} | ({"workspaces": ["packages/*"]} if workspaces else {})
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "try_coordinator.py").write_text(f"raise SystemExit({int(not works)})\n")
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*git, "add", "-A"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "All of it"], cwd=folder, check=True)
    return folder


def reconciled(
    tmp_path: Path, *more: str, lines: int = 0, works: bool = True, workspaces: bool = False
) -> ReconcileRecord:
    root = make_root(tmp_path / "root", lines=lines, works=works, workspaces=workspaces)
    words = ["reconcile", str(DATA / "sessions.jsonl"), "--root", str(root), "--allow-commands", "-q"]
    words += ["--wishes", str(DATA / "optimisations.md"), "--wishes", str(DATA / "storage.md")]
    words += ["--evidence", str(DATA / "evidence.toml"), "--decisions", str(DATA / "decisions.toml")]
    out = tmp_path / "record.json"
    assert main([*words, "--json", str(out), *more]) == 0
    record = read_record(out)
    assert isinstance(record, ReconcileRecord)
    return record


def merged_statuses(tmp_path: Path, **tree: Any) -> tuple[ReconcileRecord, dict[str, Status]]:
    """The record, and the status of each task of the merged plan, as a store then holds it."""
    from tiergate.plugins import PluginHost

    store = f"sqlite:{tmp_path / 'merged.db'}"
    record = reconciled(tmp_path, "--apply", store, **tree)
    with PluginHost().opener().open(store) as opened:
        sessions = [opened.load(name) for name in opened.ids()]
    return record, {f"{s.id}/{task.id}": task.status for s in sessions for task in s.tasks}


def planned(record: ReconcileRecord) -> list[str]:
    """The open work in the order of the roadmap."""
    return [f"{one.task.session}/{one.task.task}" for phase in record.roadmap.phases for one in phase.tasks]


def continued(record: ReconcileRecord) -> list[str]:
    return [f"{one.tasks[0].session}/{one.tasks[0].task}" for one in record.decisions if one.field == "next"]


def test_the_coordinator_stands(tmp_path: Path) -> None:
    record, statuses = merged_statuses(tmp_path, lines=640)
    assert statuses[f"{SECOND}/1"] is Status.COMPLETED
    assert statuses[f"{FIRST}/3"] is Status.COMPLETED
    assert statuses[f"{SECOND}/2"] is statuses[f"{SECOND}/3"] is Status.ABANDONED
    assert continued(record) == [f"{FIRST}/4"]
    # What the source overlooks: 4 waits for 2, and so does the completed 3.
    order = planned(record)
    assert order.index(f"{FIRST}/2") < order.index(f"{FIRST}/4") < order.index(f"{FIRST}/6")


@pytest.mark.parametrize(("lines", "works"), [(300, True), (640, False)])
def test_the_coordinator_falls_short(tmp_path: Path, lines: int, works: bool) -> None:
    record, statuses = merged_statuses(tmp_path, lines=lines, works=works)
    assert {status for name, status in statuses.items() if name.startswith(SECOND)} == {Status.ABANDONED}
    assert statuses[f"{FIRST}/3"] is Status.QUEUED
    assert continued(record) == [f"{FIRST}/2"]
    assert planned(record)[0] == f"{FIRST}/2"


def test_the_coordinator_is_missing(tmp_path: Path) -> None:
    record, statuses = merged_statuses(tmp_path)
    assert {status for name, status in statuses.items() if name.startswith(SECOND)} == {Status.ABANDONED}
    unproven = [one for one in record.findings if one.kind is FindingKind.UNPROVEN]
    assert [[f"{ref.session}/{ref.task}" for ref in one.tasks] for one in unproven] == [[f"{SECOND}/1"]]
    assert continued(record) == [f"{FIRST}/2"]


def test_workspaces_are_configured(tmp_path: Path) -> None:
    _, statuses = merged_statuses(tmp_path, workspaces=True)
    assert statuses[f"{THIRD}/1"] is Status.COMPLETED


def test_workspaces_are_missing(tmp_path: Path) -> None:
    record, statuses = merged_statuses(tmp_path)
    assert statuses[f"{THIRD}/1"] is Status.ACTIVE
    added = [
        one for phase in record.roadmap.phases for one in phase.tasks if one.task.task == "workspaces-key"
    ]
    assert [(one.estimate.low_h if one.estimate else None) for one in added] == [0.5]


@pytest.mark.parametrize("lines", [640, 300, 0])
def test_what_is_found_in_every_branch(tmp_path: Path, lines: int) -> None:
    record = reconciled(tmp_path, lines=lines)
    by_kind: dict[FindingKind, set[str]] = {}
    for one in record.findings:
        by_kind.setdefault(one.kind, set()).add(one.severity)
    assert by_kind[FindingKind.DUPLICATE] == {"critical"}
    assert by_kind[FindingKind.OBSOLETE] == {"low"}
    assert by_kind[FindingKind.UNPLANNED] == {"medium", "low"}
    collided = [one for one in record.findings if one.kind is FindingKind.COLLISION]
    assert sorted({ref.task for one in collided for ref in one.tasks}) == ["1", "2", "3", "4"]
    [wrong] = [one for one in record.findings if one.kind is FindingKind.WRONG_PROGRESS]
    assert wrong.session is not None
    assert wrong.session[1] == FIRST
    assert "83%" in wrong.message
    assert "1 of its 6" in wrong.message
    said = [one.message for one in record.findings if one.kind is FindingKind.CONTRADICTION]
    assert any("dependencies" in one and f"{FIRST}/6" in one for one in said)
    assert sum("merge" in one and "abandon" in one for one in said) == 2


@pytest.mark.parametrize("workspaces", [True, False])
@pytest.mark.parametrize("lines", [640, 300, 0])
def test_the_roadmap_of_every_branch(tmp_path: Path, lines: int, workspaces: bool) -> None:
    record = reconciled(tmp_path, lines=lines, workspaces=workspaces)
    spans = {
        phase.name: (phase.estimate.low_h, phase.estimate.high_h)
        for phase in record.roadmap.phases
        if phase.estimate
    }
    names = [phase.name for phase in record.roadmap.phases]
    assert names[0] == "Resolve duplication"
    assert spans[names[0]] == (1.0, 2.0)
    first = next(name for name in names if FIRST in name)
    assert spans[first] == (24.0, 40.0)
    runtime, storage = (next(name for name in names if word in name) for word in ("Runtime", "Storage"))
    assert spans[runtime] == (16.0, 24.0)
    assert spans[storage] == (8.0, 16.0)
    assert names.index(first) < names.index(runtime) < names.index(storage) < len(names) - 1
    assert first in next(phase for phase in record.roadmap.phases if phase.name == storage).beside
    assert names[-1] == "Validate together"
    assert spans[names[-1]] == (8.0, 16.0)


def test_roles_and_progress(tmp_path: Path) -> None:
    sessions = {one.id: one for one in reconciled(tmp_path).sessions}
    assert [sessions[name].role for name in (FIRST, SECOND, THIRD)] == ["primary", "duplicate", "obsolete"]
    assert sessions[FIRST].claimed == pytest.approx(0.83)
    assert sessions[FIRST].actual == pytest.approx(1 / 6)


def test_what_the_profiling_item_touches(tmp_path: Path) -> None:
    record = reconciled(tmp_path)
    touched = {
        f"{one.task.session}/{one.task.task}" for one in record.matrix if one.item.task == "5" and one.task
    }
    assert {f"{FIRST}/4", f"{FIRST}/5", f"{SECOND}/4"} <= touched


def test_abandoning_what_others_need_is_found(tmp_path: Path) -> None:
    """The tree abandons the second session's 2 and 3: 5 waits for 3, and both have generated parts."""
    record, statuses = merged_statuses(tmp_path, lines=640)
    assert statuses[f"{SECOND}/4"] is statuses[f"{SECOND}/5"] is Status.QUEUED
    after = [one for one in record.findings if one.message.startswith("after what is decided")]
    needs = [one.tasks[0].task for one in after if one.kind is FindingKind.BAD_DEPENDENCY]
    assert sorted(needs) == ["3", "5"]  # the completed 3 of the first session needs the active 2
    orphans = {ref.task for one in after if one.kind is FindingKind.ORPHANED for ref in one.tasks}
    assert orphans == {f"{parent}.{part}" for parent in "23" for part in "1234"}


def test_applying_twice_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = f"sqlite:{tmp_path / 'merged.db'}"
    reconciled(tmp_path, "--apply", store, lines=640)
    root = tmp_path / "root"
    words = ["reconcile", str(DATA / "sessions.jsonl"), "--root", str(root), "--allow-commands"]
    words += ["--evidence", str(DATA / "evidence.toml"), "--decisions", str(DATA / "decisions.toml")]
    capsys.readouterr()
    assert main([*words, "--apply", store]) == 0
    assert "nothing to change" in capsys.readouterr().out
