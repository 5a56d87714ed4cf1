"""The store contract: sessions and tasks, their versions and their contents."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tiergate.model import Session, Status, Task
from tiergate.store import SessionNotFound, StaleVersion, Store, StoreError, TaskNotFound
from tiergate.testing.expect import must_raise
from tiergate.testing.samples import AWKWARD_TEXTS, make_session, make_task
from tiergate.testing.store_fixtures import StoreFixtures

_EVERY_TEXT = pytest.mark.parametrize("text", AWKWARD_TEXTS.values(), ids=AWKWARD_TEXTS.keys())

_FULL_TASK = Task(
    id="full",
    title="Everything set",
    notes="line\nline",
    status=Status.BLOCKED,
    weight=2.5,
    dependencies=("a", "b"),
    momentum=0.25,
    labels=("x", "y"),
    created_at="2025-01-02T03:04:05.678901234+02:00",
    updated_at="2025-01-02",
    source_status="on_hold",
    extra={
        "big": 2**60,
        "float": 0.1,
        "none": None,
        "nested": {"list": [1, "\0", {"": []}]},
        "title": "mine",
    },
)


def as_stored(session: Session, version: int) -> Session:
    """A session as a store that saved it gives it back."""
    return msgspec.structs.replace(session, version=version)


class SessionChecks(StoreFixtures):
    """Load, save, upsert and delete."""

    def test_a_new_session_gets_version_1(self, store: Store) -> None:
        assert store.save(make_session("s", "a")) == 1, "Store.save: return its new version; 0 is a new one"
        assert store.load("s").version == 1, "Session.version: how often a store has saved it"

    def test_each_write_raises_the_version_by_one(self, store: Store) -> None:
        contract = "Store: every session carries a version that each write raises by one"
        version = store.save(make_session("s", "a"))
        version = store.save(make_session("s", "a", "b", version=version))
        assert version == 2, contract
        assert store.upsert_tasks("s", [make_task("c")], expected_version=version) == 3, contract
        assert store.upsert_tasks("s", [], expected_version=3) == 4, contract
        assert store.load("s").version == 4, contract

    def test_everything_comes_back(self, store: Store) -> None:
        session = make_session(
            "s",
            _FULL_TASK,
            make_task("plain"),
            title="A session",
            created_at="2025-01-01",
            updated_at="2025-01-02",
            extra={"owner": {"name": "\N{ROCKET}"}, "tasks": [1]},
        )
        store.save(session)
        assert store.load("s") == as_stored(session, 1), "Store.load: one session with all its tasks"

    def test_a_session_without_tasks(self, store: Store) -> None:
        store.save(make_session("s"))
        assert store.load("s") == make_session("s", version=1), "Store.load: one session with all its tasks"

    def test_tasks_keep_their_order(self, store: Store) -> None:
        contract = "Store.load: tasks in the order in which they were saved"
        store.save(make_session("s", "b", "a", "d", "c"))
        assert [task.id for task in store.load("s").tasks] == ["b", "a", "d", "c"], contract
        store.save(make_session("s", "d", "a", "e", version=1))
        assert [task.id for task in store.load("s").tasks] == ["d", "a", "e"], contract

    def test_upsert_replaces_in_place_and_appends(self, store: Store) -> None:
        contract = "Store.upsert_tasks: replace the tasks with these ids, append those that are new"
        store.save(make_session("s", "a", "b", "c", title="kept", extra={"kept": 1}))
        changed = [make_task("z"), make_task("b", title="new", extra={"n": 1}), make_task("y")]
        store.upsert_tasks("s", changed, expected_version=1)
        expected = make_session(
            "s", "a", changed[1], "c", "z", "y", title="kept", extra={"kept": 1}, version=2
        )
        assert store.load("s") == expected, contract

    def test_upsert_takes_any_iterable(self, store: Store) -> None:
        store.save(make_session("s"))
        store.upsert_tasks("s", (make_task(name) for name in "ab"), expected_version=1)
        assert [task.id for task in store.load("s").tasks] == ["a", "b"], (
            "Store.upsert_tasks takes an iterable"
        )

    def test_replaced_tasks_lose_what_they_no_longer_say(self, store: Store) -> None:
        store.save(make_session("s", _FULL_TASK))
        bare = make_task("full")
        store.upsert_tasks("s", [bare], expected_version=1)
        assert store.load("s").tasks == (bare,), "Store.upsert_tasks: replace the tasks with these ids"

    def test_load_task(self, store: Store) -> None:
        store.save(make_session("s", "a", _FULL_TASK))
        store.save(make_session("other", make_task("full", title="another")))
        contract = "Store.load_task: one task and the version of its session"
        assert store.load_task("s", "full") == (_FULL_TASK, 1), contract
        store.upsert_tasks("s", [make_task("full")], expected_version=1)
        assert store.load_task("s", "full") == (make_task("full"), 2), contract

    def test_what_is_not_there(self, store: Store) -> None:
        store.save(make_session("s", "a"))
        absent = "SessionNotFound: there is none of that id"
        for name in ("", "S", "s ", "s\0", "\ud800"):
            with must_raise(SessionNotFound, f"Store.load: {absent}"):
                store.load(name)
            with must_raise(SessionNotFound, f"Store.load_task: {absent}"):
                store.load_task(name, "a")
            with must_raise(SessionNotFound, f"Store.upsert_tasks: {absent}"):
                store.upsert_tasks(name, [make_task("b")], expected_version=0)
            with must_raise(SessionNotFound, f"Store.delete: {absent}"):
                store.delete(name, expected_version=0)
        for name in ("", "A", "\ud800"):
            with must_raise(TaskNotFound, "Store.load_task: TaskNotFound: the session has no such task"):
                store.load_task("s", name)
        assert store.ids() == ["s"], "Store.ids: an error writes nothing"

    def test_a_stale_write_writes_nothing(self, store: Store) -> None:
        session = make_session("s", "a", "b")
        store.save(session)
        store.upsert_tasks("s", [make_task("c")], expected_version=1)
        before = store.load("s")
        contract = "StaleVersion: the store holds another version"
        for version in (0, 1, 3, -1, 2**70):
            with must_raise(StaleVersion, f"Store.save: {contract}"):
                store.save(make_session("s", "x", version=version))
            with must_raise(StaleVersion, f"Store.upsert_tasks: {contract}"):
                store.upsert_tasks("s", [make_task("a", title="lost")], expected_version=version)
            with must_raise(StaleVersion, f"Store.delete: {contract}"):
                store.delete("s", expected_version=version)
        assert store.load("s") == before, "Store: a write with another version … writes nothing"

    def test_a_version_of_a_session_that_is_not_there_is_stale(self, store: Store) -> None:
        with must_raise(StaleVersion, "Store.save: StaleVersion: the store holds another version"):
            store.save(make_session("s", "a", version=3))
        assert store.ids() == [], "Store: a write with another version … writes nothing"

    def test_delete(self, store: Store) -> None:
        store.save(make_session("s", "a"))
        store.save(make_session("t", "a"))
        store.delete("s", expected_version=1)
        assert store.ids() == ["t"], "Store.delete: remove a session"
        with must_raise(SessionNotFound, "Store.delete: remove a session"):
            store.load("s")
        contract = "Store: a version is never used twice"
        assert store.save(make_session("s", "b")) == 3, contract
        assert store.load("s").tasks == (make_task("b"),), "Store.delete: remove a session, with its tasks"

    def test_ids_are_sorted(self, store: Store) -> None:
        names = ["b", "a", "B", "\N{ROCKET}", "\u00e9", "\uffff", ""]
        for name in names:
            store.save(make_session(name))
        assert store.ids() == sorted(names), "Store.ids: the ids of all sessions, sorted"

    def test_awkward_ids_stay_apart(self, store: Store) -> None:
        names = [*AWKWARD_TEXTS.values(), "x" * 100_000]
        for name in names:
            store.save(make_session(name, make_task(name)))
        assert store.ids() == sorted(names), "Session.id: any text that is valid Unicode"
        for name in names:
            assert store.load(name) == make_session(name, make_task(name), version=1), "Store.load: by its id"
            assert store.load_task(name, name) == (make_task(name), 1), "Store.load_task: by its id"

    @_EVERY_TEXT
    def test_awkward_text_comes_back(self, store: Store, text: str) -> None:
        task = Task(
            id="t",
            title=text,
            notes=text,
            labels=(text,),
            source_status=text,
            extra={text: text},
            updated_at=text,
        )
        session = make_session("s", task, title=text, extra={text: [text]})
        store.save(session)
        assert store.load("s") == as_stored(session, 1), "Session, Task: any text that is valid Unicode"

    def test_large_notes_come_back(self, store: Store) -> None:
        task = make_task("t", notes="\N{ROCKET}\0\"'" * 150_000)
        store.save(make_session("s", task, "small"))
        assert store.load_task("s", "t")[0] == task, "Store.load_task: the task as it was saved"

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": "lone \ud800"},
            {"labels": ("\udfff",)},
            {"weight": float("nan")},
            {"weight": float("inf")},
            {"extra": {"deep": [{"er": float("nan")}]}},
            {"extra": {"\ud800": 1}},
            {"extra": {"raw": b"bytes"}},
        ],
        ids=repr,
    )
    def test_what_cannot_be_kept_is_refused(self, store: Store, changes: dict[str, Any]) -> None:
        task = make_task("odd", **changes)
        contract = "Store: a value is carried unchanged, or refused before anything is written"
        try:
            store.save(make_session("s", "a", task))
        except StoreError:
            assert store.ids() == [], contract
        else:
            assert repr(store.load("s").tasks[-1]) == repr(task), contract
            return
        store.save(make_session("s", "a"))
        with must_raise(StoreError, contract):
            store.upsert_tasks("s", [make_task("b"), task], expected_version=1)
        assert store.load("s") == make_session("s", "a", version=1), contract

    def test_a_session_id_that_cannot_be_kept_is_refused(self, store: Store) -> None:
        with must_raise(StoreError, "Store.save: an id with a lone surrogate is no text, and refused"):
            store.save(make_session("\ud800"))
        assert store.ids() == [], "Store: a value that is refused writes nothing"

    def test_two_tasks_of_one_id_are_refused(self, store: Store) -> None:
        contract = "Task.id: unique in its session"
        with must_raise(StoreError, contract):
            store.save(make_session("s", "a", "b", "a"))
        assert store.ids() == [], contract
        store.save(make_session("s", "a"))
        with must_raise(StoreError, contract):
            store.upsert_tasks("s", [make_task("b"), make_task("b")], expected_version=1)
        assert store.load("s") == make_session("s", "a", version=1), contract
