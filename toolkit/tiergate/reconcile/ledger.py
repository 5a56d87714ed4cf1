"""What is kept about reconciliations into one store: a lock, the log, and backups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from tiergate.binding import NamedOpener
from tiergate.canonical import session_hash
from tiergate.model import Session, decode_session, encode
from tiergate.reconcile.audit import AuditLog, Begun, SessionMark, Step
from tiergate.state_files import (
    StateError,
    locked,
    make_folder,
    remove_durably,
    replace_durably,
    state_errors,
)
from tiergate.store import SessionNotFound, Store, StoreAddress
from tiergate.store_places import fixed, place_of, short_name

WAIT_S = 30.0
"""How long to wait for another process that reconciles into the same store."""

_SUFFIX = ".backup.jsonl"


@dataclass(frozen=True, slots=True)
class Write:
    """What becomes of a session: `before` is what is there, `after` what is to be; None for nothing."""

    id: str
    before: Session | None
    after: Session | None

    @property
    def mark(self) -> SessionMark:
        """Its hashes, for the log."""
        return SessionMark(id=self.id, before=digest(self.before), after=digest(self.after))


def digest(session: Session | None) -> str | None:
    """The hash of a session in hexadecimal; None for none."""
    return None if session is None else session_hash(session).hex()


def found(store: Store, session_id: str) -> Session | None:
    """What a store holds under an id."""
    try:
        return store.load(session_id)
    except SessionNotFound:
        return None


class Ledger:
    """What is kept about reconciliations into one store, in a folder of the state folder.

    It is found by the place of the store, so that it is the same by whatever address the store is named.
    """

    def __init__(self, opener: NamedOpener, address: StoreAddress) -> None:
        self.address = address
        place = place_of(fixed(opener, opener.resolve(address)))
        self.folder = opener.state / "reconciliations" / short_name(place)
        self.log = AuditLog(self.folder / "log.jsonl")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other reconciliations into this store out.

        Raises:
            Busy: one takes longer than `WAIT_S`.
            StateError: the state folder cannot be written.
        """
        make_folder(self.folder)
        busy = f"another reconciliation into {self.address} is running"
        with locked(self.folder / "lock", wait_s=WAIT_S, busy=busy):
            yield

    def keep_backup(self, step_id: str, writes: Sequence[Write]) -> str:
        """Write down what is there now; gives the name of the file.

        Raises:
            StateError: it cannot be written.
        """
        lines = [
            b'{"session":%b,"before":%b}\n'
            % (msgspec.json.encode(one.id), encode(one.before) if one.before else b"null")
            for one in writes
        ]
        name = f"{step_id}{_SUFFIX}"
        replace_durably(self.folder / name, b"".join(lines))
        return name

    def backup(self, begun: Begun) -> dict[str, Session | None]:
        """What was there before a step, by session.

        Raises:
            StateError: the file is gone, or is not what was written.
        """
        path = self.folder / begun.backup
        if not path.exists():
            raise self._damaged(begun, "is gone")
        with state_errors("read the backup", path):
            data = path.read_bytes()
        try:
            kept = dict(map(_read_line, data.splitlines()))
        except (msgspec.MsgspecError, UnicodeError, TypeError, KeyError) as error:
            raise self._damaged(begun, "is not what was written") from error
        if {name: digest(one) for name, one in kept.items()} != {
            one.id: one.before for one in begun.sessions
        }:
            raise self._damaged(begun, "is not what was written")
        return kept

    def _damaged(self, begun: Begun, what: str) -> StateError:
        return StateError(
            f"the backup of reconciliation {begun.id} {what}",
            where=str(self.folder / begun.backup),
            hint="restore the file from a copy; the store was not changed",
        )

    def clear(self, steps: Sequence[Step]) -> None:
        """Remove what was kept for steps that wrote nothing, and backups that were not finished."""
        needless = [self.folder / step.begun.backup for step in steps if step.outcome == "cancelled"]
        for path in [*needless, *self.folder.glob(f"*{_SUFFIX}.*.new")]:
            if path.exists():
                remove_durably(path)


def _read_line(line: bytes) -> tuple[str, Session | None]:
    parts = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    before = bytes(parts["before"])
    name = msgspec.json.decode(parts["session"], type=str)
    return name, None if before == b"null" else decode_session(before)
