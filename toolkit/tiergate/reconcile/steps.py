"""Writing several sessions as one step that a crash cannot leave half done without a trace.

A step keeps a backup, says in the log what it is about to write, writes in one transaction, and says in the
log that it has. Whoever comes next finds out what became of a step that did not get to its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from tiergate.errors import TiergateError
from tiergate.reconcile.audit import Begun, Ended, now
from tiergate.reconcile.differences import FieldChange
from tiergate.reconcile.ledger import Ledger, Write, digest, found
from tiergate.state_files import StateError
from tiergate.store import Capability, Store


def new_id() -> str:
    """An id for a step, by which steps sort in time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def carry_out(
    ledger: Ledger, store: Store, writes: Sequence[Write], changes: Sequence[FieldChange], **facts: Any
) -> Begun:
    """Write sessions as one step; the ledger must be held, and earlier steps be settled.

    Args:
        changes: field by field, for the log.
        facts: fields of `Begun`.

    Raises:
        StaleVersion: somebody else wrote one of the sessions meanwhile.
        TiergateError: the store or the state folder refuses. Nothing of the step is in the store then, unless
            the message says so.
    """
    begun = Begun(
        id=(step_id := new_id()),
        at=now(),
        store=str(ledger.address),
        backup=ledger.keep_backup(step_id, writes),
        sessions=tuple(one.mark for one in writes),
        **facts,
    )
    try:
        ledger.log.append(begun, changes)
        with _together(store):
            if Capability.ONCE in store.capabilities:
                store.keep_result(_key(begun), b"true")
            for one in writes:
                _write(store, one)
    except BaseException:
        with suppress(TiergateError):  # what became of it: if not now, the next run finds out
            settle(ledger, store)
        raise
    try:
        ledger.log.append(Ended(id=begun.id, at=now(), outcome="applied"))
    except StateError as error:
        error.hint = f"{error.hint}; the store itself was written, and the next run completes the log"
        raise
    return begun


def settle(ledger: Ledger, store: Store) -> list[str]:
    """Find out what became of steps that did not get to their end; the ledger must be held.

    A step whose transaction was made durable is complete. Of one that was not, nothing is there; in a store
    without transactions, the sessions that it had written are put back.

    Returns:
        What is worth telling a person.
    """
    steps = ledger.log.steps()
    told = []
    for step in steps:
        if step.outcome == "unfinished":
            ended = _ending(ledger, store, step.begun)
            ledger.log.append(ended)
            told.append(f"Reconciliation {step.id} was interrupted: {ended.note}.")
    ledger.clear(ledger.log.steps() if told else steps)
    return told


def _ending(ledger: Ledger, store: Store, begun: Begun) -> Ended:
    if Capability.ONCE in store.capabilities:
        applied, left = store.kept_result(_key(begun)) is not None, []
    else:
        there = {one.id: digest(found(store, one.id)) for one in begun.sessions}
        written = [one.id for one in begun.sessions if there[one.id] == one.after]
        left = [one.id for one in begun.sessions if there[one.id] not in {one.before, one.after}]
        whole = Capability.TRANSACTIONS in store.capabilities
        applied = bool(written) if whole else len(written) == len(begun.sessions)
        if written and not applied:
            _put_back(ledger, store, begun, written)
    note = "all of it is in the store" if applied else "nothing of it is in the store"
    if left:
        note += f", where others have written {', '.join(map(repr, left))} since"
    return Ended(id=begun.id, at=now(), outcome="applied" if applied else "cancelled", note=note)


def _put_back(ledger: Ledger, store: Store, begun: Begun, written: Sequence[str]) -> None:
    before = ledger.backup(begun)
    for name in written:
        _write(store, Write(name, found(store, name), before[name]))


def _write(store: Store, write: Write) -> None:
    version = write.before.version if write.before else 0
    if write.after is not None:
        store.save(replace(write.after, version=version))
    elif write.before is not None:
        store.delete(write.id, expected_version=version)


def _together(store: Store) -> AbstractContextManager[None]:
    whole = Capability.TRANSACTIONS in store.capabilities
    return store.transaction() if whole else nullcontext()


def _key(begun: Begun) -> str:
    return f"reconcile:{begun.id}"
