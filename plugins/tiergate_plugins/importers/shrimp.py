"""Imports the tasks.json of the Shrimp Task Manager. A file becomes one session.

What becomes what:

- ``name`` becomes the title; ``description`` and ``notes``, with a blank line between, become the notes.
- ``dependencies`` are objects with a ``taskId``; a list of texts is read too. Where anything else stands in
  them, ``extra`` keeps the list as written.
- statuses are words in English or, in files of older versions, in Chinese. What is written back is in the
  language of the file.
- there is no priority, so every weight is 1.
- every other field (``implementationGuide``, ``relatedFiles``, ``summary``…) is kept unchanged in ``extra``.
- written back are the title, the status (there is no word for abandoned), the dependencies and ``updatedAt``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import Statuses, dangling_note, take_text
from tiergate_plugins.importers._json_text import Place
from tiergate_plugins.importers._reading import decode_json, printable, read_text
from tiergate_plugins.importers._records import (
    Damages,
    Reader,
    edits_of,
    first_record,
    items_of,
    missing_text,
)
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

WORDS = {
    Status.QUEUED: "pending",
    Status.ACTIVE: "in_progress",
    Status.COMPLETED: "completed",
    Status.BLOCKED: "blocked",
}
OLD_WORDS = {
    Status.QUEUED: "待處理",
    Status.ACTIVE: "進行中",
    Status.COMPLETED: "已完成",
    Status.BLOCKED: "被阻擋",
}
STATUSES = {word: status for words in (WORDS, OLD_WORDS) for status, word in words.items()}
WRITES = frozenset({"title", "status", "dependencies", "updated_at"})


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="shrimp",
        summary="the tasks.json of the Shrimp Task Manager",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether the file begins with a list of ``tasks`` whose first one has a name and no title."""
    record = first_record(path, "tasks")
    return record is not None and "name" in record and "title" not in record


def read(path: Path) -> Imported:
    """Read every task.

    Raises:
        SourceError: the file cannot be read, or has no list of tasks.
    """
    return _parse(read_text(path), path).imported


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The file with changed tasks.

    Raises:
        SourceError: it cannot be read, lacks a task, or cannot say what is asked for.
    """
    return rewritten(path, sessions, WRITES, _parse, edits_of(_fields_of))


def _parse(text: str, path: Path) -> Parsed[Place]:
    document = decode_json(text, path)
    if not isinstance(document, dict) or not isinstance(document.get("tasks"), list):
        raise SourceError("not a file of the Shrimp Task Manager: no list of `tasks`", where=printable(path))
    statuses, damages = Statuses(STATUSES), Damages()
    reader = Reader(
        fault=lambda record: missing_text(record, "id", "name"),
        identity=lambda record, _: str(record["id"]),
        build=lambda fields, identity: _task(fields, identity, statuses),
        damages=damages,
    )
    found = reader.read(items_of(document, "tasks"))
    name = printable(path.stem)
    beside = {key: value for key, value in document.items() if key != "tasks"}
    session = Session(id=name, title=name, tasks=tuple(task for _, task in found.values()), extra=beside)
    imported = Imported(
        sessions=[session],
        statuses=statuses.met,
        notes=[*statuses.notes(), *dangling_note(session.tasks, name)],
        damage=damages.errors(text, path),
    )
    return Parsed(imported, {(name, identity): place for identity, (place, _) in found.items()})


def _task(fields: dict[str, Any], identity: str, statuses: Statuses) -> Task:
    del fields["id"]
    status, word = statuses.take(fields)
    texts = [take_text(fields, "description"), take_text(fields, "notes")]
    return Task(
        id=identity,
        title=fields.pop("name"),
        notes="\n\n".join(text for text in texts if text),
        status=status,
        dependencies=_dependencies(fields),
        created_at=take_text(fields, "createdAt"),
        updated_at=take_text(fields, "updatedAt"),
        source_status=word,
        extra=fields,
    )


def _dependencies(fields: dict[str, Any]) -> tuple[str, ...]:
    written = fields.get("dependencies")
    if not isinstance(written, list):
        return ()
    names = [_named(link) for link in written]
    found = tuple(dict.fromkeys(name for name in names if name is not None))
    if [{"taskId": name} for name in found] == written:
        del fields["dependencies"]
    return found


def _named(link: Any) -> str | None:
    name = link.get("taskId") if isinstance(link, dict) else link
    return name if isinstance(name, str) and name else None


def _fields_of(change: Change[Place]) -> dict[str, Any]:
    """What a change means for the fields of a task."""
    fields: dict[str, Any] = {}
    if change.of("title"):
        fields["name"] = change.after.title
    if change.of("status"):
        is_old = change.before.source_status in OLD_WORDS.values()
        fields["status"] = change.word(OLD_WORDS if is_old else WORDS)
    if change.of("dependencies"):
        written = change.before.extra.get("dependencies")
        links = {_named(link): link for link in (written if isinstance(written, list) else ())}
        fields["dependencies"] = [links.get(name, {"taskId": name}) for name in change.after.dependencies]
    if change.of("updated_at"):
        fields["updatedAt"] = change.after.updated_at
    return fields
