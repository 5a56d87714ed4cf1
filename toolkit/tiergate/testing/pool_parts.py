"""What the workers of a pool under test serve: a store in one file, and operations that misbehave on demand.

A plugin: workers load it by its reference, as they load any other.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tiergate.hooks import OperationDeclaration, StoreDeclaration, hookimpl
from tiergate.model import Session, Task
from tiergate.operation import OperationError
from tiergate.store import (
    Capability,
    Damage,
    SessionNotFound,
    SessionSize,
    StaleVersion,
    Store,
    StoreAddress,
    StoreStats,
    TaskHit,
    TaskQuery,
    session_not_found,
    stale,
)

REFERENCE = __name__
SCHEME = "onefile"
COUNTER = "n"

_CAPABILITIES = frozenset({Capability.MULTI_PROCESS, Capability.TRANSACTIONS, Capability.ONCE})


class _Contents(msgspec.Struct):
    sessions: dict[str, Session] = {}
    results: dict[str, msgspec.Raw] = {}


class OneFileStore(Store):
    """Everything in one JSON file, read and replaced as a whole under a lock. For tests: slow, and plain."""

    capabilities = _CAPABILITIES

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._open: _Contents | None = None

    def _read(self) -> _Contents:
        if self._open is not None:
            return self._open
        if not self._path.exists():
            return _Contents()
        return msgspec.json.decode(self._path.read_bytes(), type=_Contents)

    @contextmanager
    def _changing(self) -> Iterator[_Contents]:
        if self._open is not None:
            yield self._open
            return
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._open = self._read()
            yield self._open
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            draft.write_bytes(msgspec.json.encode(self._open))
            draft.replace(self._path)
        finally:
            self._open = None
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._changing():
            yield

    def load(self, session_id: str) -> Session:
        found = self._read().sessions.get(session_id)
        if found is None:
            raise session_not_found(session_id)
        return found

    def save(self, session: Session) -> int:
        with self._changing() as contents:
            before = contents.sessions.get(session.id)
            self._require(session.id, session.version, before.version if before else 0)
            version = session.version + 1
            contents.sessions[session.id] = msgspec.structs.replace(session, version=version)
        return version

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        with self._changing():
            session = self.load(session_id)
            self._require(session_id, expected_version, session.version)
            merged = {task.id: task for task in (*session.tasks, *tasks)}
            return self.save(msgspec.structs.replace(session, tasks=tuple(merged.values())))

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with self._changing() as contents:
            self._require(session_id, expected_version, self.load(session_id).version)
            del contents.sessions[session_id]

    @staticmethod
    def _require(session_id: str, expected: int, found: int) -> None:
        if expected != found:
            raise stale(session_id, expected=expected, found=found)

    def ids(self) -> list[str]:
        return sorted(self._read().sessions)

    def query(self, query: TaskQuery) -> list[TaskHit]:  # noqa: ARG002 (nobody asks for less)
        return [TaskHit(name, task) for name in self.ids() for task in self.load(name).tasks]

    def kept_result(self, key: str) -> bytes | None:
        found = self._read().results.get(key)
        return bytes(found) if found is not None else None

    def keep_result(self, key: str, result: bytes) -> None:
        with self._changing() as contents:
            contents.results[key] = msgspec.Raw(result)

    def sizes(self) -> list[SessionSize]:
        return [SessionSize(name, len(self.load(name).tasks), 0) for name in self.ids()]

    def verify(self) -> list[Damage]:
        return []

    def stats(self) -> StoreStats:
        return StoreStats(sessions=len(self.ids()), tasks=len(self.query(TaskQuery())), disk_bytes=0)

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every operation here takes: a value to give back, and seconds to sleep before anything else."""

    value: Any = None
    seconds: float = 0.0


def echo(_store: Store, _session: str, arguments: Arguments) -> Any:
    """Sleep, and give the value back."""
    time.sleep(arguments.seconds)
    return arguments.value


def refuse(_store: Store, _session: str, arguments: Arguments) -> Any:
    """Refuse it."""
    raise OperationError("refused as asked", where=f"value {arguments.value}")


def crash(_store: Store, _session: str, arguments: Arguments) -> Any:
    """End the worker."""
    time.sleep(arguments.seconds)
    os._exit(9)


def process(_store: Store, _session: str, arguments: Arguments) -> int:
    """The process that serves it."""
    time.sleep(arguments.seconds)
    return os.getpid()


def look(store: Store, session: str, arguments: Arguments) -> int:
    """The count of a session."""
    time.sleep(arguments.seconds)
    try:
        return int(store.load(session).tasks[0].weight)
    except SessionNotFound:
        return 0


def count(store: Store, session: str, arguments: Arguments) -> int:
    """Count one more, and give the new count."""
    time.sleep(arguments.seconds)
    while True:
        try:
            before = store.load(session)
        except SessionNotFound:
            before = Session(id=session, tasks=(Task(id=COUNTER, title="count", weight=0),))
        number = before.tasks[0].weight + 1
        try:
            store.save(
                msgspec.structs.replace(before, tasks=(Task(id=COUNTER, title="count", weight=number),))
            )
        except StaleVersion:
            continue
        return int(number)


def count_and_crash(store: Store, session: str, arguments: Arguments) -> int:
    """Count one more, and end the worker before it can say so."""
    count(store, session, arguments)
    os._exit(9)


_WRITES: tuple[Callable[..., Any], ...] = (count, count_and_crash)


@hookimpl
def tiergate_stores() -> Iterator[StoreDeclaration]:
    """The store of this module."""

    def opened(address: StoreAddress) -> Store:
        return OneFileStore(Path(address.path))

    yield StoreDeclaration(
        name=SCHEME, summary="one file, for tests", open=opened, capabilities=_CAPABILITIES
    )


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    for run in (echo, refuse, crash, process, look, *_WRITES):
        yield OperationDeclaration(
            name=run.__name__,
            summary=str(run.__doc__).strip(),
            arguments=Arguments,
            run=run,
            writes=run in _WRITES,
            needs_session=False,
        )
