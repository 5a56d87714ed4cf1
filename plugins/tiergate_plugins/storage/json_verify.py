"""Reading all of a ``json:`` store and naming what is wrong in it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tiergate.store import Damage, Doubt, StoreError
from tiergate_plugins.storage import files
from tiergate_plugins.storage.changes import decode_changes
from tiergate_plugins.storage.journal import Journal
from tiergate_plugins.storage.json_state import DAMAGED, JOURNAL, JsonState

_IN_FLIGHT_S = 0.05
"""A write of another process that is seen half done is complete after that."""
_HINT = (
    "see `tiergate sessions verify`; to take what is there as all there is, add ?damage=skip to the address"
)
_ASIDE = "damaged bytes, perhaps of a write, were set aside here; remove the file when you are done with it"


def find_damage(state: JsonState) -> list[Damage]:
    """Everything that is wrong with the session files, the journal and what both give together."""
    state.refresh()
    return [*state.files.verify(), *_journal(state), *_sessions(state), *_tables(state), *_set_aside(state)]


def find_doubts(state: JsonState) -> list[Doubt]:
    """What was seen in reading, or set aside by a writer, that may be lost writes. Sure losses are errors."""
    state.refresh()
    if state.damage and not state.skips:
        return []
    if state.journal is not None and state.journal.unfinished() is not None:
        time.sleep(_IN_FLIGHT_S)
        state.refresh()
    last = state.journal.unfinished() if state.journal is not None else None
    found = [*state.damage, *([last] if last else ()), *_set_aside(state)]
    return [Doubt(one.where, one.what, _HINT, accepted=state.skips) for one in found]


def _journal(state: JsonState) -> Iterator[Damage]:
    """Read the journal from its beginning; the view of the store has read most of it long ago."""
    path = state.folder / JOURNAL
    with files.system_errors("read the journal", path):
        journal = Journal.open(path, writable=False)
        if journal is None:
            yield from state.damage
            return
        try:
            found = _read_all(journal)
            if journal.unfinished() is not None:
                time.sleep(_IN_FLIGHT_S)
                found += _read_all(journal)
            last = journal.unfinished()
        finally:
            journal.close()
    yield from journal.damage
    yield from found
    if last is not None:
        yield last


def _read_all(journal: Journal) -> list[Damage]:
    found = []
    for payload in journal.read_new():
        try:
            decode_changes(payload, f"{journal.path}, record {journal.sequence}")
        except StoreError as error:
            found.append(Damage(error.where or str(journal.path), error.what))
    return found


def _sessions(state: JsonState) -> Iterator[Damage]:
    for session_id, head in state.heads().items():
        if not head.deleted:
            try:
                state.left_of(session_id)
            except StoreError as error:
                yield Damage(error.where or str(state.folder), error.what)


def _tables(state: JsonState) -> Iterator[Damage]:
    for error in state.tables.damaged():
        yield Damage(error.where or str(state.folder), error.what)


def _set_aside(state: JsonState) -> Iterator[Damage]:
    for path in sorted(state.folder.iterdir()):
        if path.name.startswith(DAMAGED):
            yield Damage(str(path), _ASIDE)
