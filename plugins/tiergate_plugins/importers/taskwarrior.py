"""Imports what ``task export`` writes: a JSON array, or one object a line. A file becomes one session.

What becomes what:

- ``uuid`` becomes the id, ``description`` the title; the texts of ``annotations`` become the notes.
- a pending task that was started (it has a ``start``) is active. A task that waits for its date is blocked.
- ``depends`` is a list of uuids or, up to version 2.5, a text with commas.
- ``priority`` H, M, L becomes the weight 3, 2, 1; any other, and none, the weight 1.
- ``tags`` become the labels; ``entry`` and ``modified`` become created_at and updated_at.
- every other field (``project``, ``due``, ``urgency``, those of users…) is kept unchanged in ``extra``.
- written back are the title, the status, the weight and the dependencies. For an active task, ``start`` is
  taken from updated_at, which has to be given with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import Statuses, dangling_note, take_text, take_texts
from tiergate_plugins.importers._json_text import Place, head_value
from tiergate_plugins.importers._reading import decode_json, printable, read_head, read_text
from tiergate_plugins.importers._records import (
    DROP,
    Damages,
    Reader,
    edits_of,
    items_of,
    json_lines,
    missing_text,
)
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

STATUSES = {
    "pending": Status.QUEUED,
    "waiting": Status.BLOCKED,
    "recurring": Status.QUEUED,
    "completed": Status.COMPLETED,
    "deleted": Status.ABANDONED,
}
WORDS = {
    Status.QUEUED: "pending",
    Status.ACTIVE: "pending",
    Status.BLOCKED: "waiting",
    Status.COMPLETED: "completed",
    Status.ABANDONED: "deleted",
}
WRITES = frozenset({"title", "status", "weight", "dependencies"})
_WEIGHTS = {"H": 3.0, "M": 2.0, "L": 1.0}
_PRIORITIES = {weight: word for word, weight in _WEIGHTS.items()}
_DATE = "%Y%m%dT%H%M%SZ"


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="taskwarrior",
        summary="what `task export` of Taskwarrior writes",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether the file begins with a task that has a uuid and a description, in a list or on a line."""
    value = head_value(read_head(path))
    record = value[0] if isinstance(value, list) and value else value
    return isinstance(record, dict) and {"uuid", "description"} <= record.keys()


def read(path: Path) -> Imported:
    """Read every task.

    Raises:
        SourceError: the file cannot be read, or is no list of tasks.
    """
    return _parse(read_text(path), path).imported


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The file with changed tasks.

    Raises:
        SourceError: it cannot be read, lacks a task, or cannot say what is asked for.
    """
    return rewritten(path, sessions, WRITES, _parse, edits_of(_fields_of))


def _parse(text: str, path: Path) -> Parsed[Place]:
    statuses, damages = Statuses(STATUSES), Damages()
    reader = Reader(
        fault=lambda record: missing_text(record, "uuid", "description"),
        identity=lambda record, _: str(record["uuid"]),
        build=lambda fields, identity: _task(fields, identity, statuses),
        damages=damages,
    )
    found = reader.read(list(_records(text, path, damages)))
    name = printable(path.stem)
    session = Session(id=name, title=name, tasks=tuple(task for _, task in found.values()))
    imported = Imported(
        sessions=[session],
        statuses=statuses.met,
        notes=[*statuses.notes(), *_notes(session.tasks), *dangling_note(session.tasks, name)],
        damage=damages.errors(text, path),
    )
    return Parsed(imported, {(name, identity): place for identity, (place, _) in found.items()})


def _records(text: str, path: Path, damages: Damages) -> Iterator[tuple[Place, Any]]:
    if text.lstrip().startswith("["):
        document = decode_json(text, path)
        if not isinstance(document, list):
            raise SourceError("not an export of Taskwarrior: no list", where=printable(path))
        yield from items_of(document)
        return
    for _, offset, record in json_lines(text, path, damages):
        yield (offset,), record


def _task(fields: dict[str, Any], identity: str, statuses: Statuses) -> Task:
    del fields["uuid"]
    status, word = statuses.take(fields)
    if status is Status.QUEUED and "start" in fields:
        status = Status.ACTIVE
    priority = fields.get("priority")
    return Task(
        id=identity,
        title=fields.pop("description"),
        notes=_annotations(fields.get("annotations")),
        status=status,
        weight=_WEIGHTS.get(priority, 1.0) if isinstance(priority, str) else 1.0,
        dependencies=_dependencies(fields),
        labels=take_texts(fields, "tags"),
        created_at=take_text(fields, "entry"),
        updated_at=take_text(fields, "modified"),
        source_status=word,
        extra=fields,
    )


def _annotations(written: Any) -> str:
    notes = written if isinstance(written, list) else []
    texts = [note.get("description") for note in notes if isinstance(note, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _dependencies(fields: dict[str, Any]) -> tuple[str, ...]:
    written = fields.get("depends")
    names = written.split(",") if isinstance(written, str) else written if isinstance(written, list) else []
    found = dict.fromkeys(name.strip() for name in names if isinstance(name, str) and name.strip())
    if list(found) == written:
        del fields["depends"]
    return tuple(found)


def _notes(tasks: Sequence[Task]) -> Iterator[str]:
    active = sum(task.status is Status.ACTIVE for task in tasks)
    if active:
        yield f"status 'pending' with a start: {active} active"


def _fields_of(change: Change[Place]) -> dict[str, Any]:
    """What a change means for the fields of a task."""
    fields: dict[str, Any] = {}
    if change.of("title"):
        fields["description"] = change.after.title
    if change.of("status"):
        fields |= _status_fields(change)
    if change.of("weight"):
        fields["priority"] = change.rank(_PRIORITIES)
    if change.of("dependencies"):
        names = list(change.after.dependencies)
        is_text = isinstance(change.before.extra.get("depends"), str)
        fields["depends"] = (",".join(names) if is_text else names) if names else DROP
    return fields


def _status_fields(change: Change[Place]) -> dict[str, Any]:
    fields: dict[str, Any] = {"status": change.word(WORDS)}
    if change.after.status is Status.ACTIVE and "start" not in change.before.extra:
        fields["start"] = _start(change)
    if change.after.status is Status.QUEUED and "start" in change.before.extra:
        fields["start"] = DROP
    return fields


def _start(change: Change[Place]) -> str:
    """When the task was started: the time of the change, in the format's own form."""
    time = change.time("an active task has the time of its start, which is not known")
    try:
        return datetime.fromisoformat(time).astimezone(UTC).strftime(_DATE)
    except (ValueError, OverflowError) as error:
        raise change.refuse(f"{time!r} is no time", "give updated_at as 2025-01-31T12:00:00+00:00") from error
