"""What the journal of a store says has changed, and what a session is after that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from tiergate.store import StoreDamaged


class Saved(msgspec.Struct, frozen=True, array_like=True, tag="save"):
    """A whole session; `body` is its JSON."""

    session: str
    version: int
    body: bytes


class TasksPut(msgspec.Struct, frozen=True, array_like=True, tag="tasks"):
    """Tasks that were replaced or appended: id and JSON of each."""

    session: str
    version: int
    tasks: list[tuple[str, bytes]]


class Deleted(msgspec.Struct, frozen=True, array_like=True, tag="delete"):
    """A session that was removed; its version is never used again."""

    session: str
    version: int


class Kept(msgspec.Struct, frozen=True, array_like=True, tag="kept"):
    """The result of a write that must not be done again under this key."""

    key: str
    result: bytes


Change = Saved | TasksPut | Deleted | Kept

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Change])


def encode_changes(changes: list[Change]) -> bytes:
    """The payload of the record of one write."""
    return _encoder.encode(changes)


def decode_changes(payload: bytes, where: str) -> list[Change]:
    """Read the payload of a record.

    Raises:
        StoreDamaged: it is whole, but none that this version knows.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StoreDamaged(f"a record cannot be understood: {error}", where=where) from error


@dataclass(slots=True)
class Head:
    """A session as the journal leaves it.

    Attributes:
        version: of its last change.
        first: version of the oldest change that stands on the session's file.
        body: the JSON of the whole session, when the journal has it; else its file is the base.
        tasks: JSON by id of what was changed since the base, in the order of first change.
        deleted: whether it is gone.
        broken: whether a change between others is missing.
        doubtful: whether a later change may be among records that are lost.
    """

    version: int
    first: int = 0
    body: bytes | None = None
    tasks: dict[str, bytes] = field(default_factory=dict)
    deleted: bool = False
    broken: bool = False
    doubtful: bool = False

    def copy(self) -> Head:
        """One that can be changed without changing this."""
        return replace(self, tasks=dict(self.tasks))


class Heads:
    """The heads of all sessions that the journal names; optionally over others that stay as they are.

    Attributes:
        own: those that are not from below.
        results: by key, what was kept of writes, likewise.
    """

    def __init__(self, below: Heads | None = None) -> None:
        self._below = below
        self.own: dict[str, Head] = {}
        self.results: dict[str, bytes] = {}

    def get(self, session_id: str) -> Head | None:
        """The head of a session, or None where the journal does not name it."""
        head = self.own.get(session_id)
        if head is None and self._below is not None:
            return self._below.get(session_id)
        return head

    def result(self, key: str) -> bytes | None:
        """What was kept under a key, or None where the journal does not name it."""
        found = self.results.get(key)
        return self._below.result(key) if found is None and self._below is not None else found

    def all(self) -> dict[str, Head]:
        """Every head by id."""
        return (self._below.all() if self._below else {}) | self.own

    def apply(self, changes: Iterable[Change]) -> None:
        """Follow changes in the order in which they were made."""
        for change in changes:
            if isinstance(change, Saved):
                self.own[change.session] = Head(change.version, body=change.body)
            elif isinstance(change, Deleted):
                self.own[change.session] = Head(change.version, deleted=True)
            elif isinstance(change, Kept):
                self.results[change.key] = change.result
            else:
                self._put(change)

    def doubt(self) -> None:
        """Records are lost here: what is known of any session may be old, until it is written again."""
        for head in self.own.values():
            head.doubtful = True

    def _put(self, change: TasksPut) -> None:
        head = self.own.get(change.session)
        if head is None:
            below = self._below.get(change.session) if self._below else None
            head = below.copy() if below else Head(change.version - 1, first=change.version)
            self.own[change.session] = head
        if head.deleted or head.version != change.version - 1:
            head.broken = True
        head.doubtful = False  # its version tells whether a change is missing
        head.version = change.version
        head.tasks.update(change.tasks)
