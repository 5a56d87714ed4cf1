"""The store ``json:DIR``: a folder with one JSON file a session, replaced as a whole by every write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import msgspec

from tiergate.model import Session, Task, encode
from tiergate.store import (
    Capability,
    Damage,
    SessionNotFound,
    SessionSize,
    Store,
    StoreDamaged,
    StoreError,
    StoreStats,
    TaskHit,
    TaskQuery,
    check_order,
    session_not_found,
    stale,
    unsupported,
)
from tiergate_plugins.storage import files
from tiergate_plugins.storage.bodies import (
    read_session,
    refuse_repeated_ids,
    repeated,
    session_body,
    task_body,
)
from tiergate_plugins.storage.file_names import SUFFIX, file_name, session_id_of
from tiergate_plugins.storage.json_dir import CAPABILITIES
from tiergate_plugins.storage.selection import select


class _Outline(msgspec.Struct):
    """What can be known of a session without building its tasks."""

    id: str
    version: int = 0
    tasks: Sequence[msgspec.Raw] = ()


_outline_decoder = msgspec.json.Decoder(_Outline)


class JsonStore(Store):
    """Sessions as JSON files. Readers need no lock: a file is only ever replaced as a whole.

    Args:
        folder: made where it is missing; its parent must be there.
        durable: whether a write that returned survives the loss of power.

    Raises:
        StoreError: the folder cannot be made or is a file.
    """

    capabilities = CAPABILITIES

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        with files.system_errors("open the store", folder):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                if durable:
                    files.sync_folder(folder.parent)

    def load(self, session_id: str) -> Session:
        data = self._read(session_id)
        session = read_session(data, str(self._path(session_id)))
        self._require_id(session_id, session.id)
        return session

    def save(self, session: Session) -> int:
        refuse_repeated_ids(session.id, session.tasks)
        session_body(session)
        for task in session.tasks:
            task_body(session.id, task)
        with self._writing("save the session", session.id):
            try:
                found = self._outline(session.id).version
            except SessionNotFound:
                found = 0
            return self._replace(session, expected=session.version, found=found)

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        changed = list(tasks)
        refuse_repeated_ids(session_id, changed)
        for task in changed:
            task_body(session_id, task)
        with self._writing("save the tasks", session_id):
            session = self.load(session_id)
            by_id = {task.id: task for task in session.tasks} | {task.id: task for task in changed}
            merged = msgspec.structs.replace(session, tasks=tuple(by_id.values()))
            return self._replace(merged, expected=expected_version, found=session.version)

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with self._writing("delete the session", session_id):
            found = self._outline(session_id).version
            if found != expected_version:
                raise stale(session_id, expected=expected_version, found=found)
            files.remove(self._folder, file_name(session_id), durable=self._durable)

    def ids(self) -> list[str]:
        found = []
        for name in self._names():
            with suppress(SessionNotFound):  # deleted since it was listed
                found.append(self._id_of(name))
        return sorted(found)

    def query(self, query: TaskQuery) -> list[TaskHit]:
        check_order(query.order)
        wanted = self.ids() if query.session is None else [query.session]
        return select(self._hits(wanted), query)

    def transaction(self) -> AbstractContextManager[None]:
        unsupported(self, Capability.TRANSACTIONS)

    def sizes(self) -> list[SessionSize]:
        found = []
        for session_id in self.ids():
            try:
                data = self._read(session_id)
            except SessionNotFound:  # deleted since it was listed
                continue
            tasks = len(_outline(data, self._path(session_id)).tasks)
            found.append(SessionSize(session_id, tasks, len(data)))
        return found

    def verify(self) -> list[Damage]:
        found = []
        for name in self._names():
            try:
                session = self.load(self._id_of(name))
                twice = repeated(task.id for task in session.tasks)
                if twice is not None:
                    found.append(Damage(str(self._folder / name), f"two tasks have the id {twice!r}"))
            except SessionNotFound:  # deleted since it was listed
                continue
            except StoreError as error:
                found.append(Damage(error.where or str(self._folder / name), error.what))
        return found

    def stats(self) -> StoreStats:
        sizes = self.sizes()
        with files.system_errors("read the store", self._folder):
            disk = sum(path.stat().st_size for path in self._own_files())
        return StoreStats(sessions=len(sizes), tasks=sum(size.tasks for size in sizes), disk_bytes=disk)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _path(self, session_id: str) -> Path:
        return self._folder / file_name(session_id)

    def _names(self) -> list[str]:
        with files.system_errors("read the store", self._folder):
            return sorted(path.name for path in self._folder.iterdir() if path.name.endswith(SUFFIX))

    def _own_files(self) -> Iterator[Path]:
        for path in self._folder.iterdir():
            if path.name.endswith(SUFFIX) or path.name == files.LOCK:
                yield path

    def _id_of(self, name: str) -> str:
        path = self._folder / name
        try:
            spelt = session_id_of(name)
            if spelt is not None:
                return spelt
            session_id = _outline(self._bytes(path, name), path).id
        except ValueError as error:
            raise StoreDamaged(str(error), where=str(path), hint="move the file elsewhere") from error
        self._require_id(session_id, session_id, path)
        return session_id

    def _read(self, session_id: str) -> bytes:
        return self._bytes(self._path(session_id), session_id)

    def _bytes(self, path: Path, session: str) -> bytes:
        with files.system_errors("read the session", path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise session_not_found(session) from None

    def _outline(self, session_id: str) -> _Outline:
        outline = _outline(self._read(session_id), self._path(session_id))
        self._require_id(session_id, outline.id)
        return outline

    def _require_id(self, wanted: str, found: str, path: Path | None = None) -> None:
        """The file name says which session a file holds; another inside it was put there by hand."""
        path = path or self._path(wanted)
        if found != wanted or path.name != file_name(found):
            raise StoreDamaged(f"the file holds session {found!r}", where=str(path))

    def _hits(self, session_ids: Iterable[str]) -> Iterator[TaskHit]:
        for session_id in session_ids:
            try:
                session = self.load(session_id)
            except SessionNotFound:
                continue
            for task in session.tasks:
                yield TaskHit(session_id, task)

    @contextmanager
    def _writing(self, doing: str, session_id: str) -> Iterator[None]:
        with files.system_errors(doing, self._path(session_id)), files.locked(self._folder):
            yield

    def _replace(self, session: Session, *, expected: int, found: int) -> int:
        if found != expected:
            raise stale(session.id, expected=expected, found=found)
        data = encode(msgspec.structs.replace(session, version=found + 1))
        files.write(self._folder, file_name(session.id), data, durable=self._durable)
        return found + 1


def _outline(data: bytes, path: Path) -> _Outline:
    try:
        return _outline_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StoreDamaged(f"not a session: {error}", where=str(path)) from error
