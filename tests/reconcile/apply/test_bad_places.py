"""A full disk, a folder that may not be written, a state folder that cannot be one: one clear line each."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from apply_desk import Desk, made, with_state

from tiergate.errors import TiergateError
from tiergate.model import Session
from tiergate.reconcile.applying import reading
from tiergate.state_files import StateError

NOBODY = 65534
SCHEMES = ("json", "jsonfile", "sqlite")
OLD = made("a", "one")
LARGE = made("a", "one", random.Random(1).randbytes(600_000).hex())  # which no store can compress to little

pytestmark = pytest.mark.integration


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tiergate-test", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="tiergate-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that this process may read and not write; root becomes another user meanwhile."""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)
        for path in paths:
            if path.exists():
                path.chmod(0o755 if path.is_dir() else 0o644)


def refusal(call: Callable[[], object], where: Path) -> str:
    """The one line of the error that a call raises."""
    with pytest.raises(TiergateError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    assert str(where) in line
    assert caught.value.hint
    return line


@contextmanager
def filled(folder: Path, *, left: int = 0) -> Iterator[None]:
    """A disk with so many bytes left on it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - left)
    yield
    filler.unlink()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_full_disk_under_the_state_folder(tmp_path: Path, small_disk: Path, scheme: str) -> None:
    desk = with_state(Desk(tmp_path, scheme), small_disk / "state")
    desk.save(OLD)
    read = reading(desk.opener, desk.address)
    with filled(small_disk):
        assert "No space left" in refusal(lambda: desk.apply(LARGE, read=read), small_disk)
    assert desk.content() == {"a": OLD}
    desk.apply(LARGE, read=read)
    with filled(small_disk):
        assert "No space left" in refusal(desk.undo, small_disk)
    assert desk.content() == {"a": LARGE}
    desk.undo()
    assert desk.content() == {"a": OLD}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_full_disk_under_the_store(tmp_path: Path, small_disk: Path, scheme: str) -> None:
    desk = with_state(Desk(small_disk, scheme), tmp_path / "state")
    desk.save(OLD)
    read = reading(desk.opener, desk.address)
    with filled(small_disk, left=300_000):
        line = refusal(lambda: desk.apply(LARGE, made("b", "new"), read=read), small_disk)
    assert "free some space and repeat" in line
    assert desk.content() == {"a": OLD}
    assert [step.outcome for step in desk.history()] == ["cancelled"]
    desk.apply(LARGE, made("b", "new"), read=read)
    assert desk.content() == {"a": LARGE, "b": made("b", "new")}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_store_in_a_read_only_folder(public_folder: Path, tmp_path: Path, scheme: str) -> None:
    desk = with_state(Desk(public_folder, scheme), Path(tempfile.mkdtemp(dir=public_folder.parent)))
    desk.opener.state.chmod(0o777)
    try:
        desk.save(OLD)
        read = reading(desk.opener, desk.address)
        with read_only(public_folder):
            refusal(lambda: desk.apply(LARGE, read=read), public_folder)
        assert desk.content() == {"a": OLD}
    finally:
        shutil.rmtree(desk.opener.state)


def test_a_read_only_state_folder(public_folder: Path) -> None:
    desk = Desk(public_folder, "sqlite")
    desk.save(OLD)
    read = reading(desk.opener, desk.address)
    with read_only(public_folder):
        line = refusal(lambda: desk.apply(LARGE, read=read), desk.opener.state)
    assert "check who may read and write there; TIERGATE_STATE names another folder" in line
    assert desk.content() == {"a": OLD}


def test_a_file_where_the_state_folder_must_be(sqlite_desk: Desk) -> None:
    sqlite_desk.opener.state.write_text("a file")
    line = refusal(lambda: sqlite_desk.apply(OLD), sqlite_desk.opener.state)
    assert "part of the path is a file" in line or "it is a file" in line


def test_the_log_cannot_be_written_after_the_store_was(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says that the store was written, and the next run completes the log."""
    from tiergate.reconcile.audit import AuditLog, Begun, Ended
    from tiergate.reconcile.differences import FieldChange

    append = AuditLog.append

    def refuse(log: AuditLog, entry: Begun | Ended, changes: Sequence[FieldChange] = ()) -> None:
        if isinstance(entry, Ended):
            raise StateError("cannot write: the disk is gone", hint="check the disk")
        append(log, entry, changes)

    with monkeypatch.context() as patched:
        patched.setattr(AuditLog, "append", refuse)
        with pytest.raises(StateError, match="the store itself was written, and the next run completes"):
            sqlite_desk.apply(OLD)
    assert sqlite_desk.content() == {"a": OLD}
    assert [step.outcome for step in sqlite_desk.history()] == ["unfinished"]
    again = sqlite_desk.apply(OLD)
    assert again.id is None
    assert "was interrupted: all of it is in the store" in again.remarks[0]
    assert [step.outcome for step in sqlite_desk.history()] == ["applied"]


def test_what_others_wrote_after_an_interruption_is_left(tmp_path: Path) -> None:
    """A store without transactions: what was written is put back, but not over what others have done."""
    desk = Desk(tmp_path, "plain")
    desk.save(made("a", "old"), made("b", "old"), made("c", "old"))
    read = reading(desk.opener, desk.address)
    kept = desk.opener

    def stop(session: Session) -> None:
        if session.id == "c":
            desk.opener.state.rename(tmp_path / "away")  # so that nothing can be put back now
            raise TiergateError("interrupted")

    desk.before_save = stop
    with pytest.raises(TiergateError, match="interrupted"):
        desk.apply(*(made(name, "new") for name in "abc"), read=read)
    desk.before_save = lambda session: None
    (tmp_path / "away").rename(kept.state)
    desk.save(made("b", "by hand"))
    done = desk.apply(made("d", "more"))
    assert desk.content() == {
        "a": made("a", "old"),
        "b": made("b", "by hand"),
        "c": made("c", "old"),
        "d": made("d", "more"),
    }
    assert "where others have written 'b' since" in done.remarks[0]
    assert [step.outcome for step in desk.history()] == ["cancelled", "applied"]
