"""Reading a database: half a transaction is never read, and nothing is left beside the file."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.store import Store, StoreFailed
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage import sqlite_read_only

OpenAt = Callable[[str], Store]

_FILL = """
import os, signal, sys
from pathlib import Path
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage.sqlite_store import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
with store.filling(), store.transaction():
    store.save(make_session("half", *(make_task(f"t{n}", notes="n" * 9000) for n in range(1000))))
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""More than SQLite keeps in memory, so that a part of it comes into the file before the end."""


@pytest.fixture
def cut_short(tmp_path: Path) -> Path:
    """A database whose filling was killed in the middle of a transaction."""
    path = tmp_path / "store.db"
    done = subprocess.run([sys.executable, "-c", _FILL, path], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("store.db-journal").stat().st_size > 0, "nothing has to be undone"
    return path


def test_a_transaction_that_was_cut_short_is_undone_before_it_is_read(
    open_at: OpenAt, cut_short: Path
) -> None:
    with open_at("sqlite:{}/store.db?mode=ro") as store:
        assert store.ids() == []
        assert store.verify() == []
    with open_at("sqlite:{}/store.db") as store:
        store.save(make_session("whole", make_task("t")))
        assert store.verify() == []


def test_what_may_not_be_undone_is_not_read(
    open_at: OpenAt, cut_short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = sqlite_read_only._opened

    def as_others_may(path: Path, options: str) -> object:
        return opened(path, options.replace("mode=rw", "mode=ro"))

    monkeypatch.setattr(sqlite_read_only, "_opened", as_others_may)
    before = cut_short.read_bytes()
    with pytest.raises(StoreFailed, match=r"a write was cut short here.*let it be undone"):
        open_at("sqlite:{}/store.db?mode=ro")
    assert cut_short.read_bytes() == before


def test_reading_leaves_nothing_beside_the_file(open_at: OpenAt, tmp_path: Path) -> None:
    with open_at("sqlite:{}/store.db") as store:
        store.save(make_session("s", make_task("t")))
    before = (tmp_path / "store.db").read_bytes()
    with open_at("sqlite:{}/store.db?mode=ro") as store:
        assert store.ids() == ["s"]
    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]
    assert (tmp_path / "store.db").read_bytes() == before


def test_the_log_of_somebody_who_came_meanwhile_stays(open_at: OpenAt, tmp_path: Path) -> None:
    open_at("sqlite:{}/store.db").close()
    reader = open_at("sqlite:{}/store.db?mode=ro")
    writer = open_at("sqlite:{}/store.db")
    reader.close()
    assert (tmp_path / "store.db-wal").exists()
    writer.save(make_session("s", make_task("t")))
    with open_at("sqlite:{}/store.db?mode=ro") as other:
        assert other.ids() == ["s"]
    assert (tmp_path / "store.db-wal").exists()
