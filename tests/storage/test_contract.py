"""The store contract, kept by both built-in stores and by one that is built quite differently."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Task, decode_session, encode
from tiergate.plugins import PluginHost
from tiergate.store import (
    ORDERS,
    Capability,
    Damage,
    SessionSize,
    Store,
    StoreAddress,
    StoreError,
    StoreStats,
    TaskHit,
    TaskQuery,
    check_order,
    session_not_found,
    stale,
    unsupported,
)
from tiergate.testing import StoreContract

HOST = PluginHost()


class TestBuiltIn(StoreContract):
    """Both stores, found as a user's command finds them."""

    @pytest.fixture(params=["json", "jsonfile", "sqlite"])
    def declaration(self, request: pytest.FixtureRequest) -> StoreDeclaration:
        return HOST.get(StoreDeclaration, request.param)


class TestBuiltInWithoutFsync(StoreContract):
    """The same, where the address gives up surviving the loss of power."""

    @pytest.fixture(params=["json", "jsonfile", "sqlite"])
    def declaration(self, request: pytest.FixtureRequest) -> StoreDeclaration:
        return HOST.get(StoreDeclaration, request.param)

    @pytest.fixture
    def address(self, declaration: StoreDeclaration, tmp_path: Path) -> StoreAddress:
        return StoreAddress(declaration.name, str(tmp_path / "store"), {"durability": "normal"})


class TestSqliteOptions(StoreContract):
    """The same, with bodies compressed, and text looked for in an index."""

    @pytest.fixture
    def declaration(self) -> StoreDeclaration:
        return HOST.get(StoreDeclaration, "sqlite")

    @pytest.fixture(params=[{"body": "zstd"}, {"text": "fts5"}, {"body": "zstd", "text": "fts5"}], ids=str)
    def address(self, request: pytest.FixtureRequest, tmp_path: Path) -> StoreAddress:
        return StoreAddress("sqlite", str(tmp_path / "store"), request.param)


class LogStore(Store):
    """Sessions in memory, and every write appended to a log; one process, no search, no transactions."""

    def __init__(self, path: Path) -> None:
        self._log = path
        self._sessions: dict[str, Session] = {}
        self._gone: dict[str, int] = {}
        if path.exists():
            for line in path.read_bytes().splitlines():
                session = decode_session(line)
                self._sessions[session.id] = session
                if session.version < 0:
                    self._gone[session.id] = -session.version
                    del self._sessions[session.id]

    def load(self, session_id: str) -> Session:
        try:
            return self._sessions[session_id]
        except KeyError:
            raise session_not_found(session_id) from None

    def save(self, session: Session) -> int:
        held = self._sessions.get(session.id)
        return self._append(session, session.version, held.version if held else 0)

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        held, changed = self.load(session_id), list(tasks)
        if len({task.id for task in changed}) < len(changed):
            raise StoreError(f"two tasks of session {session_id!r} have one id")
        merged = {task.id: task for task in (*held.tasks, *changed)}
        whole = msgspec.structs.replace(held, tasks=tuple(merged.values()))
        return self._append(whole, expected_version, held.version)

    def delete(self, session_id: str, *, expected_version: int) -> None:
        held = self.load(session_id)
        if held.version != expected_version:
            raise stale(session_id, expected=expected_version, found=held.version)
        self._gone[session_id] = held.version + 1
        self._write(msgspec.structs.replace(held, version=-held.version - 1, tasks=()))
        del self._sessions[session_id]

    def ids(self) -> list[str]:
        return sorted(self._sessions)

    def query(self, query: TaskQuery) -> list[TaskHit]:
        name, descending = check_order(query.order)
        if query.text is not None:
            unsupported(self, Capability.TEXT_SEARCH)
        low = float("-inf") if query.min_weight is None else query.min_weight
        high = float("inf") if query.max_weight is None else query.max_weight
        hits = [
            TaskHit(session.id, task)
            for session in self._sessions.values()
            for task in session.tasks
            if query.session in (None, session.id)
            and (not query.statuses or task.status in query.statuses)
            and low <= task.weight <= high
        ]
        hits.sort(key=lambda hit: (hit.session, hit.task.id))
        hits.sort(
            key=lambda hit: getattr(hit.task, name) or "" if name != "weight" else hit.task.weight,
            reverse=descending,
        )
        return hits[: query.limit]

    def transaction(self) -> AbstractContextManager[None]:
        unsupported(self, Capability.TRANSACTIONS)

    def sizes(self) -> list[SessionSize]:
        return [
            SessionSize(name, len(held.tasks), len(encode(held)))
            for name, held in sorted(self._sessions.items())
        ]

    def verify(self) -> list[Damage]:
        return (
            [Damage(str(self._log), "the log is missing")]
            if self._sessions and not self._log.exists()
            else []
        )

    def stats(self) -> StoreStats:
        tasks = sum(len(session.tasks) for session in self._sessions.values())
        size = self._log.stat().st_size if self._log.exists() else 0
        return StoreStats(sessions=len(self._sessions), tasks=tasks, disk_bytes=size)

    def close(self) -> None:
        """The log is opened for each write."""

    def _append(self, session: Session, expected: int, found: int) -> int:
        if expected != found:
            raise stale(session.id, expected=expected, found=found)
        if len({task.id for task in session.tasks}) < len(session.tasks):
            raise StoreError(f"two tasks of session {session.id!r} have one id")
        version = (found or self._gone.get(session.id, 0)) + 1
        self._sessions[session.id] = self._write(msgspec.structs.replace(session, version=version))
        return version

    def _write(self, session: Session) -> Session:
        try:
            line = encode(session)
            back = decode_session(line)
        except (ValueError, msgspec.MsgspecError) as error:
            raise StoreError(f"session {session.id!r} has no JSON form: {error}") from error
        if back != session:
            raise StoreError(f"session {session.id!r} would not come back as it is")
        with self._log.open("ab") as log:
            log.write(line + b"\n")
        return back


def _open_log(address: StoreAddress) -> Store:
    address.require_options(())
    return LogStore(Path(address.path))


class TestLogStore(StoreContract):
    """An author's store with none of the capabilities passes the same suite."""

    @pytest.fixture
    def declaration(self) -> StoreDeclaration:
        return StoreDeclaration(name="log", summary="an append-only log", open=_open_log)


def test_the_orders_of_the_contract_are_those_that_are_tested() -> None:
    assert ORDERS == ("id", "weight", "title", "updated_at")
