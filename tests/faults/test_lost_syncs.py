"""Power is lost at any moment: what was acknowledged is on disk, and nothing is half there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from powerloss.exploring import Explorer, Findings
from powerloss.recording import record

from tiergate.store import Store

OpenAt = Callable[[str], Store]

JSON, JSONFILE, SQLITE = "json:{}/work", "jsonfile:{}/work.json", "sqlite:{}/work.db"
ADDRESSES = (JSON, JSONFILE, SQLITE)

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("strace")]


def explore(
    open_at: OpenAt,
    folder: Path,
    address: str,
    *,
    limit: int,
    faults: tuple[str, ...] = ("",),
    seed: int = 1,
    count: int = 24,
    promised: bool = True,
    at_each: int = 30,
) -> Findings:
    """Record a writer and open its store on what power may have left of it."""
    recording = record(address, seed=seed, count=count, sabotages=faults)
    explorer = Explorer(recording, open_at, folder, promised=promised, at_each=at_each)
    return explorer.explore(limit=limit, seed=seed)


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_was_acknowledged_survives(open_at: OpenAt, fast_folder: Path, address: str) -> None:
    findings = explore(open_at, fast_folder, address, limit=100)
    assert not findings.losses, str(findings)
    assert findings.states >= 90


@pytest.mark.parametrize("address", ADDRESSES)
def test_with_normal_durability_nothing_is_half_there(
    open_at: OpenAt, fast_folder: Path, address: str
) -> None:
    address += "?durability=normal"
    findings = explore(open_at, fast_folder, address, limit=70, promised=False)
    assert not findings.losses, str(findings)
    assert findings.states >= 60


@functools.cache
def turns(address: str, *, folders: bool, steps: int) -> list[int]:
    """Which syncs of a writer are those of folders, or of files, until a step is done."""
    return record(address, seed=1, count=8).turns(folders=folders, steps=steps)


def sync_of(address: str) -> str:
    """The call by which a store syncs folders, and files other than the journal."""
    return "fdatasync" if address == SQLITE else "fsync"


@pytest.mark.parametrize(
    ("address", "index"),
    [
        pytest.param(JSON, 0, id="json-folder"),
        pytest.param(JSON, 1, id="json-journal"),
        pytest.param(JSONFILE, 0, id="jsonfile"),
        pytest.param(SQLITE, 0, id="sqlite-database"),
        pytest.param(SQLITE, -1, id="sqlite-log"),
    ],
)
def test_power_is_lost_after_a_kill_at_the_sync_of_a_folder(
    open_at: OpenAt, fast_folder: Path, address: str, index: int
) -> None:
    """One process is killed before a new name is on disk; another goes on, until the power is lost."""
    turn = turns(address, folders=True, steps=1)[index]
    faults = (f"{sync_of(address)}:error=EIO:signal=KILL:when={turn}", "")
    findings = explore(open_at, fast_folder, address, limit=40, faults=faults)
    assert not findings.losses, str(findings)
    assert findings.states >= 30


@pytest.mark.parametrize(
    ("address", "folders"),
    [
        pytest.param(JSON, True, id="json-journal"),
        pytest.param(JSONFILE, False, id="jsonfile-content"),
        pytest.param(JSONFILE, True, id="jsonfile-name"),
        pytest.param(SQLITE, False, id="sqlite-log"),
    ],
)
def test_power_is_lost_after_syncs_that_failed(
    open_at: OpenAt, fast_folder: Path, address: str, folders: bool
) -> None:
    """What the kernel could not write it forgets, so that a later sync does not bring it to disk."""
    turn = turns(address, folders=folders, steps=2)[-1]
    faults = (f"{sync_of(address)}:error=EIO:when={turn}+", "")
    findings = explore(open_at, fast_folder, address, limit=40, faults=faults)
    assert not findings.losses, str(findings)
    assert findings.states >= 30


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("address", ADDRESSES)
def test_soak_what_was_acknowledged_survives(
    open_at: OpenAt, fast_folder: Path, address: str, seed: int
) -> None:
    findings = explore(open_at, fast_folder, address, limit=8000, seed=seed, count=60, at_each=300)
    print(f"{address}, seed {seed}: {findings.states} states")
    assert not findings.losses, str(findings)


@pytest.mark.soak
@pytest.mark.parametrize("address", ADDRESSES)
def test_soak_with_normal_durability_nothing_is_half_there(
    open_at: OpenAt, fast_folder: Path, address: str
) -> None:
    address += "?durability=normal"
    findings = explore(open_at, fast_folder, address, limit=8000, count=60, at_each=300, promised=False)
    print(f"{address}: {findings.states} states")
    assert not findings.losses, str(findings)


@pytest.mark.soak
@pytest.mark.parametrize("error", ["EIO:signal=KILL", "EIO"])
@pytest.mark.parametrize(
    ("address", "call"),
    [(JSON, "fsync"), (JSON, "pwritev2"), (JSONFILE, "fsync"), (SQLITE, "fdatasync"), (SQLITE, "pwrite64")],
)
def test_soak_power_is_lost_after_each_fault(
    open_at: OpenAt, fast_folder: Path, address: str, call: str, error: str
) -> None:
    """The process dies at a call, or all such calls fail from there on; then another goes on."""
    killed = "KILL" in error
    lost, states = [], 0
    for turn in range(1, 31):
        faults = (f"{call}:error={error}:when={turn}{'' if killed else '+'}", "")
        findings = explore(open_at, fast_folder, address, limit=150, faults=faults, seed=turn)
        states += findings.states
        lost += [f"{faults[0]}: {loss}" for loss in findings.losses[:1]]
    print(f"{address} {call} {error}: {states} states")
    assert not lost, "\n".join(lost)
