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
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import (
    Statuses,
    count_of,
    dangling_note,
    priority_weight,
    take_text,
    whole,
)
from tiergate_plugins.importers._reading import decode_json, printable, read_head, read_text

STATUSES = {
    "pending": Status.QUEUED,
    "in-progress": Status.ACTIVE,
    "review": Status.ACTIVE,
    "done": Status.COMPLETED,
    "blocked": Status.BLOCKED,
    "deferred": Status.BLOCKED,
    "cancelled": Status.ABANDONED,
}
_OLD_FORM_TAG = "master"
_DEEPEST = 20
_TASKS_START = re.compile(r'(?<!\\)"tasks"\s*:\s*\[')


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="taskmaster",
        summary="Task Master's tasks.json, a session for each tag",
        detect=detect,
        read=read,
    )


def detect(path: Path) -> bool:
    """Whether the file begins with an object in which a list of tasks begins."""
    head = read_head(path).lstrip()
    return head.startswith("{") and bool(_TASKS_START.search(head))


def read(path: Path) -> Imported:
    """Read every tag.

    Raises:
        SourceError: the file cannot be read, has no list of tasks, or a task is damaged or stands twice.
    """
    document = decode_json(read_text(path), path)
    where = printable(path)
    tags = _tags(document, where)
    statuses = Statuses(STATUSES)
    readers = {name: _TagReader(statuses, f"{where}: tag {name!r}") for name in tags}
    sessions = [readers[name].session(name, body) for name, body in tags.items()]
    notes = statuses.notes()
    beside = {key: value for key, value in document.items() if key not in tags}
    if beside and not _holds_tasks(document):
        sessions[0].extra["beside_tags"] = beside
        notes.append(f"fields beside the tags, kept with tag {sessions[0].id!r}: {', '.join(beside)}")
    for session in sessions:
        notes += readers[session.id].notes()
        notes += dangling_note(session.tasks, f"tag {session.id!r}")
    return Imported(sessions=sessions, statuses=statuses.met, notes=notes)


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
    tasks: dict[str, Task] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    odd_dependencies: int = 0

    def session(self, name: str, body: Mapping[str, Any]) -> Session:
        extra = dict(body)
        records = extra.pop("tasks")
        self._read(records, parent=None, place="task")
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

    def _read(self, records: list[Any], *, parent: str | None, place: str) -> None:
        if place.count("subtask") > _DEEPEST:
            raise SourceError("subtasks are nested too deeply", where=self.where)
        siblings = _ids(records)
        for number, record in enumerate(records, start=1):
            here = f"{place} {number}"
            fields, identity, title = self._head(record, parent, here)
            first = self.places.setdefault(identity, here)
            if first != here:
                raise SourceError(f"task {identity!r} stands twice: {first} and {here}", where=self.where)
            subtasks = fields.get("subtasks")
            if isinstance(subtasks, list):
                del fields["subtasks"]
            self.tasks[identity] = self._task(fields, identity, title, parent, siblings)
            if isinstance(subtasks, list):
                self._read(subtasks, parent=identity, place=f"{here}, subtask")

    def _head(self, record: Any, parent: str | None, here: str) -> tuple[dict[str, Any], str, str]:
        """The fields of a record without id and title, the id in full, and the title."""
        if not isinstance(record, dict):
            raise SourceError(f"{here} is not an object", where=self.where)
        fields = dict(record)
        short = _name(fields.pop("id", None))
        if not short:
            raise SourceError(f"{here}: `id` is missing, or neither a number nor a text", where=self.where)
        title = take_text(fields, "title")
        if title is None:
            raise SourceError(f"{here}: `title` is missing or no text", where=self.where)
        return fields, _full_id(short, parent), title

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
        short = [_name(name) for name in written]
        self.odd_dependencies += not all(short)
        found = dict.fromkeys(_full_id(name, parent) if name in siblings else name for name in short if name)
        if list(found) == written:
            del fields["dependencies"]
        return tuple(found)


def _ids(records: list[Any]) -> frozenset[str]:
    """The ids of records as they write them."""
    return frozenset(_name(record.get("id")) for record in records if isinstance(record, dict))


def _name(value: Any) -> str:
    """An id or a dependency as text; empty for what is neither a number nor a text."""
    return str(value) if whole(value) else value.strip() if isinstance(value, str) else ""


def _full_id(short: str, parent: str | None) -> str:
    if parent is None or short.startswith(f"{parent}."):
        return short
    return f"{parent}.{short}"
