"""Writing sessions to the target, a chunk at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from msgspec.structs import replace

from tiergate.errors import RunError
from tiergate.migrate.journal import Journal
from tiergate.migrate.progress import Pace, Progress, Rate
from tiergate.migrate.survey import Survey, examine
from tiergate.model import Session
from tiergate.store import Capability, SessionNotFound, StaleVersion, Store

CHUNK_BYTES = 16 * 2**20
CHUNK_SESSIONS = 4096
CHUNK_S = 2.0
"""A chunk is ended after so long, so that an interruption costs no more than that."""

Chunk = list[Session]


@dataclass(slots=True)
class Copier:
    """Brings sessions of the source into the target.

    A chunk is one transaction where the target has them: its sessions are all there or none, and what is
    there is what says how far the migration is. Nothing else needs to agree with it after a crash.

    Attributes:
        survey: what is known of the source; kept up to date with what is read again.
        there: version of every session in the target.
        copied: sessions that were written by this run.
    """

    source: Store
    target: Store
    survey: Survey
    there: dict[str, int]
    journal: Journal
    rate: Rate | None
    copied: int = 0

    def copy(self, ids: Iterable[str], progress: Progress) -> None:
        """Copy sessions, replacing those that the target holds; one that is gone is passed over.

        Raises:
            StoreError: the target refuses something, or cannot be written; earlier chunks are there.
            NotKept: a session has changed since it was surveyed, to what cannot be kept.
        """
        pace = Pace(self.rate)
        for chunk in self._chunks(ids):
            self._write(chunk, pace, progress)

    def delete(self, ids: Iterable[str]) -> None:
        """Remove sessions that the source no longer has."""
        gone = [name for name in ids if name in self.there]
        with self._together():
            for name in gone:
                self.target.delete(name, expected_version=self.there[name])
        for name in gone:
            del self.there[name]

    def _chunks(self, ids: Iterable[str]) -> Iterator[Chunk]:
        chunk: Chunk = []
        size, most_sessions, most_bytes = 0, CHUNK_SESSIONS, CHUNK_BYTES
        if self.rate is not None and self.rate.of_bytes:
            most_bytes = max(1, min(most_bytes, int(self.rate.per_second * CHUNK_S)))
        elif self.rate is not None:
            most_sessions = max(1, min(most_sessions, int(self.rate.per_second * CHUNK_S)))
        began = time.monotonic()
        for session_id in ids:
            session = self._session(session_id)
            if session is None:
                continue
            chunk.append(session)
            size += self.survey.facts[session_id].size
            late = time.monotonic() - began > CHUNK_S
            if size >= most_bytes or len(chunk) >= most_sessions or late:
                yield chunk
                chunk, size, began = [], 0, time.monotonic()
        if chunk:
            yield chunk

    def _session(self, session_id: str) -> Session | None:
        kept = self.survey.take(session_id)
        if kept is not None:
            return kept
        try:
            session, facts = examine(self.source.load(session_id))
        except SessionNotFound:
            return None
        self.survey.facts[session_id] = facts
        return session

    def _write(self, chunk: Chunk, pace: Pace, progress: Progress) -> None:
        self.journal.mark(session.id for session in chunk)
        written: dict[str, int] = {}
        try:
            with self._together():
                for session in chunk:
                    version = self.there.get(session.id, 0)
                    written[session.id] = self.target.save(replace(session, version=version))
                    size = self.survey.facts[session.id].size
                    progress.advance(size)
                    pace.wait(size)
        except StaleVersion as error:
            raise RunError(
                f"somebody else writes to the target: {error.what}",
                where=self.journal.record.target,
                hint="stop it, and go on with --resume",
            ) from error
        self.there.update(written)
        self.copied += len(written)
        self._note_progress()

    def _note_progress(self) -> None:
        facts = [self.survey.facts[name] for name in self.there if name in self.survey.facts]
        self.journal.update_now_and_then(
            sessions=len(facts), tasks=sum(one.tasks for one in facts), bytes=sum(one.size for one in facts)
        )

    def _together(self) -> AbstractContextManager[None]:
        whole = Capability.TRANSACTIONS in self.target.capabilities
        return self.target.transaction() if whole else nullcontext()
