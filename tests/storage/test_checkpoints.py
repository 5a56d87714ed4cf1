"""The log is copied into the database while writes go on, and stays short."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tiergate.model import Session, Task
from tiergate_plugins.storage import sqlite_checkpoints
from tiergate_plugins.storage.sqlite_store import SqliteStore

_SAVES = 1500
_PAGE = 4096


def _changes_in_the_file(path: Path) -> int:
    """What the database knows without its log."""
    alone = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
    try:
        found: int = alone.execute("SELECT changes FROM counter").fetchone()[0]
    finally:
        alone.close()
    return found


def _save_often(store: SqliteStore, times: int) -> None:
    version = store.save(Session(id="s", tasks=(Task(id="t", title="first"),)))
    for number in range(times):
        version = store.upsert_tasks("s", [Task(id="t", title=f"number {number}")], expected_version=version)


def test_what_was_written_comes_into_the_database_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "work.db"
    store = SqliteStore(path, durable=False)
    _save_often(store, _SAVES)
    store.settle()
    assert store.changes() == _SAVES + 1
    assert _changes_in_the_file(path) > _SAVES / 2
    store.close()
    assert _changes_in_the_file(path) == _SAVES + 1


def test_the_log_stays_bounded_where_the_thread_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "_ROWS", 1 << 60)
    path = tmp_path / "work.db"
    store = SqliteStore(path, durable=False)
    _save_often(store, 2 * _SAVES)
    assert _changes_in_the_file(path) > 0
    log = path.with_name("work.db-wal").stat().st_size
    assert log < 2 * sqlite_checkpoints.LARGEST_LOG_PAGES * _PAGE
    store.close()


def test_filling_and_closing_wait_for_the_thread(tmp_path: Path) -> None:
    path = tmp_path / "work.db"
    store = SqliteStore(path, durable=False)
    _save_often(store, 400)
    with store.filling():
        store.save(Session(id="other"))
    store.close()
    assert not path.with_name("work.db-wal").exists()
    again = SqliteStore(path, writable=False)
    assert again.load("s").tasks[0].title == "number 399"
    again.close()
