"""A front that measures how long a store takes, so that it can be told from what is done with its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter_ns
from typing import Any, TypeVar

from tiergate.model import Session, Task
from tiergate.store import Capability, SessionSize, Store, TaskHit, TaskOutline, TaskQuery
from tiergate.store_front import StoreFront

_Result = TypeVar("_Result")


class TimedStore(StoreFront):
    """Adds up the time of all calls.

    Attributes:
        spent_ns: nanoseconds in the store so far, its caches included. What a cache has computed by others
            (`Store.remember`) is not counted twice.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.spent_ns = 0

    def load(self, session_id: str) -> Session:
        return self._timed(self._store.load, session_id)

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        return self._timed(self._store.load_task, session_id, task_id)

    def save(self, session: Session) -> int:
        return self._timed(self._store.save, session)

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        began = perf_counter_ns()
        try:
            return self._store.upsert_tasks(session_id, tasks, expected_version=expected_version)
        finally:
            self.spent_ns += perf_counter_ns() - began

    def delete(self, session_id: str, *, expected_version: int) -> None:
        began = perf_counter_ns()
        try:
            self._store.delete(session_id, expected_version=expected_version)
        finally:
            self.spent_ns += perf_counter_ns() - began

    def ids(self) -> list[str]:
        return self._timed(self._store.ids)

    def query(self, query: TaskQuery) -> list[TaskHit]:
        return self._timed(self._store.query, query)

    def outlines(self, query: TaskQuery) -> list[TaskOutline]:
        return self._timed(self._store.outlines, query)

    def transaction(self) -> AbstractContextManager[None]:
        if Capability.TRANSACTIONS not in self.capabilities:
            return self._store.transaction()
        return self._timed_transaction()

    @contextmanager
    def _timed_transaction(self) -> Iterator[None]:
        """To begin and to commit is counted; what is done in between counts for itself."""
        inner = self._counted_transaction()
        self._timed(inner.__enter__)
        try:
            yield
        except BaseException as error:
            if not self._timed(inner.__exit__, type(error), error, error.__traceback__):
                raise
        else:
            self._timed(inner.__exit__, None, None, None)

    def version(self, session_id: str) -> int:
        return self._timed(self._store.version, session_id)

    def versions(self) -> dict[str, int]:
        return self._timed(self._store.versions)

    def changes(self) -> int:
        return self._timed(self._store.changes)

    def remember(self, key: bytes, session_id: str | None, compute: Callable[[], Any]) -> Any:
        computing = 0

        def computed() -> Any:
            nonlocal computing
            began = perf_counter_ns()
            try:
                return compute()
            finally:
                computing += perf_counter_ns() - began

        began = perf_counter_ns()
        try:
            return self._store.remember(key, session_id, computed)
        finally:
            self.spent_ns += perf_counter_ns() - began - computing

    def kept_result(self, key: str) -> bytes | None:
        return self._timed(self._store.kept_result, key)

    def keep_result(self, key: str, result: bytes) -> None:
        self._timed(self._store.keep_result, key, result)

    def sizes(self) -> list[SessionSize]:
        return self._timed(self._store.sizes)

    def _timed(self, call: Callable[..., _Result], *words: Any) -> _Result:
        began = perf_counter_ns()
        try:
            return call(*words)
        finally:
            self.spent_ns += perf_counter_ns() - began
