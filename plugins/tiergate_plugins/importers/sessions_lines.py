"""Imports what ``tiergate sessions export`` writes: canonical JSON Lines, a session a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, decode_session
from tiergate_plugins.importers._json_text import head_value
from tiergate_plugins.importers._reading import at, read_head, read_text

_FIELDS = frozenset(Session.__struct_fields__)


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="tiergate",
        summary="sessions of tiergate as JSON Lines, as `sessions export` writes them",
        detect=detect,
        read=read,
    )


def detect(path: Path) -> bool:
    """Whether the file begins with an object that has the fields of a session with tasks, and no others."""
    begun = head_value(read_head(path))
    if not isinstance(begun, dict) or not begun.keys() <= _FIELDS:
        return False
    # The keys are sorted; a first field that is long may hide the others.
    return isinstance(begun.get("id"), str) and isinstance(begun.get("tasks"), list)


def read(path: Path) -> Imported:
    """Read every session.

    Raises:
        SourceError: the file cannot be read.
    """
    sessions: dict[str, Session] = {}
    damage = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        fault = _add(line, sessions)
        if fault:
            damage.append(SourceError(fault, where=at(path, number, 1)))
    tasks = [task for session in sessions.values() for task in session.tasks]
    words = {task.source_status: task.status for task in tasks if task.source_status}
    return Imported(sessions=list(sessions.values()), statuses=words, damage=damage)


def _add(line: str, sessions: dict[str, Session]) -> str | None:
    """Read a session, unless there is something wrong with it, which is returned."""
    try:
        session = decode_session(line.encode())
    except (msgspec.DecodeError, RecursionError) as error:
        return f"not a session: {error}"
    if session.id in sessions:
        return f"session {session.id!r} stands twice"
    if len({task.id for task in session.tasks}) < len(session.tasks):
        return f"session {session.id!r} has two tasks with one id"
    sessions[session.id] = msgspec.structs.replace(session, version=0)
    return None
