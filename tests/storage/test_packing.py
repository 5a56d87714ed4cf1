"""Tasks that are compressed together: what is read, when they are packed again, and what damage does."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiergate.model import Session, Status
from tiergate.store import ORDERS, Store, StoreDamaged, TaskOutline, TaskQuery
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage import sqlite_packing

OpenAt = Callable[[str], Store]
PACKED = "sqlite:{}/store.db?body=zstd"
PLAIN = "sqlite:{}/store.db"
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"statuses": (Status.ACTIVE, Status.QUEUED)},
    {"min_weight": 2.5},
    {"session": "b"},
)
WORDS = "queue worker tier store session balance review merge release deploy index cache".split()


def long_session(name: str, tasks: int = 40) -> Session:
    """A session whose notes have much in common."""
    draw = random.Random(name)
    return make_session(
        name,
        *(
            make_task(
                f"t{number:02}",
                title=" ".join(draw.choices(WORDS, k=4)),
                notes=" ".join(draw.choices(WORDS, k=60)),
                status=draw.choice(list(Status)),
                weight=draw.randrange(10) / 2,
                updated_at=f"2026-01-{draw.randrange(1, 29):02}",
            )
            for number in range(tasks)
        ),
    )


def ask(store: Store, sql: str) -> Any:
    """One value of the database behind a store."""
    connection: sqlite3.Connection = store._connection  # type: ignore[attr-defined]
    return connection.execute(sql).fetchone()[0]


def loose(store: Store) -> int:
    """How many tasks have a body of their own."""
    return int(ask(store, "SELECT COUNT(*) FROM tasks WHERE body != x''"))


def outcome(store: Store) -> object:
    """The tasks of a session, or where it is said to be damaged."""
    try:
        return store.load("s").tasks
    except StoreDamaged as error:
        return error.where


def test_bodies_are_compressed_with_a_dictionary(open_at: OpenAt) -> None:
    store, plain = open_at(PACKED), open_at("sqlite:{}/plain.db")
    with store.transaction(), plain.transaction():
        for number in range(60):
            for one in (store, plain):
                one.save(long_session(f"s{number}"))
    assert ask(store, "SELECT COUNT(*) FROM dictionaries") == 1
    held = "SELECT SUM(LENGTH(body)) FROM "
    assert ask(store, f"{held} packed") * 3 < ask(plain, f"{held} tasks")
    assert ask(store, "SELECT MAX(LENGTH(body)) FROM tasks") == 0
    assert [store.load(name).tasks for name in store.ids()] == [
        plain.load(name).tasks for name in plain.ids()
    ]
    assert store.verify() == []


def test_a_dictionary_of_a_transaction_that_failed_is_forgotten(open_at: OpenAt) -> None:
    store = open_at(PACKED)

    def fill() -> None:
        for number in range(40):
            store.save(long_session(f"s{number}"))

    def fill_and_fail() -> None:
        with store.transaction():
            fill()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fill_and_fail()
    assert ask(store, "SELECT COUNT(*) FROM dictionaries") == 0
    store.save(long_session("s"))
    fill()
    again = open_at(PACKED)
    assert again.verify() == []
    assert again.load("s39").tasks == long_session("s39").tasks


def test_updated_tasks_are_packed_again(open_at: OpenAt) -> None:
    store = open_at(PACKED)
    session = long_session("s", tasks=80)
    store.save(session)
    held = {task.id: task for task in session.tasks}
    draw = random.Random(1)
    most = 0
    for version in range(1, 200):
        changed = make_task(f"t{draw.randrange(90):02}", notes=f"changed {version}", title=str(version))
        held[changed.id] = changed
        assert store.upsert_tasks("s", [changed], expected_version=version) == version + 1
        most = max(most, loose(store))
        if version % 20 == 0:
            assert store.load("s").tasks == tuple(held.values())
            assert store.load_task("s", changed.id) == (changed, version + 1)
    assert 4 <= most <= 11, "an eighth of them, at most"
    assert store.verify() == []


def test_a_plain_store_is_packed_as_it_is_written(open_at: OpenAt) -> None:
    open_at(PLAIN).save(long_session("s"))
    store = open_at(PACKED)
    assert loose(store) == 40
    store.upsert_tasks("s", [make_task("t00", notes="new")], expected_version=1)
    assert loose(store) == 0
    assert store.load("s").tasks[0].notes == "new"


def test_a_packed_store_is_read_and_written_without_the_option(open_at: OpenAt) -> None:
    open_at(PACKED).save(long_session("s"))
    store = open_at(PLAIN)
    assert store.load("s").tasks == long_session("s").tasks
    for number in range(20):
        store.upsert_tasks("s", [make_task(f"t{number:02}", title="plain")], expected_version=number + 1)
    assert loose(store) == 20
    store.save(store.load("s"))
    assert ask(store, "SELECT COUNT(*) FROM packed") == 0
    assert store.load("s").tasks[20:] == long_session("s").tasks[20:]
    assert store.verify() == []


@pytest.mark.parametrize("limit", [None, 3])
@pytest.mark.parametrize("text", [None, "REVIEW merge"])
def test_queries_find_what_they_find_in_a_plain_store(
    open_at: OpenAt, text: str | None, limit: int | None
) -> None:
    packed, plain = open_at(PACKED), open_at("sqlite:{}/plain.db")
    for store in (packed, plain):
        for name in ("a", "b", "c"):
            store.save(long_session(name))
        store.upsert_tasks("b", [make_task("t03", notes="review merge", weight=4.0)], expected_version=1)
    assert 0 < loose(packed) < 40
    for order in (*ORDERS, *(f"-{name}" for name in ORDERS)):
        for conditions in (
            {},
            {"statuses": (Status.ACTIVE, Status.QUEUED)},
            {"min_weight": 2.5},
            {"session": "b"},
        ):
            query = TaskQuery(text=text, limit=limit, order=order, **conditions)  # type: ignore[arg-type]
            found = plain.query(query)
            assert packed.query(query) == found
            expected = [
                TaskOutline(hit.session, hit.task.id, hit.task.title, hit.task.status, hit.task.weight)
                for hit in found
            ]
            assert packed.outlines(query) == plain.outlines(query) == expected


def test_every_damaged_byte_is_found(open_at: OpenAt, tmp_path: Path) -> None:
    store = open_at(PACKED)
    store.save(long_session("s", tasks=5))
    connection: sqlite3.Connection = store._connection  # type: ignore[attr-defined]
    (frame,) = connection.execute("SELECT body FROM packed").fetchone()
    damaged_at = []
    for place in range(0, len(frame), 3):
        damaged = bytearray(frame)
        damaged[place] ^= 0x10
        connection.execute("UPDATE packed SET body = ?", (bytes(damaged),))
        found = outcome(store)
        assert found in (long_session("s", tasks=5).tasks, f"{tmp_path}/store.db: session 's'")
        if isinstance(found, str):
            damaged_at.append(place)
            assert store.verify()[0].where == found
    assert len(damaged_at) * 3 > len(frame) * 0.9, "only bits that mean nothing may go unnoticed"
    connection.execute("DELETE FROM packed")
    with pytest.raises(StoreDamaged, match="task 't00' has no body"):
        store.load("s")
    with pytest.raises(StoreDamaged, match="task 't01' has no body"):
        store.load_task("s", "t01")
    assert "it has no body" in {found.what for found in store.verify()}


def test_a_lost_dictionary_is_named(open_at: OpenAt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_packing, "_TRAIN_AT", (8, 1000))
    store = open_at(PACKED)
    for number in range(12):
        store.save(long_session(f"s{number}"))
    assert ask(store, "SELECT COUNT(*) FROM dictionaries") == 1
    store._connection.execute("DELETE FROM dictionaries")  # type: ignore[attr-defined]
    again = open_at(PACKED)
    with pytest.raises(StoreDamaged, match="its packed tasks cannot be read: there is no dictionary"):
        again.load("s3")
    assert len(again.verify()) >= 12
