"""The files of a ``json:`` store: one a session, each replaced as a whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tiergate import syncing
from tiergate.model import Session
from tiergate.store import Damage, SessionNotFound, StoreDamaged, StoreError, session_not_found
from tiergate_plugins.storage import files
from tiergate_plugins.storage.bodies import read_session, repeated
from tiergate_plugins.storage.file_names import SUFFIX, file_name, session_id_of

_AT_ONCE = 8
"""Syncs that wait for the disk together; file systems commit them in one go."""


_HEAD_BYTES = 1024
_TEXT = rb'"(?:[^"\\]|\\.)*"'
_HEAD = re.compile(rb'\{"id":(%b),(?:"title":%b,)?"version":(\d+),' % (_TEXT, _TEXT))
"""How the store begins a file, in the order of the fields of `Session`."""


class Outline(msgspec.Struct):
    """What can be known of a session without building its tasks."""

    id: str
    version: int = 0
    tasks: Sequence[msgspec.Raw] = ()


_outline_decoder = msgspec.json.Decoder(Outline)


class Snapshots:
    """The session files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, session_id: str) -> Path:
        """The file of a session."""
        return self.folder / file_name(session_id)

    def read(self, session_id: str) -> bytes:
        """The bytes of a session's file.

        Raises:
            SessionNotFound: there is none.
        """
        path = self.path(session_id)
        with files.system_errors("read the session", path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise session_not_found(session_id) from None

    def load(self, session_id: str) -> Session:
        """The session that a file holds.

        Raises:
            SessionNotFound: there is none.
            StoreDamaged: it holds something else.
        """
        session = read_session(self.read(session_id), str(self.path(session_id)))
        self._require_id(session_id, session.id)
        return session

    def outline(self, session_id: str) -> tuple[Outline, int]:
        """The outline of a session and the length of its file. Raises as `load`."""
        data = self.read(session_id)
        outline = _outline(data, self.path(session_id))
        self._require_id(session_id, outline.id)
        return outline, len(data)

    def version(self, session_id: str) -> int:
        """The version of a session, from the beginning of its file where that suffices. Raises as `load`."""
        path = f"{self.folder}/{file_name(session_id)}"
        with files.system_errors("read the session", path):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise session_not_found(session_id) from None
            try:
                head = _HEAD.match(os.pread(descriptor, _HEAD_BYTES, 0))
            finally:
                os.close(descriptor)
        if head and head[1] == msgspec.json.encode(session_id):
            return int(head[2])
        return self.outline(session_id)[0].version

    def ids(self) -> Iterator[str]:
        """The sessions that have a file, in no order. Files that are none of the store's are passed over."""
        for name in self._names():
            try:
                yield self._id_of(name)
            except (SessionNotFound, StoreDamaged):  # deleted since it was listed, or named by `verify`
                continue

    def verify(self) -> Iterator[Damage]:
        """Read every file and say what is wrong."""
        for name in self._names():
            try:
                session = self.load(self._id_of(name))
                twice = repeated(task.id for task in session.tasks)
                if twice is not None:
                    yield Damage(str(self.folder / name), f"two tasks have the id {twice!r}")
            except SessionNotFound:  # deleted since it was listed
                continue
            except StoreError as error:
                yield Damage(error.where or str(self.folder / name), error.what)

    def replace(self, bodies: Iterable[tuple[str, bytes]], deleted: Iterable[str]) -> None:
        """Put files of sessions in place and take those of deleted ones away; the caller syncs the folder.

        Raises:
            OSError: one could not be written; those in place are each whole.
        """
        self.clear_unfinished()
        written = [self._write_beside(session_id, body) for session_id, body in bodies]
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            for _ in workers.map(_sync_file, written):
                pass
        for path in written:
            path.replace(path.with_name(files.finished(path.name)))
        for session_id in deleted:
            self.path(session_id).unlink(missing_ok=True)

    def clear_unfinished(self) -> None:
        """Remove what a crash left of files that were not in place yet."""
        for path in self.folder.iterdir():
            if files.is_unfinished(path.name):
                path.unlink(missing_ok=True)

    def _write_beside(self, session_id: str, body: bytes) -> Path:
        path = self.folder / files.unfinished(file_name(session_id))
        path.write_bytes(body)
        return path

    def _names(self) -> list[str]:
        with files.system_errors("read the store", self.folder):
            return sorted(path.name for path in self.folder.iterdir() if path.name.endswith(SUFFIX))

    def _id_of(self, name: str) -> str:
        path = self.folder / name
        try:
            spelt = session_id_of(name)
        except ValueError as error:
            raise StoreDamaged(str(error), where=str(path), hint="move the file elsewhere") from error
        if spelt is not None:
            return spelt
        with files.system_errors("read the session", path):
            try:
                session_id = _outline(path.read_bytes(), path).id
            except FileNotFoundError:
                raise session_not_found(name) from None
        self._require_id(session_id, session_id, path)
        return session_id

    def _require_id(self, wanted: str, found: str, path: Path | None = None) -> None:
        """The file name says which session a file holds; another inside it was put there by hand."""
        path = path or self.path(wanted)
        if found != wanted or path.name != file_name(found):
            raise StoreDamaged(f"the file holds session {found!r}", where=str(path))


def _outline(data: bytes, path: Path) -> Outline:
    try:
        return _outline_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StoreDamaged(f"not a session: {error}", where=str(path)) from error


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        syncing.sync(descriptor)
    finally:
        os.close(descriptor)
