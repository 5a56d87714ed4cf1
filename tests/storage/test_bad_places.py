"""Addresses, folders and files with which a store cannot work: one clear line each."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tiergate.errors import EXIT_USAGE, TiergateError, UsageError
from tiergate.store import Store, StoreError
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage import sqlite_transactions

OpenAt = Callable[[str], Store]
NEWER = "PRAGMA user_version = 99"


def line_of(open_at: OpenAt, address: str, kind: type[TiergateError] = StoreError) -> str:
    """The one line that a user sees when the address is opened."""
    with pytest.raises(kind) as caught:
        open_at(address)
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("scheme", ["json", "sqlite"])
class TestEveryScheme:
    """What both stores say alike."""

    def test_an_empty_path(self, open_at: OpenAt, scheme: str) -> None:
        assert "the address names no path" in line_of(open_at, f"{scheme}:", UsageError)

    def test_an_unknown_option(self, open_at: OpenAt, scheme: str) -> None:
        line = line_of(open_at, f"{scheme}:{{}}/x?durable=no", UsageError)
        assert "unknown option 'durable' (known: durability, mode" in line

    def test_an_unknown_durability(self, open_at: OpenAt, scheme: str) -> None:
        line = line_of(open_at, f"{scheme}:{{}}/x?durability=norma", UsageError)
        assert "unknown durability 'norma' (did you mean 'normal'?)" in line

    def test_a_path_that_cannot_be_one(self, open_at: OpenAt, scheme: str) -> None:
        with pytest.raises(UsageError, match="NUL"):
            open_at(f"{scheme}:{{}}/x\0y")

    def test_a_missing_parent(self, open_at: OpenAt, tmp_path: Path, scheme: str) -> None:
        line = line_of(open_at, f"{scheme}:{{}}/no/such/place")
        assert str(tmp_path / "no") in line
        assert "first)" in line

    def test_a_file_where_a_folder_must_be(self, open_at: OpenAt, tmp_path: Path, scheme: str) -> None:
        (tmp_path / "file").write_text("text")
        assert str(tmp_path / "file") in line_of(open_at, f"{scheme}:{{}}/file/store")

    def test_relative_paths_do_not_follow_the_working_folder(
        self, open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store = open_at(f"{scheme}::memory:")  # to SQLite this is a name, too: nothing would be durable
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.save(make_session("s"))
        assert (tmp_path / ":memory:").exists()
        assert store.stats().disk_bytes > 0


def test_json_wants_a_folder(open_at: OpenAt, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    assert line_of(open_at, "json:{}/file").endswith(
        "cannot open the store: File exists (it is a file; name another path)"
    )


def test_sqlite_wants_a_file(open_at: OpenAt, tmp_path: Path) -> None:
    assert "this is a folder, not a file" in line_of(open_at, "sqlite:{}")


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 50, b'{"id":"s"}', b"\0" * 4096]
)
def test_sqlite_refuses_a_file_of_another_format(open_at: OpenAt, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "work.json").write_bytes(content)
    line = line_of(open_at, "sqlite:{}/work.json")
    assert (
        line == f"{tmp_path}/work.json: the file is not an SQLite database (name another file for the store)"
    )
    assert (tmp_path / "work.json").read_bytes() == content


@pytest.mark.parametrize("statement", ["CREATE TABLE bookmarks (url)", "PRAGMA user_version = 4"])
def test_sqlite_refuses_the_database_of_another_program(
    open_at: OpenAt, tmp_path: Path, statement: str
) -> None:
    connection = sqlite3.connect(tmp_path / "places.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = (tmp_path / "places.sqlite").read_bytes()
    assert "this SQLite database belongs to another program" in line_of(open_at, "sqlite:{}/places.sqlite")
    assert (tmp_path / "places.sqlite").read_bytes() == before


def test_sqlite_refuses_a_newer_schema(open_at: OpenAt, tmp_path: Path) -> None:
    open_at("sqlite:{}/store.db").close()
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute(NEWER)
    connection.close()
    line = line_of(open_at, "sqlite:{}/store.db")
    what = "the database has schema version 99, this tiergate knows up to 4"
    assert line == f"{tmp_path}/store.db: {what} (upgrade tiergate)"


def test_sqlite_makes_a_store_of_an_empty_file(open_at: OpenAt, tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    assert open_at("sqlite:{}/store.db").save(make_session("s")) == 1


def test_sqlite_says_that_it_is_closed(open_at: OpenAt) -> None:
    store = open_at("sqlite:{}/store.db")
    store.close()
    for call in (store.ids, store.sizes, store.stats, store.verify, lambda: store.save(make_session("s"))):
        with pytest.raises(StoreError, match=r"store\.db: .*closed"):
            call()


def test_sqlite_names_a_lock_that_stays(
    open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_transactions, "BUSY_TIMEOUT_S", 0.05)
    store: Any = open_at("sqlite:{}/store.db")
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process kept the database locked for 30 s"):
        store.save(make_session("s"))
    other.execute("ROLLBACK")
    other.close()
    assert store.save(make_session("s")) == 1


@pytest.mark.parametrize("in_transaction", [False, True])
def test_sqlite_names_a_full_disk(open_at: OpenAt, in_transaction: bool) -> None:
    store: Any = open_at("sqlite:{}/store.db")
    store.save(make_session("s", "a"))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    large = make_session("large", make_task("t", notes="x" * 10**6))

    def save_both() -> None:
        with store.transaction():
            store.save(make_session("small"))
            store.save(large)

    with pytest.raises(StoreError, match="the disk is full; nothing was written"):
        save_both() if in_transaction else store.save(large)
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.ids() == ["s"]
    assert store.save(large) == 1


def test_sqlite_does_not_go_on_in_a_transaction_that_was_undone(open_at: OpenAt) -> None:
    store: Any = open_at("sqlite:{}/store.db")

    def go_on() -> None:
        with store.transaction():
            store.save(make_session("s"))
            store._connection.execute("ROLLBACK")  # as SQLite does by itself after some errors of the disk
            store.save(make_session("t"))

    with pytest.raises(StoreError, match="an earlier error has undone the transaction"):
        go_on()
    assert store.ids() == []
    assert store.save(make_session("t")) == 1


def failing(code: int) -> Callable[..., NoReturn]:
    """A call of the operating system that always fails."""

    def fail(*arguments: object, **options: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("function", "code", "where", "hint"),
    [
        ("pwritev", errno.EIO, "/journal", "check the disk"),
        ("pwritev", errno.ENOSPC, "/journal", "free some space and repeat"),
        ("open", errno.EACCES, "", "check who may read and write there"),
        ("open", errno.EROFS, "", "the file system is mounted read-only"),
    ],
)
def test_json_names_what_the_system_refused(
    open_at: OpenAt,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    function: str,
    code: int,
    where: str,
    hint: str,
) -> None:
    store = open_at("json:{}/work")
    store.save(make_session("s", "a"))
    with monkeypatch.context() as patched:
        patched.setattr(os, function, failing(code))
        with pytest.raises(StoreError) as caught:
            store.upsert_tasks("s", [make_task("b")], expected_version=1)
    assert str(caught.value) == (
        f"{tmp_path / 'work'}{where}: cannot save the tasks of session 's': {os.strerror(code)} ({hint})"
    )
    assert store.load("s") == make_session("s", "a", version=1)
    assert open_at("json:{}/work").load("s") == make_session("s", "a", version=1)


def test_json_writes_no_more_after_a_sync_that_failed(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_at("json:{}/work")
    store.save(make_session("s", "a"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwritev", failing(errno.EIO))
        with pytest.raises(StoreError, match="check the disk"):
            store.save(make_session("t"))
    with pytest.raises(StoreError, match="an earlier write could not be brought to disk"):
        store.save(make_session("t"))
    assert store.ids() == ["s"]
    again = open_at("json:{}/work")
    assert again.save(make_session("t")) == 1
    assert store.ids() == ["s", "t"]


def test_json_names_a_folder_that_went_away(open_at: OpenAt, tmp_path: Path) -> None:
    store = open_at("json:{}/work")
    (tmp_path / "work").rmdir()
    for call in (store.ids, store.stats, store.verify, lambda: store.save(make_session("s"))):
        with pytest.raises(StoreError, match=r"/work.*No such file or directory \(create the folder first\)"):
            call()


@pytest.mark.parametrize("scheme", ["json", "sqlite"])
def test_a_value_that_cannot_be_kept_is_named(open_at: OpenAt, scheme: str) -> None:
    store = open_at(f"{scheme}:{{}}/store")
    task = make_task("t7", extra={"deep": [{"er": float("nan")}]})
    with pytest.raises(StoreError) as caught:
        store.save(make_session("s", "a", task))
    assert str(caught.value) == (
        "task 't7' of session 's' has no JSON form: extra.deep[0].er = nan would not come back as it is"
        " (text must be valid Unicode, numbers finite, names text)"
    )
