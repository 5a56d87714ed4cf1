"""Undoing a reconciliation, and what was applied to a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tiergate.binding import NamedOpener
from tiergate.errors import EXIT_FAILED, MOST_NAMES, TiergateError, UsageError, counted, unknown_name
from tiergate.model import Session
from tiergate.reconcile.audit import SessionMark, Step
from tiergate.reconcile.differences import Constant, FieldChange, Reason, changes_between
from tiergate.reconcile.ledger import Ledger, Write, digest, found
from tiergate.reconcile.steps import carry_out, settle
from tiergate.state_files import VARIABLE
from tiergate.store import StaleVersion, Store, StoreAddress

UNDO = "undo"
"""What stands for a rule in the log of an undoing."""


class ChangedSince(TiergateError):
    """Sessions were changed since a reconciliation, and undoing it would lose that; nothing was changed."""

    exit_code = EXIT_FAILED


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing did.

    Attributes:
        undoes: id of the reconciliation.
        id: of the undoing, by which it can be undone itself; None where nothing was done.
        restored: ids of sessions that are as they were before.
        removed: ids of sessions that the reconciliation had made.
        overwritten: ids of those of them that somebody had changed since; what they were is in the backup.
        backup: path of the file with the sessions as they were before the undoing.
        remarks: what is worth telling a person.
    """

    store: str
    undoes: str
    id: str | None = None
    restored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    backup: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line for a person."""
        if self.id is None:
            return f"{self.store}: {self.undoes} was undone before; nothing was done now"
        back, gone = counted(len(self.restored), "session"), counted(len(self.removed), "session")
        return f"{self.store}: {self.undoes} is undone: {back} restored, {gone} removed"


def history(opener: NamedOpener, address: StoreAddress | str) -> list[Step]:
    """Every reconciliation that was applied to a store, and every undoing, the oldest first; nothing is made.

    Raises:
        StateError: the log cannot be read.
    """
    return _ledger(opener, address).log.steps()


def changes_of(opener: NamedOpener, address: StoreAddress | str, step_id: str) -> list[FieldChange]:
    """What a step changed, field by field, with the rule and the reason; nothing is made.

    Raises:
        UsageError: there is no such step.
        StateError: the log cannot be read.
    """
    log = _ledger(opener, address).log
    known = [step.id for step in log.steps()]
    if step_id not in known:
        raise unknown_name("reconciliation", step_id, known, where=str(address))
    return log.changes(step_id)


def undo(
    opener: NamedOpener,
    address: StoreAddress | str,
    *,
    step_id: str | None = None,
    force: bool = False,
    command: str = "",
) -> Undone:
    """Restore what was in a store before a reconciliation, in one transaction, with the promises of `apply`.

    An undoing is a step like any other: it has a backup and is in the log, and undoing it by its id brings
    back what the reconciliation wrote.

    Args:
        step_id: of the step to undo; the last reconciliation that was applied where it is None. That one
            alone is undone, however often this is called: an older one must be named.
        force: restore sessions that somebody has changed since, too; what they were is in the backup.
        command: that asked for it, for the log.

    Raises:
        ChangedSince: somebody has changed sessions since; names them.
        UsageError: nothing was applied to this store, or no such step.
        Busy, StoreError, StateError: as `apply`.
    """
    ledger = _ledger(opener, address)
    if not ledger.log.path.exists():
        raise _nothing(ledger)
    with ledger.held(), opener.open(ledger.address) as store:
        remarks = tuple(settle(ledger, store))
        steps = ledger.log.steps()
        step = _chosen(ledger, steps, step_id)
        if step.undone_by is not None:
            when = f"It was undone at {step.undone_at} by {step.undone_by}, which can be undone by that id."
            return Undone(store=str(ledger.address), undoes=step.id, remarks=(*remarks, when))
        writes, changed = _writes(store, step, ledger.backup(step.begun))
        if changed and not force:
            raise _changed_since(ledger, step, changed, steps)
        return _carried_out(ledger, store, step, writes, changed, command, remarks)


def _ledger(opener: NamedOpener, address: StoreAddress | str) -> Ledger:
    parsed = StoreAddress.parse(address) if isinstance(address, str) else address
    opener.require_known(opener.resolve(parsed))
    return Ledger(opener, parsed)


def _nothing(ledger: Ledger) -> UsageError:
    return UsageError(
        "no reconciliation was applied to this store",
        where=str(ledger.address),
        hint=f"check the address; {VARIABLE} names the state folder, which is {ledger.folder.parent.parent}",
    )


def _chosen(ledger: Ledger, steps: Sequence[Step], step_id: str | None) -> Step:
    applied = {step.id: step for step in steps if step.outcome == "applied"}
    if step_id is not None:
        if step_id not in applied:
            raise unknown_name("reconciliation", step_id, applied, where=str(ledger.address))
        return applied[step_id]
    last = next((one for one in reversed(applied.values()) if one.begun.kind == "apply"), None)
    if last is None:
        raise _nothing(ledger)
    return last


def _writes(
    store: Store, step: Step, before: Mapping[str, Session | None]
) -> tuple[list[Write], list[SessionMark]]:
    """What restores the sessions of a step, and those that are not as the step left them."""
    writes, changed = [], []
    for mark in step.begun.sessions:
        here = found(store, mark.id)
        if digest(here) == mark.before:
            continue
        if digest(here) != mark.after:
            changed.append(mark)
        writes.append(Write(mark.id, here, before[mark.id]))
    return writes, changed


def _changed_since(
    ledger: Ledger, step: Step, changed: Sequence[SessionMark], steps: Sequence[Step]
) -> ChangedSince:
    names = [one.id for one in changed]
    first = ", ".join(map(repr, names[:MOST_NAMES]))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    later = [one for one in steps[steps.index(step) + 1 :] if one.outcome == "applied" and not one.undone_by]
    by_us = [one.id for one in later if not {*names}.isdisjoint(mark.id for mark in one.begun.sessions)]
    first_of_all = f"undo {by_us[-1]} before, which wrote to it too, or " if by_us else ""
    return ChangedSince(
        f"{counted(len(names), 'session')} changed since reconciliation {step.id}, which would be lost:"
        f" {first}{more}; nothing was changed",
        where=str(ledger.address),
        hint=f"{first_of_all}--force restores all, and keeps a backup of what is there now",
    )


def _carried_out(
    ledger: Ledger,
    store: Store,
    step: Step,
    writes: Sequence[Write],
    changed: Sequence[SessionMark],
    command: str,
    remarks: tuple[str, ...],
) -> Undone:
    why = Constant(Reason(rule=UNDO, reason=f"reconciliation {step.id} is undone"))
    changes = tuple(
        change for one in writes for change in changes_between(one.id, one.before, one.after, why)
    )
    try:
        begun = carry_out(ledger, store, writes, changes, kind="undo", undoes=step.id, command=command)
    except StaleVersion as error:
        raise ChangedSince(
            f"somebody is writing to the store: {error.what}; nothing was changed",
            where=str(ledger.address),
            hint="undo again",
        ) from error
    return Undone(
        store=str(ledger.address),
        undoes=step.id,
        id=begun.id,
        restored=tuple(one.id for one in writes if one.after is not None),
        removed=tuple(one.id for one in writes if one.after is None),
        overwritten=tuple(one.id for one in changed),
        backup=str(ledger.folder / begun.backup),
        remarks=remarks,
    )
