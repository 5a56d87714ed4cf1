"""Imports to-do files of Claude Code (``~/.claude/todos``): a JSON array each. A file becomes one session.

What becomes what:

- a path is one file, or a folder of them; in a folder, files with an empty array are counted and left out.
- ``content`` becomes the title. Without an ``id``, as newer versions write them, a task has the number of its
  place in the list.
- ``priority`` high, medium, low becomes the weight 3, 2, 1; without one the weight is 1.
- every other field (``activeForm``…) is kept unchanged in ``extra``.
- written back are the title, the status (there is no word for blocked and abandoned), and the weight.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import (
    PRIORITY_WORDS,
    Statuses,
    count_of,
    name_of,
    priority_weight,
)
from tiergate_plugins.importers._json_text import Place
from tiergate_plugins.importers._reading import decode_json, printable, read_text, unreadable
from tiergate_plugins.importers._records import (
    Damages,
    Reader,
    edits_of,
    first_record,
    items_of,
    missing_text,
)
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

WORDS = {Status.QUEUED: "pending", Status.ACTIVE: "in_progress", Status.COMPLETED: "completed"}
STATUSES = {word: status for status, word in WORDS.items()}
WRITES = frozenset({"title", "status", "weight"})
_WEIGHTS = {weight: word for weight, word in PRIORITY_WORDS.items() if word != "critical"}
_LOOKED_AT = 200


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="claude-todos",
        summary="to-do files of Claude Code, one or a folder",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether the file, or a file in the folder, begins with a list of records with content and status."""
    try:
        with os.scandir(path) as entries:
            names = [Path(entry.path) for entry in islice(entries, _LOOKED_AT) if _is_json(entry.name)]
    except (OSError, ValueError):
        names = [path]
    return any(_begins(first_record(name)) for name in names)


def _begins(record: dict[str, Any] | None) -> bool:
    return record is not None and {"content", "status"} <= record.keys()


def read(path: Path) -> Imported:
    """Read every to-do.

    Raises:
        SourceError: a file cannot be read, or is no list.
    """
    files = _files(path)
    parts = [_parse(read_text(file, empty_ok=file != path), file).imported for file in files]
    full = [part for part in parts if part.sessions[0].tasks or part.damage or path in files]
    notes = [note for part in full for note in part.notes]
    if len(full) < len(parts):
        notes.append(f"empty lists, left out: {count_of(len(parts) - len(full), 'file')}")
    return Imported(
        sessions=[session for part in full for session in part.sessions],
        statuses={word: status for part in full for word, status in part.statuses.items()},
        notes=notes,
        damage=[error for part in full for error in part.damage],
    )


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The files with changed to-dos.

    Raises:
        SourceError: a file cannot be read, lacks a to-do, or cannot say what is asked for.
    """
    files = {printable(file.stem): file for file in _files(path)}
    written: dict[Path, bytes] = {}
    for session in sessions:
        if session.id not in files:
            raise SourceError(f"no session {session.id!r} in it; nothing was written", where=printable(path))
        written |= rewritten(files[session.id], [session], WRITES, _parse, edits_of(_fields_of))
    return written


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        return sorted(file for file in path.iterdir() if _is_json(file.name) and file.is_file())
    except OSError as error:
        raise unreadable(path, error) from error


def _is_json(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _parse(text: str, path: Path) -> Parsed[Place]:
    document = decode_json(text, path) if text.strip() else []
    if not isinstance(document, list):
        raise SourceError("not a to-do file: no list", where=printable(path))
    statuses, damages = Statuses(STATUSES), Damages()
    reader = Reader(
        fault=lambda record: missing_text(record, "content"),
        identity=_identity,
        build=lambda fields, identity: _task(fields, identity, statuses),
        damages=damages,
    )
    found = reader.read(items_of(document))
    name = printable(path.stem)
    session = Session(id=name, title=name, tasks=tuple(task for _, task in found.values()))
    imported = Imported(
        sessions=[session],
        statuses=statuses.met,
        notes=statuses.notes(),
        damage=damages.errors(text, path),
    )
    return Parsed(imported, {(name, identity): place for identity, (place, _) in found.items()})


def _identity(record: dict[str, Any], place: Place) -> str:
    return name_of(record.get("id")) or str(int(place[-1]) + 1)


def _task(fields: dict[str, Any], identity: str, statuses: Statuses) -> Task:
    if fields.get("id") == identity:
        del fields["id"]
    status, word = statuses.take(fields)
    return Task(
        id=identity,
        title=fields.pop("content"),
        status=status,
        weight=priority_weight(fields.get("priority")),
        source_status=word,
        extra=fields,
    )


def _fields_of(change: Change[Place]) -> dict[str, Any]:
    """What a change means for the fields of a to-do."""
    fields: dict[str, Any] = {}
    if change.of("title"):
        fields["content"] = change.after.title
    if change.of("status"):
        fields["status"] = change.word(WORDS)
    if change.of("weight"):
        fields["priority"] = change.rank(_WEIGHTS)
    return fields
