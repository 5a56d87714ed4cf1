"""The store ``json:DIR``: a folder with one JSON file a session, and a journal of what changed since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import msgspec

from tiergate import syncing
from tiergate.model import Session, Task, encode
from tiergate.store import (
    Damage,
    Doubt,
    SessionNotFound,
    SessionSize,
    Store,
    StoreError,
    StoreStats,
    TaskHit,
    TaskQuery,
    check_order,
    session_not_found,
    stale,
)
from tiergate_plugins.storage import files
from tiergate_plugins.storage.bodies import read_task, refuse_repeated_ids, session_body, task_body
from tiergate_plugins.storage.changes import Deleted, Kept, Saved, TasksPut
from tiergate_plugins.storage.json_dir import CAPABILITIES
from tiergate_plugins.storage.json_place import require_place
from tiergate_plugins.storage.json_state import DAMAGED, JOURNAL, JsonState
from tiergate_plugins.storage.json_tables import RESULTS, TOMBSTONES
from tiergate_plugins.storage.json_verify import find_damage, find_doubts
from tiergate_plugins.storage.selection import select


class JsonStore(Store):
    """Sessions as JSON files. A write appends one record to the journal and syncs it, whatever its size.

    Args:
        folder: made where it is missing; its parent must be there.
        durable: whether a write that returned survives the loss of power.
        writable: otherwise nothing is made or changed, and the folder must be there.
        skips_damage: read what is left where records are lost, and write nothing.

    Raises:
        StoreError: the folder cannot be made, is a file, or holds other things than a store.
    """

    capabilities = CAPABILITIES

    def __init__(
        self, folder: Path, *, durable: bool = True, writable: bool = True, skips_damage: bool = False
    ) -> None:
        self._folder = folder
        writable = writable and not skips_damage
        with files.system_errors("open the store", folder):
            if writable and not folder.is_dir():
                folder.mkdir(exist_ok=True)
                if durable:
                    syncing.sync_folder(folder.parent)
        if not folder.is_dir():
            raise StoreError("there is no store here", where=str(folder), hint="check the address")
        require_place(folder)
        self._state = JsonState(folder, durable=durable, writable=writable, skips=skips_damage)
        self._state.refresh()

    def load(self, session_id: str) -> Session:
        self._state.refresh()
        return self._state.load(session_id)

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        self._state.refresh()
        head = self._state.head(session_id)
        if head is not None and task_id in head.tasks and not (head.broken or head.doubtful):
            where = f"{self._folder / JOURNAL}: session {session_id!r}, task {task_id!r}"
            return read_task(head.tasks[task_id], where), head.version
        return super().load_task(session_id, task_id)

    def save(self, session: Session) -> int:
        refuse_repeated_ids(session.id, session.tasks)
        session_body(session)
        for task in session.tasks:
            task_body(session.id, task)
        with self._state.writing(f"save the session {session.id!r}"):
            try:
                found = before = self._state.version(session.id)
            except SessionNotFound:
                found, before = 0, self._state.last_deleted(session.id)
            if not self._is_expected(found, session.version):
                raise stale(session.id, expected=session.version, found=found)
            body = encode(msgspec.structs.replace(session, version=before + 1))
            self._state.record(Saved(session.id, before + 1, body))
        return before + 1

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        changed = list(tasks)
        refuse_repeated_ids(session_id, changed)
        bodies = [(task.id, task_body(session_id, task)[0]) for task in changed]
        with self._state.writing(f"save the tasks of session {session_id!r}"):
            version = self._require_version(session_id, expected_version) + 1
            self._state.record(TasksPut(session_id, version, bodies))
        return version

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with self._state.writing(f"delete the session {session_id!r}"):
            version = self._require_version(session_id, expected_version) + 1
            self._state.record(Deleted(session_id, version))

    def ids(self) -> list[str]:
        return sorted(self._ids())

    def version(self, session_id: str) -> int:
        self._state.refresh()
        return self._state.version(session_id)

    def changes(self) -> int:
        self._state.refresh()
        if self._state.journal is None:
            self._state.require_complete()
        return self._state.sequence

    def query(self, query: TaskQuery) -> list[TaskHit]:
        check_order(query.order)
        wanted = self.ids() if query.session is None else [query.session]
        return select(self._hits(wanted), query)

    def transaction(self) -> AbstractContextManager[None]:
        return self._state.writing("write the transaction")

    def kept_result(self, key: str) -> bytes | None:
        self._state.refresh()
        return self._state.kept_result(key)

    def keep_result(self, key: str, result: bytes) -> None:
        with self._state.writing("keep the result of a write"):
            self._state.require_complete()
            self._state.record(Kept(key, result))

    def sizes(self) -> list[SessionSize]:
        found = []
        for session_id in self.ids():
            with suppress(SessionNotFound):  # deleted since it was listed
                found.append(self._size(session_id))
        return found

    def verify(self) -> list[Damage]:
        return find_damage(self._state)

    def doubts(self) -> list[Doubt]:
        return find_doubts(self._state)

    def stats(self) -> StoreStats:
        sizes = self.sizes()
        with files.system_errors("read the store", self._folder):
            own = {path.name: path.stat().st_size for path in self._own_files()}
        journal = self._state.journal
        details: dict[str, int | float | str] = {"journal_used_bytes": journal.used if journal else 0}
        aside = sum(name.startswith(DAMAGED) for name in own)
        if aside:
            details["damaged_files_set_aside"] = aside
        return StoreStats(
            sessions=len(sizes),
            tasks=sum(size.tasks for size in sizes),
            disk_bytes=sum(own.values()),
            details=details,
        )

    def close(self) -> None:
        self._state.close()

    def _ids(self) -> set[str]:
        while True:
            self._state.refresh()
            journal = self._state.journal
            found = set(self._state.files.ids())
            if journal is None or journal.is_current():  # else the files were written while we listed them
                break
        self._state.require_complete()
        for session_id, head in self._state.heads().items():
            (found.discard if head.deleted else found.add)(session_id)
        return found

    def _size(self, session_id: str) -> SessionSize:
        if self._state.head(session_id) is None:
            outline, length = self._state.files.outline(session_id)
            return SessionSize(session_id, len(outline.tasks), length)
        session = self._state.load(session_id)
        return SessionSize(session_id, len(session.tasks), len(encode(session)))

    def _own_files(self) -> Iterator[Path]:
        names = (files.LOCK, JOURNAL, RESULTS, TOMBSTONES)
        for path in self._folder.iterdir():
            if path.name.endswith(".json") or path.name in names or path.name.startswith(DAMAGED):
                yield path

    def _hits(self, session_ids: Iterable[str]) -> Iterator[TaskHit]:
        for session_id in session_ids:
            try:
                session = self.load(session_id)
            except SessionNotFound:
                continue
            for task in session.tasks:
                yield TaskHit(session_id, task)

    def _require_version(self, session_id: str, expected: int) -> int:
        """The version of a session, which must be the expected one."""
        found = self._state.version(session_id)
        if not found:
            raise session_not_found(session_id)
        if not self._is_expected(found, expected):
            raise stale(session_id, expected=expected, found=found)
        return found

    def _is_expected(self, found: int, expected: int) -> bool:
        """Whether a version is the one that was read; the write itself may have raised it since."""
        return found == expected or (expected > 0 and found == expected + self._state.raised)
