"""A store that was opened by a name: its writes are refused once the name is bound to another store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from msgspec.structs import replace

from tiergate.binding import Binding, Bindings
from tiergate.model import Session, Task
from tiergate.store import (
    Capability,
    SessionNotFound,
    StaleVersion,
    Store,
    stale,
)
from tiergate.store_front import StoreFront

EPOCH_SPAN = 2**32
"""Versions of one epoch; those of the next begin above them."""


class BoundStore(StoreFront):
    """Passes everything on, and holds the binding's lock while it writes.

    A store that a name is bound to counts the versions of its sessions by itself. So that a session that was
    loaded before a cut-over cannot pass for one that was loaded after it, versions are shown with
    ``(epoch - 1) * EPOCH_SPAN`` added: a save of the former raises `StaleVersion`, as any stale write.

    Args:
        store: what the name was bound to when it was opened; it is closed with this.
        binding: that binding.
    """

    def __init__(self, store: Store, binding: Binding, bindings: Bindings) -> None:
        super().__init__(store)
        self._binding = binding
        self._bindings = bindings
        self._base = (binding.epoch - 1) * EPOCH_SPAN
        self._fences = 0

    def load(self, session_id: str) -> Session:
        session = self._store.load(session_id)
        return replace(session, version=session.version + self._base) if self._base else session

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        task, version = self._store.load_task(session_id, task_id)
        return task, version + self._base

    def save(self, session: Session) -> int:
        with self._writing(session.id, session.version) as version:
            known = session if version == session.version else replace(session, version=version)
            return self._store.save(known) + self._base

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        with self._writing(session_id, expected_version) as version:
            return self._store.upsert_tasks(session_id, tasks, expected_version=version) + self._base

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with self._writing(session_id, expected_version) as version:
            self._store.delete(session_id, expected_version=version)

    def transaction(self) -> AbstractContextManager[None]:
        if Capability.TRANSACTIONS not in self.capabilities:
            return self._store.transaction()
        return self._fenced_transaction()

    @contextmanager
    def _fenced_transaction(self) -> Iterator[None]:
        with self._fence(), self._store.transaction():
            yield

    @contextmanager
    def _fence(self) -> Iterator[None]:
        """Hold the name's lock; inside a transaction it is held already."""
        if self._fences:
            yield
            return
        with self._bindings.writing(self._binding):
            self._fences += 1
            try:
                yield
            finally:
                self._fences -= 1

    @contextmanager
    def _writing(self, session_id: str, version: int) -> Iterator[int]:
        """Fence one write; yields the version as the store itself counts it.

        A version of another epoch becomes one that no session has, so that the store refuses it.
        """
        own = version - self._base if version else 0
        if version and not 0 < own < EPOCH_SPAN:
            own = EPOCH_SPAN * 2
        with self._fence():
            try:
                yield own
            except StaleVersion as error:
                raise stale(session_id, expected=version, found=self._version_now(session_id)) from error

    def _version_now(self, session_id: str) -> int:
        try:
            return self.version(session_id)
        except SessionNotFound:
            return 0

    def version(self, session_id: str) -> int:
        return self._store.version(session_id) + self._base

    def versions(self) -> dict[str, int]:
        found = self._store.versions()
        return {name: version + self._base for name, version in found.items()} if self._base else found

    def changes(self) -> int:
        return self._store.changes() + self._base
