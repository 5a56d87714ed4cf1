"""Calls of the system that fail: a clear line, nothing reported that is not there, and reading goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from powerloss.failing import Outcome
from powerloss.recording import run_under_strace
from powerloss.script import held_by, steps, worlds

from tiergate.model import Session
from tiergate.store import Store

OpenAt = Callable[[str], Store]

JSON, JSONFILE, SQLITE = "json:{}/work", "jsonfile:{}/work.json", "sqlite:{}/work.db"
SEED, COUNT = 1, 24

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("strace")]


def run_failing(folder: Path, address: str, fault: str = "", *, largest: int = 0) -> tuple[Outcome, bool]:
    """Run a writer under a fault; what came of it, and whether the fault occurred."""
    folder.mkdir(parents=True)
    notes, trace = folder / "notes", folder / "trace"
    options = ["-f", "-o", str(trace), "-e", f"trace={fault.partition(':')[0] or 'fsync'}"]
    if fault:
        options += ["-e", f"inject={fault}"]
    (folder / "root").mkdir()
    words = [address.replace("{}", str(folder / "root")), str(notes), str(SEED), str(COUNT), str(largest)]
    done = run_under_strace(options, "powerloss.failing", words)
    assert done.returncode == 0, f"{fault}: {done.stderr}"
    return msgspec.json.decode(notes.read_bytes(), type=Outcome), "(INJECTED)" in trace.read_text()


def require_clear(line: str, folder: Path) -> None:
    """One line that says what, where and what to do."""
    assert "\n" not in line
    assert str(folder / "root") in line
    assert line.endswith(")"), f"{line}: no hint"


def check(open_at: OpenAt, folder: Path, address: str, outcome: Outcome) -> None:
    """Hold what the store and the disk say against what was acknowledged."""
    held = worlds(steps(SEED, COUNT))
    now, after = held[outcome.done].sessions, held[min(outcome.done + 1, COUNT)].sessions
    if outcome.line is None:
        assert outcome.done == COUNT
    else:
        require_clear(outcome.line, folder)
        assert outcome.hint
    if outcome.repeated:
        assert outcome.reads in (now, after), outcome.reading
        if outcome.again is not None:
            assert "\n" not in outcome.again
    with open_at(address.replace("{}", str(folder / "root"))) as store:
        found = held_by(store)
        assert found == after if outcome.repeated and outcome.again is None else found in (now, after)
        assert store.verify() == []
        assert store.save(Session(id="after")) == 1
    with open_at(address.replace("{}", str(folder / "root"))) as store:
        assert held_by(store) == {**found, "after": Session(id="after", version=1)}


@pytest.mark.parametrize(
    ("address", "fault", "says"),
    [
        (JSON, "fsync:error=EIO:when=1", "Input/output error"),
        (JSON, "write:error=ENOSPC:when=1", "free some space"),
        (JSON, "pwrite64:error=ENOSPC:when=2", "free some space"),
        (JSON, "pwritev2:error=EIO:when=5", "Input/output error"),
        (JSON, "pwritev2:error=ENOSPC:when=9+", "free some space"),
        (JSON, "rename:error=EIO:when=1", "Input/output error"),
        (JSONFILE, "write:error=ENOSPC:when=4", "free some space"),
        (JSONFILE, "fsync:error=EIO:when=5+", "Input/output error"),
        (JSONFILE, "rename:error=EIO:when=3", "Input/output error"),
        (SQLITE, "fdatasync:error=EIO:when=1", "check the disk"),
        (SQLITE, "fdatasync:error=EIO:when=12+", "cannot bring the write to disk: Input/output error"),
        (SQLITE, "pwrite64:error=EIO:when=99", "check the disk"),
        (SQLITE, "pwrite64:error=ENOSPC:when=120+", "the disk is full"),
    ],
)
def test_an_error_is_told_and_nothing_is_lost(
    open_at: OpenAt, tmp_path: Path, address: str, fault: str, says: str
) -> None:
    outcome, occurred = run_failing(tmp_path / "run", address, fault)
    assert occurred
    assert says in (outcome.line or ""), outcome
    check(open_at, tmp_path / "run", address, outcome)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        (JSON, "fsync:error=EIO:when=7"),
        (JSON, "rename:error=ENOSPC:when=2+"),
        (SQLITE, "fdatasync:error=EIO:when=20"),
    ],
)
def test_what_fails_after_the_write_costs_nothing(
    open_at: OpenAt, tmp_path: Path, address: str, fault: str
) -> None:
    """The journal is folded, and the log copied, when the write is on disk already; both can wait."""
    outcome, occurred = run_failing(tmp_path / "run", address, fault)
    assert occurred
    assert outcome.line is None
    check(open_at, tmp_path / "run", address, outcome)


@pytest.mark.parametrize(("address", "call"), [(JSON, "pwritev2"), (SQLITE, "fdatasync")])
def test_a_store_writes_no_more_after_a_sync_that_failed(tmp_path: Path, address: str, call: str) -> None:
    outcome, _ = run_failing(tmp_path / "run", address, f"{call}:error=EIO:when=12+")
    assert outcome.done
    assert "so nothing more is written" in (outcome.again or "")


@pytest.mark.parametrize(("address", "largest"), [(JSON, 12_000), (JSONFILE, 20_000), (SQLITE, 60_000)])
def test_a_file_that_may_not_grow(open_at: OpenAt, tmp_path: Path, address: str, largest: int) -> None:
    outcome, _ = run_failing(tmp_path / "run", address, largest=largest)
    assert outcome.line is not None
    check(open_at, tmp_path / "run", address, outcome)


@pytest.mark.soak
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("more", ["", "+"])
@pytest.mark.parametrize(
    ("address", "call", "stride"),
    [
        *((JSON, call, 1) for call in ("write", "fsync", "pwrite64", "pwritev2", "rename", "mkdir")),
        *((JSONFILE, call, 1) for call in ("write", "fsync", "rename")),
        (SQLITE, "fdatasync", 1),
        (SQLITE, "pwrite64", 13),
        (SQLITE, "ftruncate", 1),
    ],
)
def test_soak_each_call_fails_once(
    open_at: OpenAt, tmp_path: Path, address: str, call: str, stride: int, error: str, more: str
) -> None:
    turn = 1
    while True:
        folder = tmp_path / str(turn)
        outcome, occurred = run_failing(folder, address, f"{call}:error={error}:when={turn}{more}")
        if not occurred:
            break
        check(open_at, folder, address, outcome)
        turn += stride
    print(f"{address} {call} {error}{more}: {(turn - 1) // stride} faults")
    assert turn > 1
