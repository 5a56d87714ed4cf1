"""The store ``jsonfile:FILE``: every write replaces the whole file, so a reader sees all of it or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec

from tiergate.model import Session, Task, encode
from tiergate.store import (
    Damage,
    SessionSize,
    Store,
    StoreDamaged,
    StoreError,
    StoreStats,
    TaskHit,
    TaskQuery,
    check_order,
    read_only,
    session_not_found,
    stale,
)
from tiergate_plugins.storage import files
from tiergate_plugins.storage.bodies import (
    read_session,
    refuse_repeated_ids,
    repeated,
    session_body,
    task_body,
)
from tiergate_plugins.storage.jsonfile import CAPABILITIES
from tiergate_plugins.storage.selection import select

_FORMAT = "tiergate.sessions/1"


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds; sessions stay bytes until somebody asks for them.

    Attributes:
        changes: how many writes there were.
        deleted: by the id of a session that is gone, the version of its deletion.
    """

    schema: str
    changes: int
    deleted: dict[str, int]
    sessions: dict[str, msgspec.Raw]


_EMPTY = _Document(_FORMAT, 0, {}, {})


class JsonFileStore(Store):
    """Sessions in one JSON document, ``{"schema", "changes", "deleted", "sessions": {id: session}}``.

    Args:
        path: made by the first write; its folder must be there. ``PATH.lock`` stands beside it.
        durable: whether a write that returned survives the loss of power.
        writable: otherwise nothing is made or changed, and the file must be there.

    Raises:
        StoreError: it is a folder, or its folder is missing.
        StoreDamaged: it holds something else.
    """

    capabilities = CAPABILITIES

    def __init__(self, path: Path, *, durable: bool = True, writable: bool = True) -> None:
        self._path = path = path.resolve() if path.is_symlink() else path  # the link itself must stay
        self._durable = durable
        self._writable = writable
        self._document = _EMPTY
        self._seen: tuple[int, ...] = ()
        self._before: list[_Document] = []
        if path.is_dir():
            raise StoreError("this is a folder, not a file", where=str(path), hint="name a file")
        if not path.parent.is_dir():
            raise StoreError(
                "the folder of the file does not exist", where=str(path.parent), hint="create it first"
            )
        if not writable and not path.exists():
            raise StoreError("there is no store here", where=str(path), hint="check the address")
        self._refresh()

    def load(self, session_id: str) -> Session:
        self._refresh()
        return self._load(session_id)

    def save(self, session: Session) -> int:
        refuse_repeated_ids(session.id, session.tasks)
        session_body(session)
        for task in session.tasks:
            task_body(session.id, task)
        with self._writing():
            held = session.id in self._document.sessions
            found = self._load(session.id).version if held else 0
            if found != session.version:
                raise stale(session.id, expected=session.version, found=found)
            before = found or self._document.deleted.get(session.id, 0)
            self._put(msgspec.structs.replace(session, version=before + 1))
        return before + 1

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        changed = list(tasks)
        refuse_repeated_ids(session_id, changed)
        for task in changed:
            task_body(session_id, task)
        with self._writing():
            held = self._at(session_id, expected_version)
            by_id = {task.id: task for task in held.tasks} | {task.id: task for task in changed}
            self._put(
                msgspec.structs.replace(held, version=expected_version + 1, tasks=tuple(by_id.values()))
            )
        return expected_version + 1

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with self._writing():
            self._at(session_id, expected_version)
            held = self._document
            sessions = {name: body for name, body in held.sessions.items() if name != session_id}
            deleted = {**held.deleted, session_id: expected_version + 1}
            self._document = _Document(_FORMAT, held.changes + 1, deleted, sessions)

    def ids(self) -> list[str]:
        self._refresh()
        return sorted(self._document.sessions)

    def changes(self) -> int:
        self._refresh()
        return self._document.changes

    def query(self, query: TaskQuery) -> list[TaskHit]:
        check_order(query.order)
        self._refresh()
        held = self._document.sessions
        wanted = held if query.session is None else {query.session} & held.keys()
        hits = (TaskHit(name, task) for name in wanted for task in self._load(name).tasks)
        return select(hits, query)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._writing():
            yield

    def sizes(self) -> list[SessionSize]:
        self._refresh()
        return [
            SessionSize(name, len(self._load(name).tasks), len(bytes(body)))
            for name, body in sorted(self._document.sessions.items())
        ]

    def verify(self) -> list[Damage]:
        self._seen = ()  # what was read once may have been damaged since
        try:
            self._refresh()
        except StoreDamaged as error:
            return [Damage(error.where or str(self._path), error.what)]
        found = []
        for name in sorted(self._document.sessions):
            try:
                twice = repeated(task.id for task in self._load(name).tasks)
            except StoreDamaged as error:
                found.append(Damage(error.where or str(self._path), error.what))
                continue
            if twice is not None:
                found.append(Damage(self._where(name), f"two tasks have the id {twice!r}"))
        return found

    def stats(self) -> StoreStats:
        sizes = self.sizes()
        disk = self._path.stat().st_size if self._path.exists() else 0
        return StoreStats(sessions=len(sizes), tasks=sum(size.tasks for size in sizes), disk_bytes=disk)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _load(self, session_id: str) -> Session:
        body = self._document.sessions.get(session_id)
        if body is None:
            raise session_not_found(session_id)
        session = read_session(bytes(body), self._where(session_id))
        if session.id != session_id:
            raise StoreDamaged(f"this is session {session.id!r}", where=self._where(session_id))
        return session

    def _at(self, session_id: str, expected: int) -> Session:
        session = self._load(session_id)
        if session.version != expected:
            raise stale(session_id, expected=expected, found=session.version)
        return session

    def _put(self, session: Session) -> None:
        held = self._document
        sessions = {**held.sessions, session.id: msgspec.Raw(encode(session))}
        deleted = {name: version for name, version in held.deleted.items() if name != session.id}
        self._document = _Document(_FORMAT, held.changes + 1, deleted, sessions)

    def _refresh(self) -> None:
        """Read the file again when it is another one than was read before."""
        if self._before:
            return
        with files.system_errors("read the store", self._path):
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._document, self._seen = self._missing(), ()
                return
            now = (status.st_ino, status.st_mtime_ns, status.st_size)
            if now == self._seen:
                return
            data = self._path.read_bytes()
        self._document, self._seen = self._read(data), now

    def _missing(self) -> _Document:
        if self._seen:
            raise StoreDamaged("the file is missing", where=str(self._path), hint="restore it from a copy")
        if not self._path.parent.is_dir():
            raise FileNotFoundError(2, os.strerror(2))
        return _EMPTY

    def _read(self, data: bytes) -> _Document:
        try:
            document = msgspec.json.decode(data, type=_Document)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise StoreDamaged(
                f"not a file of sessions: {error}",
                where=str(self._path),
                hint="restore it from a copy, or name another file",
            ) from error
        if document.schema != _FORMAT:
            raise StoreDamaged(
                f"its schema is {document.schema!r}, this tiergate knows {_FORMAT!r}",
                where=str(self._path),
                hint="upgrade tiergate, or name another file",
            )
        return document

    def _where(self, session_id: str) -> str:
        return f"{self._path}: session {session_id!r}"

    def _writing(self) -> AbstractContextManager[None]:
        if not self._writable:
            raise read_only(str(self._path))
        return self._part() if self._before else self._whole()

    @contextmanager
    def _part(self) -> Iterator[None]:
        self._before.append(self._document)
        try:
            yield
        except BaseException:
            self._document = self._before[-1]
            raise
        finally:
            self._before.pop()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        with files.system_errors("write the store", self._path):
            lock = files.take_lock(self._path.with_name(self._path.name + ".lock"))
        try:
            self._refresh()
            before = self._document
            with self._part():
                yield
                if self._document is not before:
                    self._replace(msgspec.json.encode(self._document))
        finally:
            os.close(lock)

    def _replace(self, data: bytes) -> None:
        with files.system_errors("write the store", self._path):
            files.write(self._path.parent, self._path.name, data, durable=self._durable)
            status = self._path.stat()
        self._seen = (status.st_ino, status.st_mtime_ns, status.st_size)
