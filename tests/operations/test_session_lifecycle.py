"""Creating, reading, listing and putting away sessions, on the stores that are built in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.errors import TiergateError
from tiergate.model import Session, Status, Task
from tiergate.operation import OperationError
from tiergate.plugins import PluginHost
from tiergate.store import SessionNotFound, StaleVersion, Store, StoreAddress
from tiergate_plugins.operations.session_reading import SessionGet, SessionList, session_get, session_list
from tiergate_plugins.operations.session_writing import (
    ATTEMPTS,
    NewTask,
    SessionArchive,
    SessionCreate,
    session_archive,
    session_create,
)


@pytest.fixture(params=["sqlite:work.db", "json:work", "zstd+sqlite:cached.db"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    scheme, _, path = request.param.partition(":")
    with PluginHost().opener().open(StoreAddress.parse(f"{scheme}:{tmp_path / path}")) as opened:
        yield opened


def test_what_was_created_can_be_read(store: Store) -> None:
    tasks = (
        NewTask(task="a", title="first", weight=2.5, labels=("x",)),
        NewTask(task="b", title="second", notes="long", dependencies=("a",)),
    )
    made = session_create(store, "s", SessionCreate(title="a work", tasks=tasks))
    assert (made.session, made.version, made.tasks) == ("s", 1, 2)
    view = session_get(store, "s", SessionGet())
    assert (view.title, view.version, view.next_cursor, view.archived_at) == ("a work", 1, None, None)
    assert view.created_at is not None
    assert view.created_at == view.updated_at == view.tasks[0].created_at
    assert [(task.id, task.status, task.weight, task.dependencies) for task in view.tasks] == [
        ("a", Status.QUEUED, 2.5, ()),
        ("b", Status.QUEUED, 1.0, ("a",)),
    ]
    assert view.by_status[Status.QUEUED] == 2
    assert sum(view.by_status.values()) == 2


def test_a_session_is_never_created_over_another(store: Store) -> None:
    session_create(store, "s", SessionCreate(title="kept"))
    with pytest.raises(OperationError, match="already"):
        session_create(store, "s", SessionCreate(title="other"))
    assert store.load("s").title == "kept"


def test_a_session_needs_an_id_and_distinct_tasks(store: Store) -> None:
    with pytest.raises(OperationError, match="needs the id"):
        session_create(store, "", SessionCreate())
    twice = (NewTask(task="a", title="x"), NewTask(task="a", title="y"))
    with pytest.raises(OperationError, match="two tasks have the id 'a'"):
        session_create(store, "s", SessionCreate(tasks=twice))
    assert list(store.ids()) == []


def test_pages_of_tasks_of_some_statuses(store: Store) -> None:
    tasks = tuple(Task(id=f"t{n}", title="", status=list(Status)[n % 5]) for n in range(20))
    store.save(Session(id="s", tasks=tasks))
    wanted = (Status.QUEUED, Status.ACTIVE)
    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        view = session_get(store, "s", SessionGet(statuses=wanted, limit=3, cursor=cursor))
        found += [task.id for task in view.tasks]
        cursor = view.next_cursor
        assert view.by_status[Status.BLOCKED] == 4
    assert cursor is None
    assert found == [task.id for task in tasks if task.status in wanted]


@pytest.mark.parametrize("cursor", ["x", "-1", "", "1.5", "9" * 13, "²"])
def test_a_cursor_that_no_page_gave_is_refused(store: Store, cursor: str) -> None:
    store.save(Session(id="s"))
    with pytest.raises(OperationError, match="cursor"):
        session_get(store, "s", SessionGet(cursor=cursor))


def test_the_list_is_sorted_paged_and_counts_what_is_open(store: Store) -> None:
    done = Task(id="a", title="", status=Status.COMPLETED)
    for name in ("b", "a/1", "ä", "a/2", "c"):
        store.save(Session(id=name, title=name.upper(), tasks=(done, Task(id="b", title=""))))
    found: list[Any] = []
    cursor: str | None = None
    while cursor is not None or not found:
        page = session_list(store, "", SessionList(limit=2, cursor=cursor))
        found += page.sessions
        cursor = page.next_cursor
    assert [row.session for row in found] == ["a/1", "a/2", "b", "c", "ä"]
    assert {(row.tasks, row.open) for row in found} == {(2, 1)}
    assert [row.session for row in session_list(store, "", SessionList(prefix="a/")).sessions] == [
        "a/1",
        "a/2",
    ]
    assert session_list(store, "", SessionList(cursor="zz", prefix="a")).sessions == []


def test_a_session_that_was_put_away_is_left_out_until_asked_for(store: Store) -> None:
    store.save(Session(id="s", extra={"colour": "red"}))
    away = session_archive(store, "s", SessionArchive())
    assert away.archived_at is not None
    assert session_list(store, "", SessionList()).sessions == []
    (row,) = session_list(store, "", SessionList(archived=True)).sessions
    assert row.archived_at == away.archived_at
    assert session_archive(store, "s", SessionArchive()) == away  # nothing is written again
    back = session_archive(store, "s", SessionArchive(archived=False))
    assert (back.archived_at, back.version) == (None, away.version + 1)
    assert store.load("s").extra == {"colour": "red"}
    assert [found.session for found in session_list(store, "", SessionList()).sessions] == ["s"]


def test_what_is_not_there_is_an_error(store: Store) -> None:
    for ask in (
        lambda: session_get(store, "gone", SessionGet()),
        lambda: session_archive(store, "gone", SessionArchive()),
    ):
        with pytest.raises(SessionNotFound, match="gone"):
            ask()


def test_archiving_tries_again_where_others_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    version = store.save(Session(id="s"))
    save, races = store.save, 3

    def raced(session: Session) -> int:
        nonlocal races
        if races:
            races -= 1
            save(msgspec.structs.replace(store.load("s"), title=f"race {races}"))
        return save(session)

    monkeypatch.setattr(store, "save", raced)
    assert session_archive(store, "s", SessionArchive()).version == version + 4
    assert store.load("s").title == "race 0"


def test_archiving_gives_up_one_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(Session(id="s"))
    tried = 0

    def refused(session: Session) -> int:
        nonlocal tried
        tried += 1
        raise StaleVersion("somebody was faster")

    monkeypatch.setattr(store, "save", refused)
    with pytest.raises(TiergateError, match="send the request again"):
        session_archive(store, "s", SessionArchive())
    assert tried == ATTEMPTS
