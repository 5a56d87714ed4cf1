"""Reading a whole store for ``tiergate sessions``: a session at a time, whatever the size."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tiergate.canonical import session_bytes
from tiergate.cli.files import replacing
from tiergate.cli.progress import shown
from tiergate.cli.sessions_tables import Listed, counted, listed
from tiergate.cli.signals import stopped_by_sigterm
from tiergate.cli.state import State
from tiergate.load.plan import Progress
from tiergate.model import Session
from tiergate.store import Damage, SessionNotFound, Store, StoreDamaged

MANY = 1000
"""Progress is shown from so many sessions on."""


@contextmanager
def progress_of(stage: str, steps: int, *, quiet: bool) -> Iterator[Progress]:
    """Progress of work on so many sessions, shown where there are many."""
    with shown(quiet=quiet or steps < MANY) as progress:
        progress.begin(stage, steps)
        yield progress


def list_rows(store: Store, *, quiet: bool) -> list[Listed]:
    """Every session as a list shows it, sorted by id; a damaged one says so."""
    try:
        sizes = {size.session: size.bytes for size in store.sizes()}
    except StoreDamaged:
        sizes = {}
    ids = store.ids()
    rows = []
    with progress_of("reading sessions", len(ids), quiet=quiet) as progress:
        for session_id in ids:
            size = sizes.get(session_id)
            try:
                rows.append(listed(store.load(session_id), size))
            except StoreDamaged as error:
                rows.append(Listed(session_id, bytes=size, damage=error.what))
            except SessionNotFound:  # deleted since it was listed
                pass
            progress.step()
    return rows


def export_to_output(store: Store) -> None:
    """Write the canonical form of every session to standard output."""
    output = sys.stdout.buffer
    for session in _sessions(store, store.ids()):
        _write(output, session)
    output.flush()


def export_to_file(store: Store, path: Path, *, quiet: bool) -> tuple[int, int]:
    """Write the canonical form of every session to a file, whole or not at all.

    Returns:
        How many sessions, and how many bytes.

    Raises:
        RunError: it cannot be written.
        StoreDamaged: a session cannot be read; nothing is written then.
    """
    count = size = 0
    ids = store.ids()
    showing = progress_of("exporting sessions", len(ids), quiet=quiet)
    with stopped_by_sigterm(), replacing(path) as file, showing as progress:
        for session in _sessions(store, ids):
            size += _write(file, session)
            count += 1
            progress.step()
    return count, size


def _sessions(store: Store, ids: list[str]) -> Iterator[Session]:
    for session_id in ids:
        try:
            yield store.load(session_id)
        except SessionNotFound:  # deleted since it was listed
            continue


def _write(file: BinaryIO, session: Session) -> int:
    return file.write(session_bytes(session)) + file.write(b"\n")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked, and what is damaged. The counts are None where damage hides them."""

    damage: list[Damage]
    sessions: int | None = None
    tasks: int | None = None
    disk_bytes: int | None = None

    def document(self) -> dict[str, Any]:
        """The fields of its JSON form."""
        return {
            "sessions": self.sessions,
            "tasks": self.tasks,
            "disk_bytes": self.disk_bytes,
            "damage": self.damage,
        }

    def summary(self) -> str:
        """One line: how much was checked, and how much is damaged."""
        checked = "checked what could be read"
        if self.sessions is not None:
            tasks = "" if self.tasks is None else f" with {counted(self.tasks, 'task')}"
            checked = f"checked {counted(self.sessions, 'session')}{tasks}"
        places = f"{counted(len(self.damage), 'place')} damaged" if self.damage else "nothing is damaged"
        return f"{checked}; {places}"


def check(state: State, address: str) -> Checked:
    """Verify a store; what cannot even be opened because it is damaged is damage too.

    Raises:
        StoreError: the store is not there, or cannot be opened for another reason.
    """
    try:
        with state.open_unwarned(address, read_only=True) as store:
            return _check(store)
    except StoreDamaged as error:
        return Checked([Damage(error.where or address, error.what)])


def _check(store: Store) -> Checked:
    damage = store.verify()
    try:
        stats = store.stats()
    except StoreDamaged:
        if not damage:
            raise
        return Checked(damage, _count(store))
    return Checked(damage, stats.sessions, stats.tasks, stats.disk_bytes)


def _count(store: Store) -> int | None:
    try:
        return len(store.ids())
    except StoreDamaged:
        return None
