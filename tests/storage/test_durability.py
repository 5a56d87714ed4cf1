"""How both stores make a write durable, and how little an update touches."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tiergate.model import Status
from tiergate.store import Store, StoreError, TaskQuery
from tiergate.testing import make_session, make_task

OpenAt = Callable[[str], Store]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that make a write durable, in their order."""
    seen: list[str] = []
    sync, replace, unlink = os.fsync, os.replace, os.unlink
    sync_data, write_synced = os.fdatasync, os.pwritev

    def watched_sync(descriptor: int) -> None:
        seen.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        sync(descriptor)

    def watched_replace(source: Any, target: Any) -> None:
        seen.append("replace")
        replace(source, target)

    def watched_unlink(path: Any) -> None:
        seen.append("unlink")
        unlink(path)

    def watched_sync_data(descriptor: int) -> None:
        seen.append("synced write")
        sync_data(descriptor)

    def watched_write(descriptor: int, data: Any, offset: int, flags: int = 0) -> int:
        seen.append("synced write")
        return write_synced(descriptor, data, offset, flags)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(os, "fdatasync", watched_sync_data)
    monkeypatch.setattr(os, "pwritev", watched_write)
    monkeypatch.setattr(os, "replace", watched_replace)
    monkeypatch.setattr(os, "unlink", watched_unlink)
    return seen


def test_json_makes_its_folder_and_its_journal_durable_before_the_first_write_returns(
    open_at: OpenAt, steps: list[str]
) -> None:
    store = open_at("json:{}/work")
    assert steps == ["sync folder"]
    steps.clear()
    store.save(make_session("s", "a"))
    names = ["sync folder", "sync folder"]  # another process may have made them, and died
    assert steps == ["sync file", "replace", "sync folder", *names, "synced write"]


def test_json_syncs_each_write_once_whatever_it_is(open_at: OpenAt, steps: list[str]) -> None:
    store = open_at("json:{}/work")
    store.save(make_session("s", *(f"t{number}" for number in range(50))))
    steps.clear()
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    store.delete("s", expected_version=2)
    with store.transaction():
        store.save(make_session("s", "a"))
        store.save(make_session("t", "a"))
    assert steps == ["synced write"] * 3


def test_json_with_normal_durability_only_writes(open_at: OpenAt, steps: list[str]) -> None:
    store = open_at("json:{}/work?durability=normal")
    store.save(make_session("s", "a"))
    steps.clear()
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    store.delete("s", expected_version=2)
    assert steps == []


@pytest.mark.parametrize(("option", "syncs"), [("", 1), ("?durability=full", 1), ("?durability=normal", 0)])
def test_sqlite_syncs_each_commit_once_unless_told_otherwise(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch, option: str, syncs: int
) -> None:
    store: Any = open_at("sqlite:{}/store.db" + option)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    seen: list[str] = []
    sync = os.fdatasync

    def watched(descriptor: int) -> None:
        seen.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        assert not store._connection.in_transaction  # what is synced is committed
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", watched)
    store.save(make_session("s", "a"))
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    with store.transaction():
        store.save(make_session("t", "a"))
        store.delete("s", expected_version=2)
    assert len(seen) == 3 * syncs
    assert all(name.endswith("/store.db-wal") for name in seen)


def test_sqlite_says_so_when_a_sync_fails_and_writes_no_more(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    store = open_at("sqlite:{}/store.db")
    store.save(make_session("s", "a"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreError, match="cannot bring the write to disk: Input/output error"):
            store.upsert_tasks("s", [make_task("b")], expected_version=1)
    with pytest.raises(StoreError, match="an earlier write could not be brought to disk"):
        store.save(make_session("t"))
    assert open_at("sqlite:{}/store.db").save(make_session("t")) == 1


def test_sqlite_bounds_its_log(open_at: OpenAt, tmp_path: Path) -> None:
    store = open_at("sqlite:{}/store.db?durability=normal")
    store.save(make_session("s", make_task("a", notes="x" * 30_000_000)))
    for number in range(3):
        store.save(make_session(f"t{number}"))
    assert (tmp_path / "store.db-wal").stat().st_size <= 16 << 20


def statements(store: Any, call: Callable[[], object]) -> list[str]:
    """The first words of the statements that a call runs."""
    seen: list[str] = []
    store._connection.set_trace_callback(lambda sql: seen.append(" ".join(sql.split()[:2])))
    call()
    store._connection.set_trace_callback(None)
    return seen


def test_sqlite_updates_only_the_tasks_that_changed_and_commits_once(open_at: OpenAt) -> None:
    store: Any = open_at("sqlite:{}/store.db")
    store.save(make_session("s", *(make_task(str(number)) for number in range(100))))
    before = store._connection.total_changes
    changed = [make_task("5", title="new"), make_task("more")]
    ran = statements(store, lambda: store.upsert_tasks("s", changed, expected_version=1))
    assert [one for one in ran if not one.startswith("PRAGMA")] == [
        "BEGIN IMMEDIATE",
        "UPDATE sessions",
        "UPDATE counter",
        "INSERT INTO",
        "INSERT INTO",
        "COMMIT",
    ]
    assert store._connection.total_changes - before == 4  # the session's version, the counter and two tasks


def test_sqlite_reads_one_task_without_the_others(open_at: OpenAt) -> None:
    store: Any = open_at("sqlite:{}/store.db")
    store.save(make_session("s", "a", "b"))
    store._connection.execute("UPDATE tasks SET body = X'00' WHERE id = 'b'")
    assert store.load_task("s", "a") == (make_task("a"), 1)
    assert [size.tasks for size in store.sizes()] == [2]  # nor do sizes decode anything


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(statuses=(Status.ACTIVE,)), "COVERING INDEX tasks_by_status (status=?)"),
        (TaskQuery(min_weight=5), "COVERING INDEX tasks_by_status (status=? AND weight>?)"),
        (TaskQuery(session="s"), "INDEX sqlite_autoindex_tasks_1 (session=?)"),
    ],
)
def test_sqlite_queries_use_their_index(open_at: OpenAt, query: TaskQuery, index: str) -> None:
    store: Any = open_at("sqlite:{}/store.db")
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    store.outlines(query)
    store._connection.set_trace_callback(None)
    (statement,) = (sql for sql in seen if "FROM tasks" in sql)
    plan = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    assert any(index in row[-1] for row in plan), plan


def test_sqlite_lists_sessions_by_their_own_names(open_at: OpenAt) -> None:
    def save_and_fail() -> None:
        with store.transaction():
            store.save(make_session("undone", "a"))
            assert [line.session for line in store.outlines(TaskQuery())] == ["undone"]
            raise RuntimeError

    store, other = open_at("sqlite:{}/store.db"), open_at("sqlite:{}/store.db")
    with pytest.raises(RuntimeError):
        save_and_fail()
    store.save(make_session("first", "a"))
    assert [line.session for line in store.outlines(TaskQuery())] == ["first"]
    other.delete("first", expected_version=1)
    other.save(make_session("second", "a"))
    assert [line.session for line in store.outlines(TaskQuery())] == ["second"]


def test_sqlite_counts_its_write_ahead_log(open_at: OpenAt, tmp_path: Path) -> None:
    store = open_at("sqlite:{}/store.db")
    store.save(make_session("s", make_task("a", notes="x" * 100_000)))
    files = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert store.stats().disk_bytes == files > 100_000


def test_json_counts_every_file(open_at: OpenAt, tmp_path: Path) -> None:
    store = open_at("json:{}/work")
    store.save(make_session("s", make_task("a", notes="x" * 100_000)))
    assert store.stats().disk_bytes == sum(path.stat().st_size for path in (tmp_path / "work").iterdir())
    assert store.stats().details["journal_used_bytes"] > 100_000


@pytest.mark.parametrize("scheme", ["json:{}/work", "jsonfile:{}/work.json", "sqlite:{}/store.db"])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({1, 2}, "extra.x = set"),
        (datetime(2026, 1, 1, tzinfo=UTC), "extra.x = datetime"),
        ([Decimal("1.5")], "extra.x[0] = Decimal"),
        ({"y": make_task("t")}, "extra.x.y = Task"),
        (b"bytes", "extra.x = bytes"),
    ],
)
def test_values_that_would_come_back_as_others_are_refused(
    open_at: OpenAt, scheme: str, value: object, what: str
) -> None:
    store = open_at(scheme)
    with pytest.raises(StoreError, match=re.escape(f"{what} would not come back as it is")):
        store.save(make_session("s", make_task("t", extra={"x": value})))
    assert store.ids() == []
