"""Databases that older versions made are brought up to date, and lose nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.model import Session, Status, encode
from tiergate.store import Store, StoreError, TaskQuery
from tiergate.testing import make_session, make_task

OpenAt = Callable[[str], Store]

# As versions 1, 2 and 3 made them; what they hold must be read for ever.
COMMON = """
    CREATE TABLE sessions (
        key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE TABLE tasks (
        position INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES sessions (key), id TEXT NOT NULL,
        title TEXT NOT NULL, status TEXT NOT NULL, weight REAL NOT NULL, updated_at TEXT NOT NULL,
        body BLOB NOT NULL, UNIQUE (session, id)
    );
    CREATE INDEX tasks_in_order ON tasks (session);
    PRAGMA application_id = 1952923988;
"""
SCHEMAS = {
    1: COMMON
    + """
    CREATE INDEX tasks_by_status ON tasks (status, weight);
    CREATE INDEX tasks_by_weight ON tasks (weight);
    PRAGMA user_version = 1;
""",
    2: COMMON
    + """
    CREATE INDEX tasks_by_status ON tasks (status, weight, session, id, title);
    CREATE TABLE deleted (id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE counter (changes INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);
    PRAGMA user_version = 2;
""",
}
SCHEMAS[3] = (
    SCHEMAS[2]
    + """
    DROP INDEX tasks_in_order;
    ALTER TABLE sessions ADD COLUMN room INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE packed (session INTEGER PRIMARY KEY REFERENCES sessions (key), body BLOB NOT NULL);
    CREATE TABLE dictionaries (
        id INTEGER PRIMARY KEY, generation INTEGER NOT NULL UNIQUE, body BLOB NOT NULL
    );
    PRAGMA user_version = 3;
"""
)
LETTERS = {"queued": "q", "active": "a", "blocked": "b", "completed": "c", "abandoned": "x"}
SESSIONS = [
    make_session(
        f"s{number}",
        *(
            make_task(
                f"{status}-{number}", title=f"is {status}", status=status, weight=number + 0.5, updated_at="x"
            )
            for status in Status
        ),
    )
    for number in range(3)
]


def make_old(path: Path, version: int) -> None:
    """Write a database as an older version did."""
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMAS[version])
    for session in SESSIONS:
        body = encode(Session(id=session.id))
        connection.execute("UPDATE counter SET changes = changes + 1" if version > 2 else "SELECT 1")
        cursor = connection.execute(
            "INSERT INTO sessions (id, version, body) VALUES (?, 7, ?)", (session.id, body)
        )
        for task in session.tasks:
            status = LETTERS[task.status] if version > 2 else task.status.value
            row = (cursor.lastrowid, task.id, task.title, status, task.weight, "x", encode(task))
            connection.execute(
                "INSERT INTO tasks (session, id, title, status, weight, updated_at, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
    connection.commit()
    connection.close()


def schema_of(path: Path) -> set[tuple[str, str]]:
    """Every table and index, without regard to how its statement is written."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    found = set()
    for name in names:
        columns = connection.execute(f"PRAGMA table_info('{name}')").fetchall()
        columns += connection.execute(f"PRAGMA index_info('{name}')").fetchall()
        found.add((name, repr(sorted(str(column) for column in columns))))
    connection.close()
    return found


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("option", ["", "?body=zstd"])
def test_an_old_database_is_brought_up_to_date(
    open_at: OpenAt, tmp_path: Path, version: int, option: str
) -> None:
    make_old(tmp_path / "store.db", version)
    store = open_at(f"sqlite:{{}}/store.db{option}")
    assert [store.load(session.id).tasks for session in SESSIONS] == [session.tasks for session in SESSIONS]
    assert {store.load(name).version for name in store.ids()} == {7}
    hits = store.query(TaskQuery(statuses=(Status.ABANDONED, Status.BLOCKED), min_weight=1.0))
    assert [hit.task.id for hit in hits] == ["abandoned-1", "abandoned-2", "blocked-1", "blocked-2"]
    assert store.upsert_tasks("s0", [make_task("new")], expected_version=7) == 8
    assert store.changes() == len(SESSIONS) + 1, "which no earlier count was"
    assert store.verify() == []
    open_at("sqlite:{}/new.db").close()
    assert schema_of(tmp_path / "store.db") == schema_of(tmp_path / "new.db")


@pytest.mark.parametrize("version", SCHEMAS)
def test_reading_does_not_bring_it_up_to_date(open_at: OpenAt, tmp_path: Path, version: int) -> None:
    make_old(tmp_path / "store.db", version)
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StoreError, match=f"schema version {version}, this tiergate reads 4") as caught:
        open_at("sqlite:{}/store.db?mode=ro")
    assert "brings it up to date" in str(caught.value)
    assert (tmp_path / "store.db").read_bytes() == before


def test_a_store_that_was_left_while_it_was_filled_is_mended(open_at: OpenAt, tmp_path: Path) -> None:
    store = open_at("sqlite:{}/store.db")
    left = store.filling()
    left.__enter__()  # and never left, as when the process is killed
    for session in SESSIONS:
        store.save(session)
    assert "tasks_by_status" not in {name for name, _ in schema_of(tmp_path / "store.db")}
    again = open_at("sqlite:{}/store.db")
    assert "tasks_by_status" in {name for name, _ in schema_of(tmp_path / "store.db")}
    assert len(again.query(TaskQuery(statuses=(Status.BLOCKED,)))) == 3
    assert again.verify() == []
    left.__exit__(None, None, None)  # the one that filled it may still be there
    assert store.verify() == []


def test_an_upgrade_that_fails_changes_nothing(
    open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiergate_plugins.storage import sqlite_schema

    make_old(tmp_path / "store.db", 2)
    before = schema_of(tmp_path / "store.db")
    steps = {**sqlite_schema._STEPS, 2: (*sqlite_schema._STEPS[2], "SELECT nothing")}
    monkeypatch.setattr(sqlite_schema, "_STEPS", steps)
    with pytest.raises(StoreError):
        open_at("sqlite:{}/store.db")
    assert schema_of(tmp_path / "store.db") == before
    monkeypatch.undo()
    assert open_at("sqlite:{}/store.db").load("s1").tasks == SESSIONS[1].tasks
