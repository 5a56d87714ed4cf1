"""What a ``json:`` store knows: its session files, and the journal of what changed since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tiergate import syncing
from tiergate.model import Session, encode
from tiergate.store import (
    Damage,
    ReadOnly,
    SessionNotFound,
    StoreDamaged,
    StoreError,
    StoreFailed,
    read_only,
    session_not_found,
)
from tiergate_plugins.storage import files
from tiergate_plugins.storage.bodies import read_session, read_task
from tiergate_plugins.storage.changes import Change, Head, Heads, decode_changes, encode_changes
from tiergate_plugins.storage.journal import ASIDE, Journal
from tiergate_plugins.storage.json_tables import RESULTS, TOMBSTONES, Tables
from tiergate_plugins.storage.snapshots import Snapshots

JOURNAL = "journal"
DAMAGED = f"{JOURNAL}{ASIDE}"
"""Begins the names of files with what was damaged in a journal."""
_HAS_JOURNAL = b"A journal belongs to this store. Where it is missing, writes are.\n"
"""What the lock file says from the first write on."""
_FOLD_AT = 8 << 20
"""Bytes of journal at which its changes are written to the session files."""
_LOSSES = 32
"""The bits of the number of a record above this one count how often records may have been lost."""
_SKIPPED = 1 << 20
"""Versions that are left out then: more than one record raises a session by."""


class JsonState:
    """One instance's view of the folder. Readers need no lock: files are replaced, the journal grows.

    A change in the journal counts over a session's file, unless the file is newer; so it does no harm
    when a process is killed between writing the files and replacing the journal.

    Where records are lost, what they may have changed is not read, but for those who ask for what is left.

    Attributes:
        damage: the places where records are lost.
        skips: whether what is left may be read all the same; nothing is written then.
        raised: by how much the present block has raised every version before anything else.
    """

    def __init__(self, folder: Path, *, durable: bool, writable: bool, skips: bool) -> None:
        self.folder = folder
        self.files = Snapshots(folder)
        self._path = folder / JOURNAL
        self._lock = folder / files.LOCK
        self.journal: Journal | None = None
        self._durable = durable
        self._writable = writable and not skips
        self.skips = skips
        self.damage: list[Damage] = []
        self._had_journal = False
        self._heads = Heads()
        self._file_versions: dict[str, int] = {}
        self.tables = Tables(folder)
        self.raised = 0
        self._pending: list[Change] = []
        self._view, self._viewed = self._heads, 0
        self._depth = 0
        self._failed = False
        self._looked = False
        self._fold_at = _FOLD_AT

    def refresh(self) -> None:
        """See what other processes have written."""
        if self._depth:
            return
        try:
            if self.journal is None or not self.journal.is_current():
                self._open_journal()
            if self.journal is not None:
                self._read_new(self.journal)
        except OSError as error:
            raise files.in_words(error, "read the journal", self._path) from error

    def _read_new(self, journal: Journal) -> None:
        known = len(journal.damage)
        for payload in journal.read_new():
            if len(journal.damage) > known:
                self._heads.doubt()
            try:
                self._heads.apply(decode_changes(payload, f"{self._path}, record {journal.sequence}"))
            except StoreDamaged as error:
                journal.damage.append(Damage(error.where or str(self._path), error.what))
                self._heads.doubt()
            known = len(journal.damage)

    def require_complete(self) -> None:
        """Refuse to say what the store holds, or that something is not there, when records are lost.

        Raises:
            StoreDamaged: some are; names the first place.
        """
        if self.damage and not self.skips:
            raise StoreDamaged(
                self.damage[0].what,
                where=self.damage[0].where,
                hint="restore the store from a copy, or read what is left of it with ?damage=skip",
            )

    @property
    def sequence(self) -> int:
        """How many writes the store has seen."""
        return (self.journal.sequence if self.journal else 0) + (1 if self._pending else 0)

    def heads(self) -> dict[str, Head]:
        """Every session that the journal names."""
        return self._seen().all()

    def head(self, session_id: str) -> Head | None:
        """What the journal says of a session, and what the block has changed."""
        return (self._seen() if self._pending else self._heads).get(session_id)

    def load(self, session_id: str) -> Session:
        """A session as the file and the journal give it.

        Raises:
            SessionNotFound: there is none.
            StoreDamaged: a part of it is missing or cannot be read, or may be.
        """
        head = self.head(session_id)
        if head is None or head.doubtful:
            self.require_complete()
        return self.left_of(session_id)

    def left_of(self, session_id: str) -> Session:
        """A session as far as it is known, though later changes may be lost. Raises as `load`."""
        head = self.head(session_id)
        if head is None:
            return self.files.load(session_id)
        if head.deleted:
            raise session_not_found(session_id)
        base = self._base(session_id, head)
        if base.version >= head.version:  # the files were written since the journal was read
            return base
        by_id = {task.id: task for task in base.tasks}
        for name, body in head.tasks.items():
            by_id[name] = read_task(body, f"{self._path}: session {session_id!r}, task {name!r}")
        return msgspec.structs.replace(base, version=head.version, tasks=tuple(by_id.values()))

    def version(self, session_id: str) -> int:
        """The version of a session. Raises as `load`."""
        head = self.head(session_id)
        if head is None or head.doubtful:
            self.require_complete()
        if head is not None:
            if head.deleted:
                raise session_not_found(session_id)
            return head.version
        known = self._file_versions.get(session_id)
        if known is None:
            known = self._file_versions[session_id] = self.files.version(session_id)
        return known

    def last_deleted(self, session_id: str) -> int:
        """After which version a session begins that is not there; 0 when it never was, and none is lost."""
        head = self.head(session_id)
        if head is not None:
            return head.version
        least = (self.sequence >> _LOSSES) * _SKIPPED
        return max(self.tables.tombstones().get(session_id, 0), least)

    def kept_result(self, key: str) -> bytes | None:
        """What was kept of a write under this key; None when it was never done, or long ago."""
        found = (self._seen() if self._pending else self._heads).result(key)
        if found is None:
            self.require_complete()
            found = self.tables.results().get(key)
        return found

    @contextmanager
    def writing(self, doing: str) -> Iterator[None]:
        """Hold the lock, and make the changes of a block one record. Inside another block it is a part
        of that one, which can fail by itself.

        Raises:
            ReadOnly: the store was opened so.
            StoreError: an earlier write failed, or this one does.
        """
        if self._depth:
            with self._part():
                yield
            return
        self._require_writable()
        try:
            lock = files.take_lock(self._lock)
        except OSError as error:
            raise files.in_words(error, doing, self.folder) from error
        try:
            self.refresh()
            try:
                self._step_over_losses()
            except OSError as error:
                raise files.in_words(error, doing, self.folder) from error
            self._depth = 1
            yield
            try:
                self._commit()
            except OSError as error:
                raise files.in_words(error, doing, self._path) from error
        finally:
            self._depth = self.raised = 0
            self._pending.clear()
            self._viewed = 0
            os.close(lock)

    def record(self, change: Change) -> None:
        """Make a change part of the block."""
        self._pending.append(change)

    def close(self) -> None:
        """Give back the journal. Closing twice does nothing."""
        if self.journal is not None:
            self.journal.close()

    def _seen(self) -> Heads:
        """What the journal says, under what the block has changed so far."""
        if not self._viewed:
            self._view = Heads(self._heads)
        self._view.apply(self._pending[self._viewed :])
        self._viewed = len(self._pending)
        return self._view

    @contextmanager
    def _part(self) -> Iterator[None]:
        start = len(self._pending)
        self._depth += 1
        try:
            yield
        except BaseException:
            del self._pending[start:]
            self._view, self._viewed = Heads(self._heads), 0
            raise
        finally:
            self._depth -= 1

    def _require_writable(self) -> None:
        if self.skips:
            raise ReadOnly(
                "with ?damage=skip the store is only read",
                where=str(self.folder),
                hint="migrate what is left to a new store",
            )
        if not self._writable:
            raise read_only(str(self.folder))
        if self._failed:
            raise StoreFailed(
                "an earlier write could not be brought to disk, so nothing more is written",
                where=str(self.folder),
                hint="check the disk, then open the store again",
            )

    def _open_journal(self) -> None:
        if self.journal is not None:
            self.journal.close()
        self._heads = Heads()
        self._file_versions = {}
        self.tables = Tables(self.folder)
        self.damage = []
        self._looked = False
        self.journal = Journal.open(self._path, writable=self._writable)
        if self.journal is not None:
            self._had_journal = True
            self.damage = self.journal.damage
        elif self.folder.is_dir() and (self._had_journal or self._tells_of_journal()):
            self.damage = [Damage(str(self._path), "the journal of the store is missing")]

    def _tells_of_journal(self) -> bool:
        """Whether what stands beside it says that there was a journal: it was written to, or folded."""
        with suppress(FileNotFoundError):
            if self._lock.stat().st_size:
                return True
        return any((self.folder / name).exists() for name in (TOMBSTONES, RESULTS))

    def _commit(self) -> None:
        if not self._pending:
            return
        if self.journal is None:
            self.require_complete()
            Journal.create(self._path, 0)
            self.journal = Journal.open(self._path, writable=True)
            assert self.journal is not None
        if self._durable and not self.journal.named:
            # Whoever made it may have been killed before its name, or that of the folder, was on disk.
            syncing.sync_folder(self.folder)
            syncing.sync_folder(self.folder.parent)
            self.journal.named = True
            if not self._lock.stat().st_size:  # not before: a lock file on disk vouches for the journal
                self._lock.write_bytes(_HAS_JOURNAL)
        try:
            self.journal.append(encode_changes(self._pending), durable=self._durable)
        finally:
            self._failed = self.journal.failed
        self._heads.apply(self._pending)
        if self.journal.used > self._fold_at:
            self._fold(self.journal)

    def _fold(self, journal: Journal) -> None:
        """Write what changed to the session files, and begin a new journal.

        The write that led here is on disk already, so what fails is tried again later. A journal that lost
        records stays as it is: what is in doubt must not come to look certain.
        """
        self._fold_at = journal.used + _FOLD_AT
        if not self._can_fold(journal):
            return
        with suppress(OSError, StoreError):
            self._pending.clear()
            self._write_files(journal, self._heads.own, journal.sequence)

    def _can_fold(self, journal: Journal) -> bool:
        return not (journal.damage or any(head.broken for head in self._heads.own.values()))

    def _write_files(self, journal: Journal, names: Iterable[str], sequence: int, raised: int = 0) -> None:
        """Write sessions to their files, each version raised, and begin a new journal after a number."""
        heads = self._heads.own
        if not self._durable:  # or a file could have a part of a transaction that the journal has lost
            journal.sync()
        gone = {name: head.version for name, head in heads.items() if head.deleted}
        alive = [name for name in names if name not in gone]
        self.files.replace(((name, self._encoded(name, raised)) for name in alive), gone)
        deleted = {**self.tables.tombstones(), **gone} if raised else gone
        gone = {name: version + raised for name, version in deleted.items()}
        self.tables.keep(self._heads.results, gone, alive)
        syncing.sync_folder(self.folder)
        Journal.create(journal.path, sequence)
        self._open_journal()
        self._fold_at = _FOLD_AT

    def _encoded(self, session_id: str, raised: int) -> bytes:
        session = self.load(session_id)
        return encode(msgspec.structs.replace(session, version=session.version + raised))

    def _step_over_losses(self) -> None:
        """Raise all versions and the number of writes above those of a write that may be lost.

        It may have returned: then its versions name something to whoever has read it, such as a cache. Where
        more is damaged, so that not all can be raised, the journal stays as it is.

        Raises:
            OSError: what is left cannot be kept, or the files cannot be written.
        """
        journal = self.journal
        if journal is None or (self._looked and not journal.has_unread):
            return
        self._looked = True
        if not self._can_fold(journal) or not journal.keep_losses():
            return
        with suppress(StoreError):
            after = ((journal.sequence >> _LOSSES) + 1) << _LOSSES
            self._write_files(journal, {*self.files.ids(), *self._heads.own}, after, _SKIPPED)
            self.raised = _SKIPPED

    def _base(self, session_id: str, head: Head) -> Session:
        where = str(self.files.path(session_id))
        if head.broken:
            raise StoreDamaged(f"changes of session {session_id!r} are missing in the journal", where=where)
        if head.body is not None:
            return read_session(head.body, f"{self._path}: session {session_id!r}")
        try:
            base = self.files.load(session_id)
        except SessionNotFound:
            raise StoreDamaged(f"the file of session {session_id!r} is missing", where=where) from None
        if base.version < head.first - 1:
            raise StoreDamaged(
                f"the file has version {base.version}, the journal goes on after {head.first - 1}",
                where=where,
            )
        return base
