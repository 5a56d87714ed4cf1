"""Writing a merged plan to a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import msgspec

from tiergate.binding import NamedOpener
from tiergate.errors import MOST_NAMES, UsageError, counted
from tiergate.model import Session, decode_session, encode
from tiergate.reconcile.audit import Step
from tiergate.reconcile.differences import FieldChange, Reasons, changes_between
from tiergate.reconcile.ledger import Ledger, Write, digest, found
from tiergate.reconcile.merging import Merged
from tiergate.reconcile.steps import carry_out, settle
from tiergate.reconcile_record import Decision
from tiergate.store import Capability, StaleVersion, Store, StoreAddress, Unsupported
from tiergate.store_places import look_into


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What applying a merged plan did, or would do.

    Attributes:
        id: by which it can be undone; None where nothing was written.
        made, changed, equal: ids of sessions that the store did not have, had otherwise, or has already.
        changes: field by field, with the rule and the reason.
        backup: path of the file with the sessions as they were.
        remarks: what is worth telling a person.
    """

    store: str
    id: str | None = None
    dry_run: bool = False
    made: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    backup: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line for a person."""
        if not self.made and not self.changed:
            return f"{self.store}: nothing to change, {counted(len(self.equal), 'session')} equal already"
        would = "would be " if self.dry_run else ""
        parts = [
            f"{counted(len(names), 'session')} {would}{what}"
            for names, what in ((self.made, "made"), (self.changed, "changed"))
            if names
        ]
        return f"{self.store}: {', '.join(parts)}; {counted(len(self.changes), 'change')}"


def reading(opener: NamedOpener, address: StoreAddress | str) -> Mapping[str, int]:
    """The versions of the sessions in a store that is about to be read as a source; nothing is made.

    Taken before the store is read, they tell `apply` whether it was written since.

    Raises:
        StoreError: something is there that cannot be opened.
    """
    address = _parsed(address)
    behind = opener.resolve(address).without_caches()
    if Capability.READ_ONLY in opener.declaration(behind).capabilities:
        if look_into(opener, behind) is None:
            return {}
        with opener.open_read_only(address) as store:
            return store.versions()
    with opener.open(address) as store:
        return store.versions()


def recover(opener: NamedOpener, address: StoreAddress | str) -> list[str]:
    """Settle a reconciliation into a store that was interrupted, so that what is read next is one state.

    `apply` and `undo` do so themselves; before a store without transactions is read, this has to be called.

    Returns:
        What is worth telling a person; empty where nothing was to be done.

    Raises:
        Busy: a reconciliation is running.
        StoreError, StateError: as `apply`.
    """
    ledger = Ledger(opener, _parsed(address))
    if all(step.outcome != "unfinished" for step in ledger.log.steps()):
        return []
    with ledger.held(), opener.open(ledger.address) as store:
        return settle(ledger, store)


def apply(
    opener: NamedOpener,
    address: StoreAddress | str,
    merged: Merged,
    decisions: Sequence[Decision] = (),
    *,
    read: Mapping[str, int] | None = None,
    command: str = "",
    dry_run: bool = False,
) -> Applied:
    """Write a merged plan to a store: all of it or nothing, in one transaction.

    What is there before is kept in a backup, and every change is in the audit log before it is made. A
    process that is killed leaves the old or the new state; the next run on this store writes down which. In
    a store without transactions each session by itself is whole, and the next run puts back what was written
    of a step that did not get to its end. Sessions that the plan does not have are left alone; applying a
    plan that the store holds already writes nothing.

    Args:
        decisions: that the plan was merged with, for the reasons in the log.
        read: what `reading` said before the store was read as one of the sources; None where it was not.
        command: that asked for it, for the log.
        dry_run: write nothing, and make no file.

    Raises:
        StaleVersion: the store has changed since it was read; nothing was written.
        UsageError: the store holds another session of the same id, and was not read; nothing was written.
        Busy: another reconciliation into this store does not end.
        Unsupported: a dry run on a store that cannot be opened read-only.
        StoreError: the store cannot be read or written; nothing of the plan is there.
        StateError: backup or log cannot be written; nothing of the plan is there, unless the message says so.
    """
    address = _parsed(address)
    opener.require_known(opener.resolve(address))
    ledger = Ledger(opener, address)
    reasons = Reasons(merged, decisions)
    if dry_run:
        return _dry(opener, ledger, merged, read, reasons)
    with ledger.held(), opener.open(address) as store:
        remarks = settle(ledger, store)
        plan = _planned(store, ledger, merged.sessions, read)
        if not plan.writes:
            return plan.result((), remarks=tuple(remarks))
        changes = plan.changes(reasons)
        try:
            begun = carry_out(ledger, store, plan.writes, changes, kind="apply", command=command)
        except StaleVersion as error:
            raise _changed_since(ledger.address, error.what) from error
    return plan.result(changes, id=begun.id, backup=str(ledger.folder / begun.backup), remarks=tuple(remarks))


def _dry(
    opener: NamedOpener, ledger: Ledger, merged: Merged, read: Mapping[str, int] | None, reasons: Reasons
) -> Applied:
    behind = opener.resolve(ledger.address).without_caches()
    if Capability.READ_ONLY not in opener.declaration(behind).capabilities:
        raise Unsupported(
            "this kind of store cannot be opened read-only, so nothing can be tried",
            where=str(ledger.address),
            hint="leave out --dry-run",
        )
    if look_into(opener, behind) is None:
        writes = [Write(session.id, None, session) for session in merged.sessions]
        plan = _Plan(str(ledger.address), writes, [])
    else:
        with opener.open_read_only(ledger.address) as store:
            plan = _planned(store, ledger, merged.sessions, read)
    return plan.result(plan.changes(reasons), dry_run=True)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written, and the ids of what is there already."""

    store: str
    writes: Sequence[Write]
    equal: Sequence[str]

    def changes(self, reasons: Reasons) -> tuple[FieldChange, ...]:
        return tuple(
            change
            for one in self.writes
            for change in changes_between(one.id, one.before, one.after, reasons)
        )

    def result(self, changes: tuple[FieldChange, ...], **facts: Any) -> Applied:
        return Applied(
            store=self.store,
            made=tuple(one.id for one in self.writes if one.before is None),
            changed=tuple(one.id for one in self.writes if one.before is not None),
            equal=tuple(self.equal),
            changes=changes,
            **facts,
        )


def _planned(
    store: Store, ledger: Ledger, sessions: Sequence[Session], read: Mapping[str, int] | None
) -> _Plan:
    writes, equal, foreign = [], [], []
    own = _own_marks(ledger.log.steps())
    for session in sessions:
        after = decode_session(encode(session))  # as any store gives it back: 1.0 where an importer said 1
        before = found(store, session.id)
        if before is not None and digest(before) == digest(after):
            equal.append(session.id)
            continue
        if read is not None:
            _require_unchanged(ledger.address, session.id, before, read)
        elif before is not None and not _is_own(before, after, own):
            foreign.append(session.id)
        writes.append(Write(session.id, before, after))
    if foreign:
        raise _foreign(ledger.address, foreign)
    return _Plan(str(ledger.address), writes, equal)


def _require_unchanged(
    address: StoreAddress, session_id: str, before: Session | None, read: Mapping[str, int]
) -> None:
    version, known = before.version if before else 0, read.get(session_id, 0)
    if version != known:
        words = f"is at version {version}" if before else "was deleted"
        was = f"read at {known}" if known else "not there"
        raise _changed_since(address, f"session {session_id!r} {words}, and was {was}")


def _changed_since(address: StoreAddress, what: str) -> StaleVersion:
    return StaleVersion(
        f"the store has changed since it was read: {what}; nothing was written",
        where=str(address),
        hint="reconcile again",
    )


def _own_marks(steps: Sequence[Step]) -> set[tuple[str, str | None]]:
    """Ids and hashes of what reconciliations made of sessions."""
    applied = [step.begun for step in steps if step.outcome == "applied" and step.begun.kind == "apply"]
    return {(one.id, one.after) for begun in applied for one in begun.sessions}


def _is_own(before: Session, after: Session, own: Set[tuple[str, str | None]]) -> bool:
    """Whether a session is as a reconciliation left it, and no task of it would be lost."""
    kept = {task.id for task in after.tasks}
    return (before.id, digest(before)) in own and all(task.id in kept for task in before.tasks)


def _foreign(address: StoreAddress, names: Sequence[str]) -> UsageError:
    first = ", ".join(map(repr, names[:MOST_NAMES]))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    kind = "another session" if len(names) == 1 else "other sessions"
    return UsageError(
        f"holds {kind} of the same id, which would be lost: {first}{more}; nothing was written",
        where=str(address),
        hint="name the store as the first source too, so that they are merged",
    )


def _parsed(address: StoreAddress | str) -> StoreAddress:
    return StoreAddress.parse(address) if isinstance(address, str) else address
