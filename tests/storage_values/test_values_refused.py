"""What cannot be carried is refused by its name before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, nan
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.errors import TiergateError
from tiergate.model import Session, Task
from tiergate.store import StoreError

GOOD = Session(id="good", title="Good", tasks=(Task(id="a", title="A"), Task(id="b", title="B")))


def _task(**changes: Any) -> Task:
    return Task(**{"id": "odd one", "title": "T", **changes})


BAD_TASKS = {
    "surrogate in title": _task(title="lone \ud800"),
    "surrogate in notes": _task(notes="\udfff"),
    "surrogate in label": _task(labels=("fine", "\ud800")),
    "surrogate in dependency": _task(dependencies=("\ud800",)),
    "surrogate in time": _task(created_at="\ud800"),
    "surrogate in extra": _task(extra={"deep": [{"x": "\ud800"}]}),
    "surrogate in name": _task(extra={"\ud800": 1}),
    "weight nan": _task(weight=nan),
    "weight inf": _task(weight=inf),
    "momentum nan": _task(momentum=nan),
    "momentum -inf": _task(momentum=-inf),
    "extra nan": _task(extra={"list": [1.0, {"x": nan}]}),
    "extra inf": _task(extra={"x": inf}),
    "extra -inf": _task(extra={"x": -inf}),
    "bytes": _task(extra={"raw": b"bytes"}),
    "number as name": _task(extra={"x": {1: "one"}}),
    "huge integer": _task(extra={"x": 10**5000}),
    "object": _task(extra={"x": object()}),
}
BAD_SESSIONS = {
    "surrogate in title": Session(id="odd one", title="\ud800"),
    "surrogate in extra": Session(id="odd one", extra={"x": "\ud800"}),
    "extra nan": Session(id="odd one", extra={"x": nan}),
    "bytes": Session(id="odd one", extra={"x": b"bytes"}),
    "number as name": Session(id="odd one", extra={"x": {1: "one"}}),
    "huge integer": Session(id="odd one", extra={"x": 10**5000}),
}


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, without the log and index of a database and what a cache keeps."""
    found = (path for path in folder.rglob("*") if path.is_file() and "zstd-cache" not in str(path))
    return {str(path): path.read_bytes() for path in found if path.suffix != ".db-shm"}


def require_refused(store: Any, folder: Path, write: Callable[[Any], object], name: str) -> None:
    """A write raises, names what is refused, and leaves the store as it was, in bytes too."""
    held = files(folder)
    with pytest.raises(StoreError) as caught:
        write(store)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(folder) == held
    assert store.versions() == {"good": 1}
    assert store.load("good") == msgspec.structs.replace(GOOD, version=1)


def _save(store: Any, session: Session) -> None:
    store.save(session)


def writes(bad: Task) -> list[Callable[[Any], object]]:
    """Every way to write a task that cannot be carried."""
    return [
        lambda store: store.save(Session(id="new", tasks=(GOOD.tasks[0], bad))),
        lambda store: store.save(msgspec.structs.replace(GOOD, tasks=(*GOOD.tasks, bad), version=1)),
        lambda store: store.upsert_tasks("good", [Task(id="a", title="changed"), bad], expected_version=1),
    ]


def test_what_cannot_be_carried(stores: Any, kind: str) -> None:
    address = stores.new(kind)
    stores.fill(address, [GOOD])
    before, folder = stores.exported(address), stores.path(address).parent
    with stores.open(address) as store:
        for bad in BAD_TASKS.values():
            for write in writes(bad):
                require_refused(store, folder, write, "odd one")
        for session in BAD_SESSIONS.values():
            require_refused(store, folder, partial(_save, session=session), "odd one")
        for write in writes(Task(id="odd \ud800", title="T")):
            require_refused(store, folder, write, r"odd \ud800")
        require_refused(store, folder, lambda store: store.save(Session(id="odd \ud800")), r"odd \ud800")
        assert store.verify() == []
    assert stores.exported(address) == before
    with stores.open(address) as store:
        assert store.upsert_tasks("good", [Task(id="c", title="C")], expected_version=1) == 2


def test_a_transaction_with_one_of_them_writes_nothing(stores: Any, kind: str) -> None:
    address = stores.new(kind)
    stores.fill(address, [GOOD])

    def write(store: Any) -> None:
        with store.transaction():
            store.save(Session(id="first"))
            store.upsert_tasks("good", [Task(id="a", title="changed")], expected_version=1)
            store.upsert_tasks("good", [BAD_TASKS["extra nan"]], expected_version=2)

    before = stores.exported(address)
    with stores.open(address) as store, pytest.raises(StoreError, match="odd one"):
        write(store)
    assert stores.exported(address) == before


def require_no_target(stores: Any, kind: str, bad: Session, name: str) -> None:
    """A migration is refused, says of what, and leaves nothing where the target would be."""
    stores.given = [GOOD, bad]
    target = stores.new(kind)
    with pytest.raises(TiergateError) as caught:
        stores.move("given:here", target)
    assert name in str(caught.value)
    assert "nothing was written" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [*stores.path(target).parent.iterdir()] == []


@pytest.mark.parametrize("bad", BAD_TASKS.values(), ids=BAD_TASKS.keys())
def test_a_migration_of_a_task_makes_no_target(stores: Any, bad: Task) -> None:
    require_no_target(stores, "sqlite", Session(id="sad", tasks=(GOOD.tasks[0], bad)), "'sad'")


@pytest.mark.parametrize("bad", BAD_SESSIONS.values(), ids=BAD_SESSIONS.keys())
def test_a_migration_of_a_session_makes_no_target(stores: Any, bad: Session) -> None:
    require_no_target(stores, "json", bad, "odd one")


def test_a_migration_to_any_kind_makes_no_target(stores: Any, kind: str) -> None:
    require_no_target(
        stores, kind, Session(id="sad", tasks=(Task(id="odd \ud800", title="T"),)), r"odd \ud800"
    )
    require_no_target(stores, kind, Session(id="odd \ud800"), r"odd \ud800")
    require_no_target(stores, kind, Session(id="sad", tasks=(BAD_TASKS["extra nan"],)), "odd one")
