"""What `verify` and the other calls say of a store that is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tiergate.model import encode
from tiergate.store import Damage, Store, StoreDamaged, TaskQuery
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage.file_names import file_name

OpenAt = Callable[[str], Store]


def filled(store: Store) -> Store:
    """Two sessions, one of them with an id too long for a file name."""
    store.save(make_session("s", "a", make_task("b", notes="x" * 3000)))
    store.save(make_session("y" * 500, "a"))
    return store


def folder_of_files(folder: Path) -> Path:
    """The same as ``json:`` keeps it once the journal was folded into the files, and as it was before
    there was a journal."""
    folder.mkdir()
    for session in (make_session("s", "a", make_task("b", notes="x" * 3000)), make_session("y" * 500, "a")):
        (folder / file_name(session.id)).write_bytes(encode(msgspec.structs.replace(session, version=1)))
    return folder


def change(database: Path, *statements: str) -> None:
    """Change a database behind the store's back."""
    with sqlite3.connect(database) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


JSON_DAMAGE = {
    "cut short": (b'{"id":"s","ta', "not a session"),
    "emptied": (b"", "not a session"),
    "not Unicode": (b'{"id":"s","title":"\xff"}', "not a session"),
    "of another type": (b"[]", "not a session"),
    "a field of another type": (b'{"id":"s","tasks":[{"id":1}]}', "not a session"),
    "too deep": (b'{"id":"s","extra":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a session"),
    "of another session": (b'{"id":"t","version":1}', "the file holds session 't'"),
    "a task twice": (
        b'{"id":"s","version":1,"tasks":[{"id":"a","title":""},{"id":"a","title":""}]}',
        "two tasks have the id 'a'",
    ),
}


@pytest.mark.parametrize(("content", "what"), JSON_DAMAGE.values(), ids=JSON_DAMAGE.keys())
def test_json_names_a_damaged_file(open_at: OpenAt, tmp_path: Path, content: bytes, what: str) -> None:
    (folder_of_files(tmp_path / "work") / "s.json").write_bytes(content)
    store = open_at("json:{}/work")
    (damage,) = store.verify()
    assert damage.where == str(tmp_path / "work" / "s.json")
    assert damage.what.startswith(what)


@pytest.mark.parametrize("content", [b'{"id":"s","ta', b"\xff", b"[" * 100_000])
def test_json_reads_and_overwrites_no_damaged_file(open_at: OpenAt, tmp_path: Path, content: bytes) -> None:
    file = folder_of_files(tmp_path / "work") / "s.json"
    file.write_bytes(content)
    store = open_at("json:{}/work")
    for call in (
        lambda: store.load("s"),
        lambda: store.load_task("s", "a"),
        lambda: store.save(make_session("s", version=1)),
        lambda: store.upsert_tasks("s", [], expected_version=1),
        lambda: store.delete("s", expected_version=1),
        lambda: store.query(TaskQuery()),
        store.sizes,
    ):
        with pytest.raises(StoreDamaged, match=r"s\.json: not a session"):
            call()
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", ["Upper.json", "%zz.json", "a b.json", "%2.json", "%c3.json", "%61.json"])
def test_json_names_a_file_that_no_session_has(open_at: OpenAt, tmp_path: Path, name: str) -> None:
    store = filled(open_at("json:{}/work"))
    (tmp_path / "work" / name).write_text('{"id":"s"}')
    (damage,) = store.verify()
    assert (damage.where, damage.what) == (
        str(tmp_path / "work" / name),
        f"{name!r} is not the file name of a session",
    )
    assert store.ids() == ["s", "y" * 500]


def test_json_names_a_long_id_that_moved(open_at: OpenAt, tmp_path: Path) -> None:
    (file,) = folder_of_files(tmp_path / "work").glob("y*.json")
    store = open_at("json:{}/work")
    moved = file.with_name(f"{'y' * 60}~{'0' * 64}.json")
    file.rename(moved)
    (damage,) = store.verify()
    assert damage.where == str(moved)
    assert damage.what == f"the file holds session {'y' * 500!r}"


def test_json_leaves_other_files_alone(open_at: OpenAt, tmp_path: Path) -> None:
    store = filled(open_at("json:{}/work"))
    (tmp_path / "work" / "README.md").write_text("notes")
    (tmp_path / "work" / ".new").write_bytes(b'{"id":"s","ta')  # what a crash in the middle of a write leaves
    assert store.verify() == []
    assert store.ids() == ["s", "y" * 500]
    store.save(make_session("s", version=1))
    assert sorted(path.name[:9] for path in (tmp_path / "work").iterdir()) == [
        ".lock",
        ".new",
        "README.md",
        "journal",
    ]


SQLITE_DAMAGE = {
    "a task body": (
        "UPDATE tasks SET body = X'7B' WHERE id = 'b'",
        "store.db: session 's', task 'b'",
        "not a task: ",
    ),
    "a session body": (
        "UPDATE sessions SET body = '' WHERE id = 's'",
        "store.db: session 's'",
        "not a session: ",
    ),
    "another session's body": (
        "UPDATE sessions SET body = '{\"id\":\"t\"}' WHERE id = 's'",
        "store.db: session 's'",
        "its body is that of session 't'",
    ),
    "a version": (
        "UPDATE sessions SET version = -1 WHERE id = 's'",
        "store.db: session 's'",
        "its version is -1",
    ),
    "a status": (
        "UPDATE tasks SET status = 'a' WHERE id = 'b'",
        "store.db: session 's', task 'b'",
        "its status is 'a' in the index and 'q' in the body",
    ),
    "a weight": (
        "UPDATE tasks SET weight = 9 WHERE id = 'b'",
        "store.db: session 's', task 'b'",
        "its weight is 9.0 in the index and 1.0 in the body",
    ),
    "a lost session": ("DELETE FROM sessions WHERE id = 's'", "store.db: task 'a'", "its session is missing"),
    "text that is none": (
        "UPDATE tasks SET title = CAST(X'FF' AS TEXT) WHERE id = 'b'",
        "store.db",
        "the database is damaged: ",
    ),
    "a lost table": ("DROP TABLE tasks", "store.db", "the database is damaged: no such table: tasks"),
}


@pytest.mark.parametrize(("statement", "where", "what"), SQLITE_DAMAGE.values(), ids=SQLITE_DAMAGE.keys())
def test_sqlite_names_a_damaged_row(
    open_at: OpenAt, tmp_path: Path, statement: str, where: str, what: str
) -> None:
    store = filled(open_at("sqlite:{}/store.db"))
    change(tmp_path / "store.db", statement)
    damage = store.verify()
    assert damage[0].where == f"{tmp_path}/{where}"
    assert damage[0].what.startswith(what)


def test_sqlite_reads_no_damaged_row(open_at: OpenAt, tmp_path: Path) -> None:
    store = filled(open_at("sqlite:{}/store.db"))
    change(tmp_path / "store.db", "UPDATE tasks SET body = X'7B' WHERE id = 'b'")
    for call in (
        lambda: store.load("s"),
        lambda: store.load_task("s", "b"),
        lambda: store.query(TaskQuery(session="s")),
    ):
        with pytest.raises(StoreDamaged, match=r"store\.db: session 's', task 'b': not a task"):
            call()
    assert store.load_task("s", "a")[0] == make_task("a")


def test_sqlite_names_a_page_that_was_overwritten(open_at: OpenAt, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_at("sqlite:{}/store.db") as store:
        for number in range(50):
            store.save(make_session(f"s{number}", *(make_task(str(n), notes="x" * 500) for n in range(10))))
    content = bytearray(path.read_bytes())
    for page in range(4, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(content)
    damage = open_at("sqlite:{}/store.db").verify()
    assert damage
    assert all(one.where.startswith(str(path)) for one in damage)
    assert all("\n" not in one.what for one in damage)


def damage_of(open_at: OpenAt, address: str) -> list[Damage]:
    """What is wrong with the store at an address, whether opening it notices or only `verify`."""
    try:
        return open_at(address).verify()
    except StoreDamaged as error:
        return [Damage(error.where or "", error.what)]


@pytest.mark.parametrize("length", [100, 4096, 3 * 4096 + 17])
def test_sqlite_names_a_file_that_was_cut_short(open_at: OpenAt, tmp_path: Path, length: int) -> None:
    path = tmp_path / "store.db"
    filled(open_at("sqlite:{}/store.db")).close()
    path.write_bytes(path.read_bytes()[:length])
    damage = damage_of(open_at, "sqlite:{}/store.db")
    assert damage[0].where == str(path)
    assert damage[0].what.startswith("the database is damaged")
