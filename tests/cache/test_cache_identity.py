"""A session id and a version mean something in one store only: no cache takes one store for another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.plugins import PluginHost
from tiergate.store import Store
from tiergate.testing import make_session, make_task
from tiergate_plugins.cache import identity

OpenCached = Callable[..., Store]

_FILES = {"sqlite": "store.db", "json": "work"}

pytestmark = pytest.mark.parametrize("kind", [*_FILES])


def write(store: Store, *titles: str) -> None:
    """Write so many versions of a session."""
    for title in titles:
        version = store.version("s") if "s" in store.ids() else 0
        store.save(make_session("s", make_task("a", title=title), version=version))


def title(store: Store) -> str:
    found = store.load("s").tasks[0].title
    assert store.remember(b"title", None, lambda: [store.load("s").tasks[0].title]) == [found]
    return found


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    for one in path.parent.glob(f"{path.name}*"):
        if one.is_file():
            one.unlink()


def test_a_store_that_is_made_anew(open_cached: OpenCached, tmp_path: Path, kind: str) -> None:
    for turn in range(3):
        with open_cached(kind) as store:
            write(store, f"turn {turn}")
            assert title(store) == f"turn {turn}"
        remove(tmp_path / _FILES[kind])


def test_a_copy_with_its_attributes(open_cached: OpenCached, tmp_path: Path, folder: Path, kind: str) -> None:
    path = tmp_path / _FILES[kind]
    with open_cached(kind) as store:
        write(store, "one")
        title(store)
    twin = tmp_path / "twin"
    (shutil.copytree if path.is_dir() else shutil.copy2)(path, twin)
    if hasattr(os, "getxattr") and identity.ATTRIBUTE in os.listxattr(path):
        assert os.getxattr(twin, identity.ATTRIBUTE) == os.getxattr(path, identity.ATTRIBUTE)
    with (
        open_cached(kind) as store,
        PluginHost().opener().open(f"zstd+{kind}:{twin}?zstd.dir={folder}") as other,
    ):
        write(store, "two of the first")
        write(other, "two of the copy")
        assert title(store) == "two of the first"
        assert title(other) == "two of the copy"


@pytest.mark.parametrize("written", [(), ("other two",), ("other two", "other three")])
def test_a_backup_in_the_place_of_the_store(
    open_cached: OpenCached, tmp_path: Path, kind: str, written: tuple[str, ...]
) -> None:
    path, backup = tmp_path / _FILES[kind], tmp_path / "backup"
    with open_cached(kind) as store:
        write(store, "one")
        title(store)
    (shutil.copytree if path.is_dir() else shutil.copy2)(path, backup)
    with open_cached(kind) as store:
        write(store, "two")
        assert title(store) == "two"
    kept = tmp_path / "kept"
    path.rename(kept)  # so that the new one does not get its number
    remove(path)
    (shutil.copytree if backup.is_dir() else shutil.copy2)(backup, path)
    with open_cached(kind) as store:
        write(store, *written)
        assert title(store) == ("one", *written)[-1]


def test_a_store_that_fell_back_as_the_power_failed(
    open_cached: OpenCached, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read was cached, and came to disk before what was written."""
    path, before = tmp_path / _FILES[kind], tmp_path / "before"
    with open_cached(kind) as store:
        write(store, "one")
    (shutil.copytree if path.is_dir() else shutil.copy2)(path, before)
    with open_cached(kind) as store:
        write(store, "lost")
        assert title(store) == "lost"
    if path.is_dir():
        for one in path.iterdir():
            one.unlink()
        shutil.copytree(before, path, dirs_exist_ok=True)
    else:
        path.write_bytes(before.read_bytes())  # the same file, with its number and its mark
    monkeypatch.setattr(identity, "machine_start", lambda: b"later")
    with open_cached(kind) as store:
        write(store, "two")
        assert store.version("s") == 2
        assert title(store) == "two"
