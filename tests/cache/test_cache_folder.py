"""The folder of a cache may go, fill up or be none at all: no operation of the store notices."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from tiergate.errors import UsageError
from tiergate.model import Session
from tiergate.store import Store, TaskQuery
from tiergate.testing import make_session, make_task

OpenCached = Callable[..., Store]


def use_everything(store: Store, turn: int) -> None:
    """Every operation of a store, with the answers it must give."""
    name = f"s{turn}"
    assert store.save(make_session(name, "a")) == 1
    assert store.upsert_tasks(name, [make_task("b", weight=turn)], expected_version=1) == 2
    for _ in range(2):
        assert store.load(name).tasks[1].weight == turn
        assert store.remember(b"weight", name, lambda: [store.load(name).tasks[1].weight]) == [turn]
        assert store.remember(b"ids", None, store.ids) == store.ids()
    with store.transaction():
        store.upsert_tasks(name, [make_task("c")], expected_version=2)
    assert len(store.load(name).tasks) == 3
    assert store.load_task(name, "b") == (make_task("b", weight=float(turn)), 3)
    assert name in {hit.session for hit in store.query(TaskQuery(text="task"))}
    assert store.version(name) == store.versions()[name] == 3
    assert [size.tasks for size in store.sizes() if size.session == name] == [3]
    store.save(make_session(f"gone{turn}"))
    store.delete(f"gone{turn}", expected_version=1)
    assert f"gone{turn}" not in store.ids()
    assert store.stats().sessions == len(store.ids())


@pytest.mark.parametrize("kind", ["sqlite", "json", "jsonfile"])
@pytest.mark.parametrize("memory", ["64m", "0"])
def test_the_folder_may_be_removed_at_any_time(
    open_cached: OpenCached, folder: Path, kind: str, memory: str
) -> None:
    store = open_cached(kind, memory=memory)
    for turn in range(4):
        use_everything(store, turn)
        shutil.rmtree(folder)
        for name in store.ids():
            assert store.load(name).version == 3
    assert store.verify() == []
    use_everything(store, 4)
    assert folder.exists(), "it is made again"
    assert store.stats().details["cache_trouble"] == 0


@pytest.mark.parametrize("kind", ["sqlite", "json"])
def test_a_folder_that_cannot_be_written_breaks_nothing(
    open_cached: OpenCached, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    for turn, place in enumerate([tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none/here")]):
        with open_cached(kind, dir=place) as store:
            use_everything(store, turn)
            details = store.stats().details
            assert int(details["cache_trouble"]) > 0
            assert details["cache_last_trouble"]
            assert int(details["cache_memory_hits"]) > 0
    assert (tmp_path / "file").read_bytes() == b"in the way"


def test_a_folder_without_permission_breaks_nothing(open_cached: OpenCached, folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("permissions do not stop the superuser")
    with open_cached() as store:
        use_everything(store, 0)
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")] if path.is_dir()}
    for path in modes:
        path.chmod(0o500)
    try:
        with open_cached(memory=0) as store:
            use_everything(store, 1)
            assert int(store.stats().details["cache_trouble"]) > 0
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.mark.parametrize("kind", ["sqlite", "json"])
@pytest.mark.parametrize("left", [0, 3, 50])
def test_a_full_disk_breaks_nothing(
    open_cached: OpenCached, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, left: int
) -> None:
    """The file system takes so many more bytes, and then none."""

    def write(path: Path, data: bytes) -> NoReturn:
        path.write_bytes(data[:left])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = open_cached(kind, memory=0)
    use_everything(store, 0)
    held = sorted(path for path in folder.rglob("*") if path.is_file())
    with monkeypatch.context() as patched:
        patched.setattr("tiergate_plugins.cache.files._write", write)
        use_everything(store, 1)
        details = store.stats().details
        assert "No space left" in str(details["cache_last_trouble"])
        assert sorted(path for path in folder.rglob("*") if path.is_file()) == held, "nothing half is left"
    use_everything(store, 2)
    assert store.verify() == []


def test_a_place_that_no_system_has_is_refused(open_cached: OpenCached) -> None:
    with pytest.raises(UsageError, match=r"zstd\.dir cannot be"):
        open_cached(dir="a%00b")


@pytest.mark.parametrize("kind", ["sqlite", "json"])
def test_nothing_waits_for_the_disk(
    open_cached: OpenCached, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    seen: list[str] = []
    for name in ("fsync", "fdatasync", "sync", "pwritev"):
        monkeypatch.setattr(os, name, lambda *_, name=name: seen.append(name))
    store = open_cached(kind, memory=0)
    sessions = [make_session(f"s{number}", make_task("t", notes=f"{number} " * 300)) for number in range(80)]
    for session in sessions:
        store.save(session)
    seen.clear()
    for session in sessions * 2:
        assert store.load(session.id) == msgspec.structs.replace(session, version=1)
        store.remember(session.id.encode(), None, store.ids)
    store.stats()
    store.verify()
    store.close()
    assert seen == []


_TRACED = """
import sys
from tiergate.plugins import PluginHost
from tiergate.testing import make_session, make_task
store = PluginHost().opener().open(sys.argv[1])
for number in range(80):
    store.save(make_session(f"s{number}", make_task("t", notes=f"{number} " * 300)))
    store.load(f"s{number}")
    store.load(f"s{number}")
store.close()
"""


@pytest.mark.integration
def test_no_system_call_waits_for_a_file_of_the_cache(tmp_path: Path, folder: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not there")
    log = tmp_path / "log"
    calls = "fsync,fdatasync,sync,syncfs,sync_file_range,msync,pwritev2,openat"
    address = f"zstd+sqlite:{tmp_path}/store.db?zstd.dir={folder}&zstd.memory=0"
    command = [strace, "-f", "-y", "-o", str(log), "-e", f"trace={calls}", sys.executable, "-c", _TRACED]
    ran = subprocess.run([*command, address], capture_output=True, text=True, check=False)
    if ran.returncode and "ptrace" in ran.stderr:
        pytest.skip("this system lets nobody trace")
    assert ran.returncode == 0, ran.stderr
    lines = log.read_text().splitlines()
    of_cache = [line for line in lines if f"{folder}/" in line]
    assert any("/contents/" in line for line in of_cache)
    assert any("/dictionaries/" in line for line in of_cache)
    assert [line for line in of_cache if "openat(" not in line or "SYNC" in line] == []
    assert sum("fdatasync(" in line for line in lines) >= 80, "the store itself does wait"


def test_what_killed_processes_left_is_swept(open_cached: OpenCached, folder: Path) -> None:
    with open_cached(memory=0) as store:
        store.save(make_session("s", "a"))
        store.load("s")
    (entry,) = (path for path in (folder / "entries").rglob("*") if path.is_file())
    left = [
        Path(f"{path}.1f.tmp") for path in (entry, folder / "counters.json", folder / "dictionaries" / "7")
    ]
    left[2].parent.mkdir()
    for path in left:
        path.write_bytes(b"half")
        os.utime(path, (1.0, 1.0))
    young = Path(f"{entry}.2f.tmp")
    young.write_bytes(b"half")
    (folder / "swept").unlink()
    with open_cached(memory=0) as store:
        store.save(make_session("t", "a"))
        store.load("t")
    assert [path.exists() for path in (*left, young, entry)] == [False, False, False, True, True]


def test_a_process_that_was_stopped_with_the_lock_stops_nobody(
    open_cached: OpenCached, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr("tiergate_plugins.cache.keeping._PATIENCE", 2)
    monkeypatch.setattr("tiergate_plugins.cache.keeping._FLUSH_AFTER", 3)
    store: Any = open_cached()
    session: Session = make_session("s", "a")
    store.save(session)
    folder.mkdir(exist_ok=True)
    with (folder / "counters.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(10):
            store.load("s")
        assert store.stats().details["cache_hits"] == 9
        assert not (folder / "counters.json").exists()
    store.load("s")
    assert store.stats().details["cache_hits"] == 10
    assert (folder / "counters.json").exists()
