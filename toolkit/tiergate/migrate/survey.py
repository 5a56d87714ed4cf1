"""Reading a source: the hash of every session, and what no store could keep."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import msgspec

from tiergate.canonical import root_hash, session_bytes
from tiergate.errors import MOST_NAMES
from tiergate.migrate.progress import Pace, Progress
from tiergate.model import Session, Task, canonical, decode_session
from tiergate.store import SessionNotFound, Store, StoreError

KEPT_BYTES = 64 * 2**20
"""Sessions of so many bytes, in canonical form, are kept in memory between reading and copying."""

_UNWRITABLE = (msgspec.MsgspecError, UnicodeError, TypeError, ValueError, OverflowError, RecursionError)


class NotKept(StoreError):
    """Something in the source would not come back from any store as it is."""


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What is known of a session of the source.

    Attributes:
        version: at which it was read.
        digest: its canonical hash.
        size: bytes of its canonical form.
    """

    version: int
    digest: bytes
    tasks: int
    size: int


@dataclass(slots=True)
class Survey:
    """The sessions of a source, as they were read last.

    Attributes:
        facts: by id of the session.
        kept: those that need not be read again to be copied.
        losses: what cannot be kept, a line each.
    """

    facts: dict[str, Facts] = field(default_factory=dict)
    kept: dict[str, Session] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    _kept_bytes: int = 0

    @property
    def tasks(self) -> int:
        """Tasks of all sessions."""
        return sum(one.tasks for one in self.facts.values())

    @property
    def size(self) -> int:
        """Bytes of all sessions in canonical form."""
        return sum(one.size for one in self.facts.values())

    def root(self) -> str:
        """The root hash over all sessions."""
        return root_hash((name, one.digest) for name, one in self.facts.items())

    def note(self, session: Session, facts: Facts) -> None:
        """Take in a session, and keep it while there is room."""
        self.facts[session.id] = facts
        if self._kept_bytes + facts.size <= KEPT_BYTES:
            self.kept[session.id] = session
            self._kept_bytes += facts.size

    def take(self, session_id: str) -> Session | None:
        """A session that was kept, which is forgotten."""
        session = self.kept.pop(session_id, None)
        if session is not None:
            self._kept_bytes -= self.facts[session_id].size
        return session

    def require_kept(self) -> None:
        """Refuse a source that cannot be kept as it is.

        Raises:
            NotKept: names the first few things.
        """
        if self.losses:
            named = "; ".join(self.losses[:MOST_NAMES])
            more = f"; and {len(self.losses) - MOST_NAMES} more" if len(self.losses) > MOST_NAMES else ""
            raise NotKept(
                f"{named}{more}; nothing was written",
                hint="mend it in the source",
            )


def read_all(source: Store, ids: Iterable[str], pace: Pace, progress: Progress) -> Survey:
    """Read sessions and take them in. One that is deleted meanwhile is passed over.

    Raises:
        StoreDamaged: one cannot be read.
    """
    survey = Survey()
    for session_id in ids:
        try:
            session, facts = examine(source.load(session_id))
        except SessionNotFound:
            continue
        except NotKept as error:
            survey.losses.append(error.what)
            continue
        survey.note(session, facts)
        progress.advance(facts.size)
        pace.wait(facts.size)
    return survey


def examine(session: Session) -> tuple[Session, Facts]:
    """The facts of a session, and the session as every store gives it back.

    Raises:
        NotKept: it would come back otherwise; names what.
    """
    twice = _repeated(session)
    if twice is not None:
        raise NotKept(f"session {session.id!r} has two tasks with the id {twice!r}")
    try:
        body = session_bytes(session)
    except _UNWRITABLE as error:
        raise NotKept(f"{_unwritable(session)} has no JSON form ({error})") from error
    if session.extra or not all(map(_is_plain, session.tasks)):
        session, body = _there_and_back(session, body)
    facts = Facts(session.version, hashlib.sha256(body).digest(), len(session.tasks), len(body))
    return session, facts


def _repeated(session: Session) -> str | None:
    if len({task.id for task in session.tasks}) == len(session.tasks):
        return None
    counts = Counter(task.id for task in session.tasks)
    return next(name for name, count in counts.items() if count > 1)


def _is_plain(task: Task) -> bool:
    """Whether a task surely comes back as it is, so that this need not be tried."""
    weight, momentum = task.weight, task.momentum
    return (
        not task.extra
        and type(weight) is float
        and type(momentum) is float
        and isfinite(weight)
        and isfinite(momentum)
    )


def _there_and_back(session: Session, body: bytes) -> tuple[Session, bytes]:
    """Encode and decode once, as every store does: a source may hold 1 where stores give back 1.0."""
    for task in session.tasks:
        for name, value in (("weight", task.weight), ("momentum", task.momentum)):
            if not isfinite(value):
                raise _lost(session, f", task {task.id!r}: {name} = {value}")
    alone = msgspec.structs.replace(session, version=0)
    try:
        back = decode_session(body)
        if back != alone:
            _require_same(session, session.extra, back.extra, "")
            for task, other in zip(session.tasks, back.tasks, strict=True):
                _require_same(session, task.extra, other.extra, f", task {task.id!r}")
        body = session_bytes(back)
    except _UNWRITABLE as error:
        raise NotKept(f"session {session.id!r} cannot be read back ({error})") from error
    return msgspec.structs.replace(back, version=session.version), body


def _require_same(session: Session, extra: dict[str, Any], back: dict[str, Any], where: str) -> None:
    for name, value in extra.items():
        if not _same(value, back.get(name)):
            raise _lost(session, f"{where}: extra.{name} = {value!a}")


def _same(value: Any, back: Any) -> bool:
    """Whether a value came back as it was; a list in place of a tuple is no loss."""
    if isinstance(value, list | tuple):
        return isinstance(back, list) and len(value) == len(back) and all(map(_same, value, back))
    if isinstance(value, dict) and isinstance(back, dict):
        return value.keys() == back.keys() and all(_same(one, back[name]) for name, one in value.items())
    return bool(value == back)


def _lost(session: Session, what: str) -> NotKept:
    return NotKept(f"session {session.id!r}{what} would not come back as it is")


def _unwritable(session: Session) -> str:
    """The part of a session that cannot be encoded."""
    for task in session.tasks:
        try:
            canonical(task)
        except _UNWRITABLE:
            return f"task {task.id!a} of session {session.id!a}"
    return f"session {session.id!a}"
