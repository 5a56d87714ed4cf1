"""Stores to migrate between: real ones, and one in memory that does what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.binding import NamedOpener
from tiergate.canonical import root_hash, session_hash
from tiergate.hooks import StoreDeclaration
from tiergate.migrate.engine import migrate
from tiergate.migrate.job import Job, resolved
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.record import MigrationRecord
from tiergate.store import (
    Capability,
    Damage,
    SessionSize,
    Store,
    StoreAddress,
    StoreStats,
    TaskHit,
    TaskQuery,
    session_not_found,
    stale,
    unsupported,
)


@dataclass
class Shelf:
    """What a memory store holds, whoever opens it.

    Attributes:
        before_save: called with the store's data and each session before it is saved; may raise.
        after_load: called with each session after it is loaded; what it returns is given.
    """

    sessions: dict[str, Session] = field(default_factory=dict)
    before_save: Callable[[Session], None] = lambda session: None
    after_load: Callable[[Session], Session] = lambda session: session
    opened: list[StoreAddress] = field(default_factory=list)
    commits: int = 0


class MemoryStore(Store):
    """A store without files; values are kept as they are given."""

    def __init__(self, shelf: Shelf, capabilities: frozenset[Capability]) -> None:
        self.capabilities = capabilities
        self.shelf = shelf

    def load(self, session_id: str) -> Session:
        if session_id not in self.shelf.sessions:
            raise session_not_found(session_id)
        return self.shelf.after_load(self.shelf.sessions[session_id])

    def save(self, session: Session) -> int:
        self.shelf.before_save(session)
        found = self.shelf.sessions.get(session.id)
        version = found.version if found else 0
        if session.version != version:
            raise stale(session.id, expected=session.version, found=version)
        self.shelf.sessions[session.id] = replace(session, version=version + 1)
        return version + 1

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        session = self.load(session_id)
        changed = {task.id: task for task in (*session.tasks, *tasks)}
        return self.save(replace(session, tasks=tuple(changed.values()), version=expected_version))

    def delete(self, session_id: str, *, expected_version: int) -> None:
        if self.load(session_id).version != expected_version:
            raise stale(session_id, expected=expected_version, found=self.load(session_id).version)
        del self.shelf.sessions[session_id]

    def ids(self) -> list[str]:
        return sorted(self.shelf.sessions)

    def query(self, query: TaskQuery) -> list[TaskHit]:
        raise NotImplementedError

    def transaction(self) -> AbstractContextManager[None]:
        if Capability.TRANSACTIONS not in self.capabilities:
            unsupported(self, Capability.TRANSACTIONS)
        return self._together()

    @contextmanager
    def _together(self) -> Iterator[None]:
        before = dict(self.shelf.sessions)
        try:
            yield
        except BaseException:
            self.shelf.sessions = before
            raise
        self.shelf.commits += 1

    def sizes(self) -> list[SessionSize]:
        return [SessionSize(name, len(one.tasks), 0) for name, one in self.shelf.sessions.items()]

    def verify(self) -> list[Damage]:
        return []

    def stats(self) -> StoreStats:
        return StoreStats(sessions=len(self.shelf.sessions), tasks=0, disk_bytes=0)

    def close(self) -> None:
        pass


class Stores:
    """Opens real stores, and shelves by name as ``memory:NAME``, or ``plain:NAME`` without transactions."""

    def __init__(self, state: Path) -> None:
        host = PluginHost()
        self.shelves: dict[str, Shelf] = {}
        capabilities = {"memory": frozenset({Capability.TRANSACTIONS}), "plain": frozenset[Capability]()}
        declarations = [
            StoreDeclaration(name=name, summary="", open=self._open(able), capabilities=able)
            for name, able in capabilities.items()
        ]
        opener = host.opener()
        self.opener = NamedOpener.of([*opener.stores.values(), *declarations], opener.caches.values())
        self.state = state

    def _open(self, capabilities: frozenset[Capability]) -> Callable[[StoreAddress], Store]:
        def open_shelf(address: StoreAddress) -> Store:
            shelf = self.shelf(address.path)
            shelf.opened.append(address)
            return MemoryStore(shelf, capabilities)

        return open_shelf

    def shelf(self, name: str) -> Shelf:
        """What stands behind ``memory:NAME``."""
        return self.shelves.setdefault(name, Shelf())

    def fill(self, address: str, *sessions: Session) -> None:
        """Save sessions at an address."""
        with self.opener.open(address) as store:
            for session in sessions:
                store.save(session)

    def content(self, address: str) -> dict[str, Session]:
        """Every session at an address, without versions."""
        with self.opener.open(address) as store:
            return {name: replace(store.load(name), version=0) for name in store.ids()}

    def root(self, address: str) -> str:
        """The root hash of an address."""
        return root_hash((name, session_hash(one)) for name, one in self.content(address).items())

    def job(self, source: str, target: str, **options: Any) -> Job:
        """A migration between two addresses."""
        return Job(
            source=resolved(self.opener, source, role="source"),
            target=resolved(self.opener, target, role="target"),
            opener=self.opener,
            **options,
        )

    def move(self, source: str, target: str, **options: Any) -> MigrationRecord:
        """Migrate from one address to another."""
        return migrate(self.job(source, target, **options))


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Stores of an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIERGATE_STATE", raising=False)
    return Stores(tmp_path / ".tiergate")


@pytest.fixture
def work() -> list[Session]:
    """Some sessions, one of them empty."""
    return [
        Session(
            id=f"s{number}",
            title=f"Session {number}",
            tasks=tuple(Task(id=f"t{n}", title=f"Task {n}", notes="x" * n) for n in range(number)),
        )
        for number in range(12)
    ]
