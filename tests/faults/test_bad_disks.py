"""A disk that is full, a folder that may not be written, a folder that goes away while a store is open."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from powerloss.script import held_by

from tiergate.model import Session
from tiergate.store import Store, StoreError
from tiergate.testing import make_session, make_task

OpenAt = Callable[[str], Store]

ADDRESSES = ("json:{}/work", "jsonfile:{}/work.json", "sqlite:{}/work.db")
NOBODY = 65534

pytestmark = pytest.mark.integration


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tiergate-test", place],
        capture_output=True,
        text=True,
        check=False,
    )
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
    with pytest.raises(StoreError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    assert str(where) in line
    assert caught.value.hint
    return line


def fill(store: Store) -> dict[str, Session]:
    """Save sessions until one is refused; those that were acknowledged."""
    kept: dict[str, Session] = {}
    for number in range(200):
        session = make_session(f"s{number}", make_task("t", notes=str(number % 10) * 100_000))
        try:
            version = store.save(session)
        except StoreError:
            return kept
        kept[session.id] = make_session(session.id, *session.tasks, version=version)
    raise AssertionError("the disk did not fill up")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_full_disk(open_at: OpenAt, small_disk: Path, address: str) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(400_000))
    address = address.replace("{}", str(small_disk))
    with open_at(address) as store:
        kept = fill(store)
        assert len(kept) > 3
        large = make_session("large", make_task("t", notes="x" * 1_000_000))
        assert "free some space and repeat" in refusal(lambda: store.save(large), small_disk)
        assert held_by(store) == kept
        with open_at(address) as other:
            assert held_by(other) == kept
        filler.unlink()
        assert store.save(make_session("after")) == 1
    with open_at(address) as store:
        assert held_by(store) == {**kept, "after": make_session("after", version=1)}
        assert store.verify() == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_read_only_folder(open_at: OpenAt, public_folder: Path, address: str) -> None:
    address = address.replace("{}", str(public_folder))
    with open_at(address) as store:
        store.save(make_session("s", "a"))

    def write() -> None:
        with open_at(address) as store:
            store.upsert_tasks("s", [make_task("b")], expected_version=1)

    with read_only(public_folder):
        line = refusal(write, public_folder)
        assert "can be written" in line or "check who may read and write there" in line
        with open_at(address + "?mode=ro") as store:
            assert held_by(store) == {"s": make_session("s", "a", version=1)}
    with open_at(address) as store:
        assert held_by(store) == {"s": make_session("s", "a", version=1)}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_lost_folder(open_at: OpenAt, tmp_path: Path, address: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with open_at(address.replace("{}", str(folder))) as store:
        store.save(make_session("s", "a"))
        shutil.rmtree(folder)
        refusal(lambda: store.upsert_tasks("s", [make_task("b")], expected_version=1), folder)
        refusal(lambda: store.save(make_session("t")), folder)
        assert not folder.exists()
    refusal(lambda: open_at(address.replace("{}", str(folder) + "/none")), folder)
