"""Both stores against a plain dictionary: any sequence of calls gives the same answers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Status, Task
from tiergate.plugins import PluginHost
from tiergate.store import (
    ORDERS,
    Capability,
    SessionNotFound,
    StaleVersion,
    Store,
    StoreAddress,
    StoreError,
    TaskHit,
    TaskQuery,
)
from tiergate.testing import AWKWARD_TEXTS

HOST = PluginHost()

NAMES = st.sampled_from(["s", "S", "", "a/b", AWKWARD_TEXTS["nul"], AWKWARD_TEXTS["emoji"], "l" * 300])
TEXTS = st.text(max_size=8) | st.sampled_from([*AWKWARD_TEXTS.values()])
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
TASKS = st.builds(
    Task,
    id=st.sampled_from(["a", "A", "b", "", "c\0"]),
    title=TEXTS,
    notes=TEXTS,
    status=st.sampled_from(Status),
    weight=st.sampled_from([0.0, 0.1, 1.0, 1, 1e308, 5e-324]),
    updated_at=st.none() | st.sampled_from(["", "2025-01-01", "2024-12-31T23:59:59Z"]),
    extra=st.dictionaries(TEXTS, JSON_VALUES, max_size=2),
)
TASK_LISTS = st.lists(TASKS, max_size=4, unique_by=lambda task: task.id)
OFFSETS = st.sampled_from([0, 0, 0, 0, -1, 1])
QUERIES = st.builds(
    TaskQuery,
    statuses=st.lists(st.sampled_from(Status), max_size=2).map(tuple),
    min_weight=st.none() | st.sampled_from([0.0, 0.1, 1.0, 2]),
    max_weight=st.none() | st.sampled_from([0.0, 0.1, 1.0, 2]),
    session=st.none() | NAMES,
    text=st.none() | TEXTS,
    order=st.sampled_from(ORDERS).flatmap(lambda name: st.sampled_from([name, "-" + name])),
    limit=st.none() | st.integers(0, 4),
)


class Model:
    """What a store should hold and answer, as simply as it can be said."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.deleted: dict[str, int] = {}

    def version(self, name: str) -> int:
        return self.sessions[name].version if name in self.sessions else 0

    def write(self, session: Session, expected: int) -> int:
        if self.version(session.id) != expected:
            raise StaleVersion("stale")
        version = (expected or self.deleted.get(session.id, 0)) + 1
        self.sessions[session.id] = msgspec.structs.replace(session, version=version)
        return version

    def upsert(self, name: str, tasks: list[Task], expected: int) -> int:
        if name not in self.sessions:
            raise SessionNotFound("none")
        held = {task.id: task for task in self.sessions[name].tasks}
        held.update({task.id: task for task in tasks})
        return self.write(msgspec.structs.replace(self.sessions[name], tasks=tuple(held.values())), expected)

    def delete(self, name: str, expected: int) -> None:
        if name not in self.sessions:
            raise SessionNotFound("none")
        if self.version(name) != expected:
            raise StaleVersion("stale")
        del self.sessions[name]
        self.deleted[name] = expected + 1

    def query(self, query: TaskQuery) -> list[TaskHit]:
        hits = [TaskHit(name, task) for name in sorted(self.sessions) for task in self.sessions[name].tasks]
        hits = [hit for hit in hits if matches(hit, query)]
        hits.sort(key=lambda hit: (hit.session, hit.task.id))
        field = query.order.removeprefix("-")
        hits.sort(
            key=lambda hit: hit.task.weight if field == "weight" else getattr(hit.task, field) or "",
            reverse=query.order.startswith("-"),
        )
        return hits[: query.limit]


def matches(hit: TaskHit, query: TaskQuery) -> bool:
    """Whether a task meets every condition."""
    task = hit.task
    checks = [
        query.session is None or hit.session == query.session,
        not query.statuses or task.status in query.statuses,
        query.min_weight is None or task.weight >= query.min_weight,
        query.max_weight is None or task.weight <= query.max_weight,
        query.text is None
        or any(query.text.encode().lower() in text.encode().lower() for text in (task.title, task.notes)),
    ]
    return all(checks)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the kind of error it raises."""
    try:
        return call()
    except StoreError as error:
        return type(error)


class _Undo(Exception):
    """Ends a transaction."""


class StoreMachine(RuleBasedStateMachine):
    """Random calls on a store and on the model."""

    scheme = ""
    options: Mapping[str, str] = MappingProxyType({})

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model = Model()
        self.store = self.open()

    def open(self) -> Store:
        address = StoreAddress(
            self.scheme, str(self.folder / "store"), {"durability": "normal", **self.options}
        )
        return HOST.get(StoreDeclaration, self.scheme).open(address)

    def teardown(self) -> None:
        try:
            assert self.store.verify() == []
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(name=NAMES, tasks=TASK_LISTS, title=TEXTS, offset=OFFSETS)
    def save(self, name: str, tasks: list[Task], title: str, offset: int) -> None:
        version = self.model.version(name) + offset
        session = Session(id=name, title=title, tasks=tuple(tasks), version=version)
        expected = outcome(lambda: self.model.write(session, version))
        assert outcome(lambda: self.store.save(session)) == expected

    @rule(name=NAMES, tasks=TASK_LISTS, offset=OFFSETS)
    def upsert(self, name: str, tasks: list[Task], offset: int) -> None:
        version = self.model.version(name) + offset
        expected = outcome(lambda: self.model.upsert(name, tasks, version))
        assert outcome(lambda: self.store.upsert_tasks(name, tasks, expected_version=version)) == expected

    @rule(name=NAMES, offset=OFFSETS)
    def delete(self, name: str, offset: int) -> None:
        version = self.model.version(name) + offset
        expected = outcome(lambda: self.model.delete(name, version))
        assert outcome(lambda: self.store.delete(name, expected_version=version)) == expected

    @rule(query=QUERIES)
    def query(self, query: TaskQuery) -> None:
        found = self.model.query(query)
        assert self.store.query(query) == found
        assert [
            (line.session, line.id, line.title, line.status, line.weight)
            for line in self.store.outlines(query)
        ] == [(hit.session, hit.task.id, hit.task.title, hit.task.status, hit.task.weight) for hit in found]

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = self.open()

    @precondition(lambda self: Capability.TRANSACTIONS in self.store.capabilities)
    @rule(names=st.lists(NAMES, max_size=3), tasks=TASK_LISTS, undone=st.booleans())
    def transaction(self, names: list[str], tasks: list[Task], undone: bool) -> None:
        before, deleted = dict(self.model.sessions), dict(self.model.deleted)
        with suppress(_Undo), self.store.transaction():
            for name in names:
                self.upsert(name, tasks, 0)
                self.delete(name, 1)
                self.save(name, tasks, "in a transaction", 0)
            if undone:
                raise _Undo
        if undone:
            self.model.sessions, self.model.deleted = before, deleted

    @invariant()
    def holds_the_same(self) -> None:
        held = self.model.sessions
        assert self.store.ids() == sorted(held)
        for name, session in held.items():
            assert self.store.load(name) == session
            for task in session.tasks:
                assert self.store.load_task(name, task.id) == (task, session.version)
            assert self.store.version(name) == session.version
        assert self.store.versions() == {name: held[name].version for name in sorted(held)}
        counts = [(size.session, size.tasks) for size in self.store.sizes()]
        assert counts == [(name, len(held[name].tasks)) for name in sorted(held)]


class JsonMachine(StoreMachine):
    scheme = "json"


class JsonFileMachine(StoreMachine):
    scheme = "jsonfile"


class SqliteMachine(StoreMachine):
    scheme = "sqlite"


class PackedMachine(StoreMachine):
    scheme = "sqlite"
    options = MappingProxyType({"body": "zstd", "text": "fts5"})


_MODEST = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

TestJson = JsonMachine.TestCase
TestJson.settings = _MODEST
TestJsonFile = JsonFileMachine.TestCase
TestJsonFile.settings = _MODEST
TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = _MODEST
TestPacked = PackedMachine.TestCase
TestPacked.settings = _MODEST
