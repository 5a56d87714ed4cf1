"""What an import has to write, and the writing of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace as with_fields

from tiergate.canonical import session_hash
from tiergate.cli.sessions_reading import progress_of
from tiergate.cli.sessions_tables import counted
from tiergate.cli.signals import stopped_by_sigterm
from tiergate.cli.state import State
from tiergate.errors import MOST_NAMES, TiergateError, UsageError
from tiergate.model import Session, decode_session, encode
from tiergate.store import Capability, Store, StoreError, Unsupported


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The sessions of a source by what becomes of them.

    Attributes:
        new: the store holds none of their ids.
        changed: the store holds others of their ids, which they replace; each has the version of that other.
        equal: ids of those that the store holds already.
    """

    new: Sequence[Session]
    changed: Sequence[Session]
    equal: Sequence[str]

    def document(self) -> dict[str, list[str]]:
        """The ids, by what becomes of them."""
        return {
            "written": [session.id for session in self.new],
            "replaced": [session.id for session in self.changed],
            "skipped": list(self.equal),
        }


def plan_import(store: Store, address: str, sessions: Sequence[Session], *, replace: bool) -> ImportPlan:
    """Compare the sessions of a source with those of a store.

    Raises:
        UsageError: the store holds different sessions of the same ids, and they are not to be replaced.
    """
    there = set(store.ids())
    new, changed, equal = [], [], []
    for session in sessions:
        if session.id not in there:
            new.append(with_fields(session, version=0))
            continue
        found = store.load(session.id)
        kept = decode_session(encode(session))  # as any store gives it back: 1.0 where an importer said 1
        if session_hash(found) == session_hash(kept):
            equal.append(session.id)
        else:
            changed.append(with_fields(session, version=found.version))
    if changed and not replace:
        names = ", ".join(repr(session.id) for session in changed[:MOST_NAMES])
        more = f" and {len(changed) - MOST_NAMES} more" if len(changed) > MOST_NAMES else ""
        raise UsageError(
            f"holds {'another session' if len(changed) == 1 else 'other sessions'} of the same id:"
            f" {names}{more}; nothing was written",
            where=address,
            hint="replace with --replace, or keep both with --session-prefix TEXT",
        )
    return ImportPlan(new, changed, equal)


def dry_plan(state: State, address: str, sessions: Sequence[Session], *, replace: bool) -> ImportPlan:
    """What an import would do; no file is made or changed.

    Raises:
        UsageError: as `plan_import`.
        Unsupported: the store cannot be opened without being changed.
        StoreError: the store is there but cannot be opened.
    """
    parsed = state.store_address(address)
    if Capability.READ_ONLY not in state.host().opener().declaration(parsed).capabilities:
        raise Unsupported(
            "this kind of store cannot be opened read-only, so nothing can be tried",
            where=address,
            hint="leave out --dry-run",
        )
    try:
        store = state.open_store(address, read_only=True, caches=False)
    except StoreError:
        if Path(parsed.path).exists():
            raise
        return ImportPlan(sessions, [], [])
    with store:
        return plan_import(store, address, sessions, replace=replace)


def write_sessions(state: State, address: str, sessions: Sequence[Session], *, replace: bool) -> ImportPlan:
    """Write what is new or replaced: all of it or nothing where the store has transactions.

    Raises:
        UsageError: as `plan_import`; nothing was written.
        StoreError: a session was refused or could not be written; the message says what is there.
    """
    with stopped_by_sigterm(), state.open_store(address) as store:
        plan = plan_import(store, address, sessions, replace=replace)
        writes = [*plan.new, *plan.changed]
        whole = Capability.TRANSACTIONS in store.capabilities
        written = 0
        try:
            with (
                progress_of("writing sessions", len(writes), quiet=state.quiet) as progress,
                store.transaction() if whole else nullcontext(),
            ):
                for session in writes:
                    store.save(session)
                    written += 1
                    progress.step()
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(_left(written, len(writes), whole=whole, stopped=True)) from stop
        except TiergateError as error:
            left = _left(written, len(writes), whole=whole, stopped=False)
            error.hint = "; ".join(filter(None, (error.hint, left)))
            raise
    return plan


def _left(written: int, total: int, *, whole: bool, stopped: bool) -> str:
    """What an import that stopped has left behind, so that it can be repeated."""
    if whole and stopped:
        return "its sessions were written together or not at all; run it again"
    if whole:
        return "nothing was written"
    return f"{written} of {counted(total, 'session')} were written; run it again, what is there is skipped"
