"""A store in front of another one, for caches and whatever else stands between a store and its users."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tiergate.model import Session, Task
from tiergate.store import (
    Capability,
    Damage,
    Doubt,
    SessionSize,
    Store,
    StoreStats,
    TaskHit,
    TaskOutline,
    TaskQuery,
)


class StoreFront(Store):
    """Passes every call on; override those that are to do something else.

    `_inside` counts the transactions that are open: what is read and written in one may be undone, so that
    nothing of it may be kept.

    Args:
        store: what it stands in front of; it is closed with this.
    """

    def __init__(self, store: Store) -> None:
        self.capabilities = store.capabilities
        self._store = store
        self._inside = 0

    def load(self, session_id: str) -> Session:
        return self._store.load(session_id)

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        return self._store.load_task(session_id, task_id)

    def save(self, session: Session) -> int:
        return self._store.save(session)

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        return self._store.upsert_tasks(session_id, tasks, expected_version=expected_version)

    def delete(self, session_id: str, *, expected_version: int) -> None:
        self._store.delete(session_id, expected_version=expected_version)

    def ids(self) -> list[str]:
        return self._store.ids()

    def query(self, query: TaskQuery) -> list[TaskHit]:
        return self._store.query(query)

    def outlines(self, query: TaskQuery) -> list[TaskOutline]:
        return self._store.outlines(query)

    def transaction(self) -> AbstractContextManager[None]:
        if Capability.TRANSACTIONS not in self.capabilities:
            return self._store.transaction()
        return self._counted_transaction()

    @contextmanager
    def _counted_transaction(self) -> Iterator[None]:
        with self._store.transaction():
            self._inside += 1
            try:
                yield
            finally:
                self._inside -= 1

    def filling(self) -> AbstractContextManager[None]:
        return self._store.filling()

    def version(self, session_id: str) -> int:
        return self._store.version(session_id)

    def versions(self) -> dict[str, int]:
        return self._store.versions()

    def changes(self) -> int:
        return self._store.changes()

    def remember(self, key: bytes, session_id: str | None, compute: Callable[[], Any]) -> Any:
        return self._store.remember(key, session_id, compute)

    def kept_result(self, key: str) -> bytes | None:
        return self._store.kept_result(key)

    def keep_result(self, key: str, result: bytes) -> None:
        self._store.keep_result(key, result)

    def sizes(self) -> list[SessionSize]:
        return self._store.sizes()

    def verify(self) -> list[Damage]:
        return self._store.verify()

    def doubts(self) -> list[Doubt]:
        return self._store.doubts()

    def stats(self) -> StoreStats:
        return self._store.stats()

    def settle(self) -> None:
        self._store.settle()

    def close(self) -> None:
        self._store.close()
