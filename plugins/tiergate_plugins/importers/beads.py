"""Imports beads issue files: JSON Lines, one issue a line. A file becomes one session.

What becomes what:

- ``description`` becomes the notes. Where it is missing or blank, the notes are the first of
  ``design``, ``acceptance_criteria`` and ``notes`` that says something.
- ``priority`` 0 (highest) to 4 (lowest) becomes the weight, 5 minus priority; any other the weight 1.
- ``dependencies`` of type ``blocks`` become dependencies. The other types (``parent-child``,
  ``discovered-from``…) say how issues relate, not that one waits for another.
- every field but ``id``, ``title``, ``description``, ``status``, ``labels``, ``created_at`` and
  ``updated_at`` is kept unchanged in ``extra``, those that were made use of too.
- written back are the title, the status (open, in_progress, blocked, closed, tombstone), the weight as
  ``priority``, the dependencies as links of type ``blocks``, and ``updated_at``. An issue that is closed gets
  its ``closed_at``, and a tombstone its ``deleted_at``, from updated_at, which has to be given with it; one
  that is opened again loses it. beads takes issues no other way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import (
    Statuses,
    count_of,
    dangling_note,
    kind_of,
    take_text,
    take_texts,
    whole,
)
from tiergate_plugins.importers._json_text import Place, head_value
from tiergate_plugins.importers._reading import decode_json, printable, read_head, read_text
from tiergate_plugins.importers._records import DROP, Damages, edits_of, json_lines
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

STATUSES = {
    "open": Status.QUEUED,
    "in_progress": Status.ACTIVE,
    "hooked": Status.ACTIVE,
    "blocked": Status.BLOCKED,
    "deferred": Status.BLOCKED,
    "closed": Status.COMPLETED,
    "tombstone": Status.ABANDONED,
    "pinned": Status.QUEUED,
}
WORDS = {
    Status.QUEUED: "open",
    Status.ACTIVE: "in_progress",
    Status.BLOCKED: "blocked",
    Status.COMPLETED: "closed",
    Status.ABANDONED: "tombstone",
}
_TIMES = {Status.COMPLETED: "closed_at", Status.ABANDONED: "deleted_at"}
WRITES = frozenset({"title", "status", "weight", "dependencies", "updated_at"})
_PINNED = "pinned"
_LOWEST_PRIORITY = 4
_OTHER_TEXTS = ("design", "acceptance_criteria", "notes")
_ISSUE_FIELDS = {"status", "issue_type", "priority"}
_PRIORITIES = {float(_LOWEST_PRIORITY + 1 - rank): rank for rank in range(_LOWEST_PRIORITY + 1)}
_FOREIGN_FIELDS = {"tasks", "uuid", "number", "content"}
"""What a record of another format has that may begin in the same way."""

_ISSUE_START = re.compile(r'\s*\{\s*"id"\s*:\s*"')


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="beads",
        summary="beads issues, a .jsonl file with one issue a line",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether the file begins with a beads issue, whole, cut off or damaged.

    In a ``.jsonl`` file, where the first line may be damaged beyond recognition, any line will do.
    """
    lines = [line for line in read_head(path).split("\n") if line.strip()]
    if lines and _ISSUE_START.match(lines[0]) and _decoded(lines[0]) is None:
        begun = head_value(lines[0])
        return isinstance(begun, dict) and not _FOREIGN_FIELDS & begun.keys()
    return any(_is_issue(line) for line in (lines if path.suffix == ".jsonl" else lines[:1]))


def read(path: Path) -> Imported:
    """Read every issue.

    Raises:
        SourceError: the file cannot be read.
    """
    return _parse(read_text(path), path).imported


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The file with changed issues.

    Raises:
        SourceError: it cannot be read, lacks an issue, or cannot say what is asked for.
    """
    return rewritten(path, sessions, WRITES, _parse, edits_of(_fields_of))


def _parse(text: str, path: Path) -> Parsed[Place]:
    statuses, damages = Statuses(STATUSES), Damages()
    lines: dict[str, int] = {}
    name = printable(path.stem)
    places: dict[tuple[str, str], Place] = {}
    tasks = []
    for number, offset, record in json_lines(text, path, damages):
        fault = _fault(record)
        if fault:
            damages.add((offset,), f"not an issue: {fault}")
            continue
        first = lines.setdefault(record["id"], number)
        if first != number:
            damages.add(
                (offset,),
                f"issue {record['id']!r} stands twice: in line {first} and in line {number}",
                "keep one of them",
            )
            continue
        tasks.append(_task(record, statuses))
        places[name, record["id"]] = (offset,)
    notes = [*statuses.notes(), *_notes(tasks), *dangling_note(tasks, name)]
    session = Session(id=name, title=name, tasks=tuple(tasks))
    damage = damages.errors(text, path)
    return Parsed(Imported(sessions=[session], statuses=statuses.met, notes=notes, damage=damage), places)


def _fault(record: Any) -> str | None:
    """What is wrong with a record as an issue."""
    if not isinstance(record, dict):
        return f"{kind_of(record)} instead of an object"
    if not isinstance(record.get("id"), str) or not record["id"]:
        return "`id` is missing or no text"
    return None if isinstance(record.get("title"), str) else "`title` is missing or no text"


def _task(record: dict[str, Any], statuses: Statuses) -> Task:
    fields = dict(record)
    identity, title = fields.pop("id"), fields.pop("title")
    status, word = statuses.take(fields)
    labels = take_texts(fields, "labels")
    if _is_pinned(word):
        labels = tuple(dict.fromkeys((*labels, _PINNED)))
    return Task(
        id=identity,
        title=title,
        notes=_text_of(fields),
        status=status,
        weight=_weight(fields.get("priority")),
        dependencies=_blockers(fields.get("dependencies"), identity),
        labels=labels,
        created_at=take_text(fields, "created_at"),
        updated_at=take_text(fields, "updated_at"),
        source_status=word,
        extra=fields,
    )


def _text_of(fields: dict[str, Any]) -> str:
    description = take_text(fields, "description") or ""
    if description.strip():
        return description
    others = (fields.get(name) for name in _OTHER_TEXTS)
    return next((text for text in others if isinstance(text, str) and text.strip()), description)


def _weight(priority: Any) -> float:
    return float(_LOWEST_PRIORITY + 1 - priority) if _is_rank(priority) else 1.0


def _is_rank(priority: Any) -> bool:
    return whole(priority) and 0 <= priority <= _LOWEST_PRIORITY


def _blockers(links: Any, identity: str) -> tuple[str, ...]:
    """The issues that this one waits for; a link that starts at another issue is not ours."""
    found = [
        link["depends_on_id"]
        for link in (links if isinstance(links, list) else [])
        if _is_blocker(link, identity)
    ]
    return tuple(dict.fromkeys(found))


def _is_blocker(link: Any, identity: str) -> bool:
    return (
        isinstance(link, dict)
        and link.get("type") == "blocks"
        and link.get("issue_id", identity) == identity
        and isinstance(link.get("depends_on_id"), str)
    )


def _notes(tasks: list[Task]) -> Iterator[str]:
    pinned = sum(_is_pinned(task.source_status) for task in tasks)
    if pinned:
        yield f"status 'pinned': {count_of(pinned, 'task')} queued, with the label 'pinned'"
    odd = sum("priority" in task.extra and not _is_rank(task.extra["priority"]) for task in tasks)
    if odd:
        yield f"priority other than 0 to {_LOWEST_PRIORITY}: {count_of(odd, 'task')} with the weight 1"


def _is_pinned(word: str | None) -> bool:
    return word is not None and word.strip().casefold() == _PINNED


def _is_issue(line: str) -> bool:
    record = _decoded(line)
    return (
        isinstance(record, dict) and {"id", "title"} <= record.keys() and bool(_ISSUE_FIELDS & record.keys())
    )


def _decoded(line: str) -> Any:
    try:
        return decode_json(line, Path())
    except SourceError:
        return None


def _fields_of(change: Change[Place]) -> dict[str, Any]:
    """What a change means for the fields of an issue."""
    fields: dict[str, Any] = {}
    if change.of("title"):
        fields["title"] = change.after.title
    if change.of("status"):
        fields |= _status_fields(change)
    if change.of("weight"):
        fields["priority"] = change.rank(_PRIORITIES)
    if change.of("dependencies"):
        fields["dependencies"] = _links(change)
    if change.of("updated_at"):
        fields["updated_at"] = change.after.updated_at
    return fields


def _status_fields(change: Change[Place]) -> dict[str, Any]:
    """The status with its time: what is closed or a tombstone has one, and nothing else has."""
    fields: dict[str, Any] = {"status": change.word(WORDS)}
    for status, name in _TIMES.items():
        if change.after.status is status:
            word = fields["status"]
            fields[name] = change.time(f"{word!r} goes with {name}, which is not known")
        elif change.before.status is status and name in change.before.extra:
            fields[name] = DROP
    return fields


def _links(change: Change[Place]) -> list[Any]:
    """The links of an issue with others to wait for; those that say something else stay where they are."""
    links = change.before.extra.get("dependencies")
    old = links if isinstance(links, list) else []
    known = {link["depends_on_id"]: link for link in old if _is_blocker(link, change.before.id)}
    wanted = [known.get(name) or _link(change, name) for name in change.after.dependencies]
    kept: list[Any] = []
    for link in old:
        if not _is_blocker(link, change.before.id):
            kept.append(link)
        elif wanted:
            kept.append(wanted.pop(0))
    return [*kept, *wanted]


def _link(change: Change[Place], name: str) -> dict[str, Any]:
    return {"issue_id": change.before.id, "depends_on_id": name, "type": "blocks"}
