"""What a store takes it gives back, in value and in type, now and after it was opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from tiergate.canonical import session_bytes
from tiergate.model import Session, Task
from tiergate.store import TaskQuery

Export = Callable[[Iterable[Session]], bytes]


def same(found: Session, given: Session) -> bool:
    """Whether two sessions are equal but for the version, also in types and in the sign of 0."""
    found, given = (msgspec.structs.replace(one, version=0) for one in (found, given))
    return found == given and repr(found) == repr(given) and session_bytes(found) == session_bytes(given)


def test_saved_whole(
    stores: Any, kind: str, values: dict[str, list[Session]], every_value: list[Session], export_of: Export
) -> None:
    address = stores.new(kind)
    with stores.open(address) as store:
        for session in every_value[:5]:
            assert store.save(session) == 1
            assert same(store.load(session.id), session)
        with store.transaction():
            for session in every_value[5:]:
                assert store.save(session) == 1
                assert same(store.load(session.id), session)
    in_order = sorted(every_value, key=lambda one: one.id)
    with stores.open(address) as store:
        assert store.ids() == [one.id for one in in_order]
        for name, sessions in values.items():
            for session in sessions * 2:  # the second time from a cache, where there is one
                assert same(store.load(session.id), session), name
                for task in session.tasks[:20]:
                    assert repr(store.load_task(session.id, task.id)) == repr((task, 1)), name
        assert store.verify() == []
        assert [size.tasks for size in store.sizes()] == [len(one.tasks) for one in in_order]
    assert stores.exported(address) == export_of(every_value)


def test_written_task_by_task(stores: Any, kind: str, every_value: list[Session], export_of: Export) -> None:
    address = stores.new(kind)
    expected = []
    with stores.open(address) as store, store.transaction():
        for session in every_value:
            bare, rest = session.tasks[::2], session.tasks[1::2]
            empty = tuple(Task(id=task.id, title="") for task in bare)
            version = store.save(msgspec.structs.replace(session, tasks=empty))
            for task in (*bare[:20], *rest[:20]):
                version = store.upsert_tasks(session.id, [task], expected_version=version)
            store.upsert_tasks(session.id, [*bare[20:], *rest[20:]], expected_version=version)
            expected.append(msgspec.structs.replace(session, tasks=(*bare, *rest)))
    with stores.open(address) as store:
        for session in expected:
            assert same(store.load(session.id), session)
            hits = store.query(TaskQuery(session=session.id, order="id"))
            assert repr([hit.task for hit in hits]) == repr(sorted(session.tasks, key=lambda task: task.id))
        assert store.verify() == []
    assert stores.exported(address) == export_of(expected)


def test_replaced_and_deleted(stores: Any, kind: str, every_value: list[Session], export_of: Export) -> None:
    address = stores.new(kind)
    stores.fill(address, [msgspec.structs.replace(one, title="old", extra={"o": 1}) for one in every_value])
    with stores.open(address) as store, store.transaction():
        for number, session in enumerate(every_value):
            store.save(msgspec.structs.replace(session, version=1))
            if number % 2:
                store.delete(session.id, expected_version=2)
    assert stores.exported(address) == export_of(every_value[::2])


def test_ten_megabytes_of_notes(stores: Any, kind: str) -> None:
    pattern = "\U0001f680\0\"'\\e\u0301\n "
    notes = (pattern * (10 * 2**20 // len(pattern.encode()) + 1))[: 10 * 2**20]
    session = Session(id="s", tasks=(Task(id="t", title="T", notes=notes), Task(id="u", title="U")))
    address = stores.new(kind)
    stores.fill(address, [session])
    with stores.open(address) as store:
        assert store.load("s").tasks[0].notes == notes
        changed = msgspec.structs.replace(session.tasks[0], notes=notes[::-1])
        store.upsert_tasks("s", [changed], expected_version=1)
    with stores.open(address) as store:
        assert store.load_task("s", "t")[0].notes == notes[::-1]
        assert store.load("s").tasks[1] == session.tasks[1]


@pytest.mark.parametrize(
    "many", [pytest.param(10_000), pytest.param(100_000, marks=pytest.mark.soak)], ids=["10k", "100k"]
)
def test_many_tasks(stores: Any, kind: str, many: int) -> None:
    session = Session(id="s", tasks=tuple(Task(id=f"t{number}", title=f"{number}") for number in range(many)))
    address = stores.new(kind)
    stores.fill(address, [session])
    with stores.open(address) as store:
        store.upsert_tasks("s", [Task(id=f"t{many // 2}", title="changed")], expected_version=1)
    expected = list(session.tasks)
    expected[many // 2] = Task(id=f"t{many // 2}", title="changed")
    with stores.open(address) as store:
        assert store.load("s") == msgspec.structs.replace(session, tasks=tuple(expected), version=2)
        assert store.load_task("s", f"t{many - 1}")[0] == expected[-1]
        assert store.stats().tasks == many


@pytest.mark.parametrize("none", [[], [Session(id="s")], [Session(id=""), Session(id="t", title="T")]])
def test_next_to_nothing(stores: Any, kind: str, none: list[Session], export_of: Export) -> None:
    address = stores.new(kind)
    stores.fill(address, none)
    assert stores.exported(address) == export_of(none)
    with stores.open(address) as store:
        assert (store.stats().sessions, store.stats().tasks) == (len(none), 0)
        assert store.query(TaskQuery()) == []
        assert store.verify() == []
