"""Imports Task Master files (tasks.json). A tag becomes a session, a subtask a task of its own.

What becomes what:

- each top-level key with a list of ``tasks`` is a tag; the older form, ``{"tasks": [...]}`` at the
  top, becomes the session ``master``. What else stands beside the tasks is kept in ``extra``.
- a subtask gets the id ``PARENT.SUB``. A parent does not depend on its subtasks, nor they on it.
- a dependency of a subtask that is a number names its sibling, or the task where there is no such
  sibling; ``PARENT.SUB`` names any subtask. Where that changed the list, ``extra`` keeps it as written.
- ``description`` and ``details``, with a blank line between, become the notes.
- ``priority`` critical, high, medium, low becomes the weight 4, 3, 2, 1; without one the weight is 1.
- every other field (``testStrategy``, ``priority``…) is kept unchanged in ``extra``.
- written back are the title, the status (pending, in-progress, done, blocked, cancelled), the weight as
  ``priority``, the dependencies, and ``updatedAt``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import (
    PRIORITY_WORDS,
    Statuses,
    count_of,
    dangling_note,
    name_of,
    priority_weight,
    take_text,
)
from tiergate_plugins.importers._json_text import Place, head_value
from tiergate_plugins.importers._reading import decode_json, printable, read_head, read_text
from tiergate_plugins.importers._records import Damages, edits_of
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

STATUSES = {
    "pending": Status.QUEUED,
    "in-progress": Status.ACTIVE,
    "review": Status.ACTIVE,
    "done": Status.COMPLETED,
    "blocked": Status.BLOCKED,
    "deferred": Status.BLOCKED,
    "cancelled": Status.ABANDONED,
}
WORDS = {
    Status.QUEUED: "pending",
    Status.ACTIVE: "in-progress",
    Status.BLOCKED: "blocked",
    Status.COMPLETED: "done",
    Status.ABANDONED: "cancelled",
}
WRITES = frozenset({"title", "status", "weight", "dependencies", "updated_at"})
_OLD_FORM_TAG = "master"
_DEEPEST = 20


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="taskmaster",
        summary="Task Master's tasks.json, a session for each tag",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether the file begins with an object in which a list of tasks begins, at its top or in a tag."""
    head = read_head(path).lstrip()
    begun = head_value(head) if head.startswith("{") else None
    if not isinstance(begun, dict) or isinstance(begun.get("id"), str):
        return False  # an id belongs to one task or session
    lists = [
        body["tasks"] for body in (begun, *begun.values()) if isinstance(body, dict) and _holds_tasks(body)
    ]
    return bool(lists) and all(_may_be_task(found[0]) for found in lists if found)


def _may_be_task(record: Any) -> bool:
    # Another tool's tasks have a name instead of a title; one that is cut off has neither yet.
    return not isinstance(record, dict) or "title" in record or "name" not in record


def read(path: Path) -> Imported:
    """Read every tag.

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
    where = printable(path)
    tags = _tags(document, where)
    statuses, damages = Statuses(STATUSES), Damages()
    old_form = _holds_tasks(document)
    readers = {
        name: _TagReader(statuses, f"{where}: tag {name!r}", damages, _place_of(name, old_form=old_form))
        for name in tags
    }
    sessions = [readers[name].session(name, body) for name, body in tags.items()]
    notes = statuses.notes()
    beside = {key: value for key, value in document.items() if key not in tags}
    if beside and not old_form:
        sessions[0].extra["beside_tags"] = beside
        notes.append(f"fields beside the tags, kept with tag {sessions[0].id!r}: {', '.join(beside)}")
    for session in sessions:
        notes += readers[session.id].notes()
        notes += dangling_note(session.tasks, f"tag {session.id!r}")
    places = {(name, task): found for name in tags for task, found in readers[name].found.items()}
    imported = Imported(
        sessions=sessions, statuses=statuses.met, notes=notes, damage=damages.errors(text, path)
    )
    return Parsed(imported, places)


def _place_of(tag: str, *, old_form: bool) -> Place:
    return (0, "tasks") if old_form and tag == _OLD_FORM_TAG else (0, tag, "tasks")


def _tags(document: Any, where: str) -> dict[str, dict[str, Any]]:
    """The tags by name; the older form is one tag, which everything that is no tag belongs to."""
    if not isinstance(document, dict):
        raise SourceError("not a Task Master file: no object at the top", where=where)
    tags = {name: body for name, body in document.items() if isinstance(body, dict) and _holds_tasks(body)}
    if _holds_tasks(document):
        if _OLD_FORM_TAG in tags:
            raise SourceError(
                f"tasks stand both at the top and in the tag {_OLD_FORM_TAG!r}", where=where, hint="keep one"
            )
        own = {name: value for name, value in document.items() if name not in tags}
        tags = {_OLD_FORM_TAG: own, **tags}
    if not tags:
        raise SourceError("not a Task Master file: nothing in it has a list of `tasks`", where=where)
    if "" in tags:
        raise SourceError("a tag has no name", where=where)
    return tags


def _holds_tasks(body: dict[str, Any]) -> bool:
    return isinstance(body.get("tasks"), list)


@dataclass(slots=True)
class _TagReader:
    """Turns one tag into a session."""

    statuses: Statuses
    where: str
    damages: Damages
    place: Place
    tasks: dict[str, Task] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    found: dict[str, Place] = field(default_factory=dict)
    odd_dependencies: int = 0

    def session(self, name: str, body: Mapping[str, Any]) -> Session:
        extra = dict(body)
        records = extra.pop("tasks")
        self._read(records, parent=None, name="task", place=self.place)
        metadata = extra.get("metadata")
        times = dict(metadata) if isinstance(metadata, dict) else {}
        return Session(
            id=name,
            title=name,
            tasks=tuple(self.tasks.values()),
            created_at=take_text(times, "created"),
            updated_at=take_text(times, "updated"),
            extra=extra,
        )

    def notes(self) -> Iterator[str]:
        if self.odd_dependencies:
            yield (
                f"{self.where}: {count_of(self.odd_dependencies, 'list')} of dependencies not fully"
                " understood, kept as written"
            )

    def _read(self, records: list[Any], *, parent: str | None, name: str, place: Place) -> None:
        if name.count("subtask") > _DEEPEST:
            raise SourceError("subtasks are nested too deeply", where=self.where)
        siblings = _ids(records)
        for number, record in enumerate(records, start=1):
            here, stands = f"{name} {number}", (*place, number - 1)
            fault = _fault(record)
            if fault:
                self.damages.add(stands, f"{here}{fault}")
                continue
            fields = dict(record)
            identity = _full_id(name_of(fields.pop("id")), parent)
            first = self.names.setdefault(identity, here)
            if first != here:
                self.damages.add(stands, f"task {identity!r} stands twice: {first} and {here}")
                continue
            subtasks = fields.get("subtasks")
            if isinstance(subtasks, list):
                del fields["subtasks"]
            self.tasks[identity] = self._task(fields, identity, fields.pop("title"), parent, siblings)
            self.found[identity] = stands
            if isinstance(subtasks, list):
                self._read(subtasks, parent=identity, name=f"{here}, subtask", place=(*stands, "subtasks"))

    def _task(
        self, fields: dict[str, Any], identity: str, title: str, parent: str | None, siblings: frozenset[str]
    ) -> Task:
        status, word = self.statuses.take(fields)
        dependencies = self._dependencies(fields, parent, siblings)
        texts = [take_text(fields, "description"), take_text(fields, "details")]
        return Task(
            id=identity,
            title=title,
            notes="\n\n".join(text for text in texts if text),
            status=status,
            weight=priority_weight(fields.get("priority")),
            dependencies=dependencies,
            created_at=take_text(fields, "createdAt"),
            updated_at=take_text(fields, "updatedAt"),
            source_status=word,
            extra=fields,
        )

    def _dependencies(
        self, fields: dict[str, Any], parent: str | None, siblings: frozenset[str]
    ) -> tuple[str, ...]:
        written = fields.get("dependencies")
        if not isinstance(written, list):
            self.odd_dependencies += written is not None
            return ()
        short = [name_of(name) for name in written]
        self.odd_dependencies += not all(short)
        found = dict.fromkeys(_full_id(name, parent) if name in siblings else name for name in short if name)
        if list(found) == written:
            del fields["dependencies"]
        return tuple(found)


def _fault(record: Any) -> str | None:
    """What is wrong with a record as a task, to be said behind which one it is."""
    if not isinstance(record, dict):
        return " is not an object"
    if not name_of(record.get("id")):
        return ": `id` is missing, or neither a number nor a text"
    return None if isinstance(record.get("title"), str) else ": `title` is missing or no text"


def _ids(records: list[Any]) -> frozenset[str]:
    """The ids of records as they write them."""
    return frozenset(name_of(record.get("id")) for record in records if isinstance(record, dict))


def _full_id(short: str, parent: str | None) -> str:
    if parent is None or short.startswith(f"{parent}."):
        return short
    return f"{parent}.{short}"


def _fields_of(change: Change[Place]) -> dict[str, Any]:
    """What a change means for the fields of a task or subtask."""
    fields: dict[str, Any] = {}
    if change.of("title"):
        fields["title"] = change.after.title
    if change.of("status"):
        fields["status"] = change.word(WORDS)
    if change.of("weight"):
        fields["priority"] = change.rank(PRIORITY_WORDS)
    if change.of("dependencies"):
        parent = change.before.id.rpartition(".")[0] if "subtasks" in change.place else ""
        fields["dependencies"] = [_reference(name, parent) for name in change.after.dependencies]
    if change.of("updated_at"):
        fields["updatedAt"] = change.after.updated_at
    return fields


def _reference(name: str, parent: str) -> int | str:
    """A dependency as Task Master writes it: the number of a task or sibling, else ``PARENT.SUB``."""
    short = name.removeprefix(f"{parent}.") if parent else name
    return int(short) if short.isdecimal() and str(int(short)) == short else name
