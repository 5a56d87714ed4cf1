"""Sessions that are kept decoded: never older than the store, never shared with a caller, never too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Task
from tiergate.resident import PROMOTE_AFTER, ResidentStore
from tiergate.store import SessionNotFound, StaleVersion, Store, StoreAddress, TaskNotFound
from tiergate.store_front import StoreFront
from tiergate.testing import StoreContract, make_session, make_task
from tiergate_plugins.storage import json_dir, sqlite

(SQLITE,) = sqlite.tiergate_stores()
(JSON,) = json_dir.tiergate_stores()


def in_front_of(declaration: StoreDeclaration) -> StoreDeclaration:
    return replace(declaration, open=lambda address: ResidentStore(declaration.open(address), 1000))


class TestInFrontOfSqlite(StoreContract):
    @pytest.fixture
    def declaration(self) -> StoreDeclaration:
        return in_front_of(SQLITE)


class TestInFrontOfJson(StoreContract):
    @pytest.fixture
    def declaration(self) -> StoreDeclaration:
        return in_front_of(JSON)


class Counting(StoreFront):
    """Counts what was read of the store behind."""

    loads = tasks = 0

    def load(self, session_id: str) -> Session:
        self.loads += 1
        return super().load(session_id)

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        self.tasks += 1
        return super().load_task(session_id, task_id)


@pytest.fixture
def address(tmp_path: Path) -> StoreAddress:
    return StoreAddress("sqlite", str(tmp_path / "store.db"))


@pytest.fixture
def other(address: StoreAddress) -> Iterator[Store]:
    """Another process's view of the same store."""
    with SQLITE.open(address) as store:
        yield store


@pytest.fixture
def behind(address: StoreAddress) -> Counting:
    return Counting(SQLITE.open(address))


@pytest.fixture
def store(behind: Counting) -> Iterator[ResidentStore]:
    with ResidentStore(behind, 20) as front:
        yield front


def test_a_session_is_loaded_once_and_again_when_somebody_else_wrote_it(
    store: ResidentStore, behind: Counting, other: Store
) -> None:
    other.save(make_session("s", "a"))
    assert [store.load("s").version for _ in range(5)] == [1] * 5
    assert behind.loads == 1
    other.upsert_tasks("s", [make_task("b")], expected_version=1)
    assert store.load("s") == other.load("s")
    assert store.load_task("s", "b") == (make_task("b"), 2)
    assert (behind.loads, behind.tasks) == (2, 0)
    other.delete("s", expected_version=2)
    for _ in range(2):
        with pytest.raises(SessionNotFound):
            store.load("s")
    assert store.held_tasks == 0


def test_single_tasks_of_a_session_that_is_read_often_make_it_resident(
    store: ResidentStore, behind: Counting, other: Store
) -> None:
    other.save(make_session("s", "a", "b"))
    for _ in range(PROMOTE_AFTER + 10):
        assert store.load_task("s", "b") == (make_task("b"), 1)
    assert (behind.tasks, behind.loads) == (PROMOTE_AFTER, 1)
    with pytest.raises(TaskNotFound):
        store.load_task("s", "zz")


def test_own_writes_are_kept_as_the_store_keeps_them(
    store: ResidentStore, behind: Counting, other: Store
) -> None:
    version = store.save(make_session("s", "a", "b", extra={"x": [1]}))
    for task in (make_task("b", title="new", extra={"deep": {"er": 1}}), make_task("c")):
        version = store.upsert_tasks("s", [task], expected_version=version)
        assert store.load("s") == other.load("s")
    assert behind.loads == 0
    with pytest.raises(StaleVersion):
        store.upsert_tasks("s", [make_task("lost")], expected_version=1)
    assert store.load("s") == other.load("s")


def test_nothing_of_a_transaction_that_is_undone_is_kept(store: ResidentStore, other: Store) -> None:
    store.save(make_session("s", "a"))

    def undone() -> None:
        with store.transaction():
            store.upsert_tasks("s", [make_task("a", title="undone")], expected_version=1)
            assert store.load("s").tasks[0].title == "undone"
            assert store.load_task("s", "a")[0].title == "undone"
            raise KeyError

    with pytest.raises(KeyError):
        undone()
    # The version that was undone is used by somebody else, with other contents.
    other.upsert_tasks("s", [make_task("a", title="theirs")], expected_version=1)
    assert store.load("s").tasks[0].title == "theirs"


def test_a_caller_cannot_change_what_is_kept(store: ResidentStore, other: Store) -> None:
    store.save(make_session("s", make_task("a", extra={"list": [1]}), "b", extra={"own": {}}))
    for _ in range(3):
        session = store.load("s")
        session.tasks[0].extra["list"].append(2)
        session.extra["own"]["mine"] = True
        session.tasks[1].extra["filled"] = "by a caller"
        store.load_task("s", "a")[0].extra["list"].append(3)
        assert store.load_task("s", "b")[0].extra == {}
        assert store.load("s") == other.load("s")


def test_the_oldest_give_way_and_what_is_too_large_is_not_kept(
    store: ResidentStore, behind: Counting, other: Store
) -> None:
    for name in "abc":
        other.save(make_session(name, *(f"t{n}" for n in range(9))))
    other.save(make_session("large", *(f"t{n}" for n in range(20))))
    for name in ("a", "b", "a", "c", "a"):
        store.load(name)
    assert behind.loads == 3
    assert store.held_tasks == 20
    store.load("b")
    assert behind.loads == 4
    for _ in range(50):
        store.load_task("large", "t1")
    assert (behind.loads, behind.tasks) == (5, 50)
    assert store.held_tasks == 20


def test_values_handed_out_are_equal_to_those_decoded(store: ResidentStore, other: Store) -> None:
    other.save(make_session("s", make_task("a", labels=("x",), extra={"k": {"v": [1]}})))
    first, second = store.load("s"), store.load("s")
    assert msgspec.json.encode(first) == msgspec.json.encode(second) == msgspec.json.encode(other.load("s"))
