"""Imports beads issue files: JSON Lines, one issue a line. A file becomes one session.

What becomes what:

- ``description`` becomes the notes. Where it is missing or blank, the notes are the first of
  ``design``, ``acceptance_criteria`` and ``notes`` that says something.
- ``priority`` 0 (highest) to 4 (lowest) becomes the weight, 5 minus priority; any other the weight 1.
- ``dependencies`` of type ``blocks`` become dependencies. The other types (``parent-child``,
  ``discovered-from``…) say how issues relate, not that one waits for another.
- every field but ``id``, ``title``, ``description``, ``status``, ``labels``, ``created_at`` and
  ``updated_at`` is kept unchanged in ``extra``, those that were made use of too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import (
    Statuses,
    count_of,
    dangling_note,
    take_text,
    take_texts,
    whole,
)
from tiergate_plugins.importers._reading import at, decode_json, printable, read_head, read_text

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
_PINNED = "pinned"
_LOWEST_PRIORITY = 4
_OTHER_TEXTS = ("design", "acceptance_criteria", "notes")
_ISSUE_FIELDS = {"status", "issue_type", "priority"}
_ISSUE_START = re.compile(r'\s*\{\s*"id"\s*:\s*"')


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="beads", summary="beads issues, a .jsonl file with one issue a line", detect=detect, read=read
    )


def detect(path: Path) -> bool:
    """Whether the file begins with a beads issue, whole, cut off or damaged.

    In a ``.jsonl`` file, where the first line may be damaged beyond recognition, any line will do.
    """
    lines = [line for line in read_head(path).split("\n") if line.strip()]
    if lines and _ISSUE_START.match(lines[0]) and _decoded(lines[0]) is None:
        return True
    return any(_is_issue(line) for line in (lines if path.suffix == ".jsonl" else lines[:1]))


def read(path: Path) -> Imported:
    """Read every issue.

    Raises:
        SourceError: the file cannot be read, a line is no issue, or an id stands twice.
    """
    statuses = Statuses(STATUSES)
    lines: dict[str, int] = {}
    tasks = []
    for number, text in enumerate(read_text(path).split("\n"), start=1):
        if not text.strip():
            continue
        task = _task(decode_json(text, path, line=number), statuses, at(path, number, 1))
        first = lines.setdefault(task.id, number)
        if first != number:
            raise SourceError(
                f"issue {task.id!r} stands twice: in line {first} and in line {number}",
                where=at(path, number),
                hint="keep one of them",
            )
        tasks.append(task)
    name = printable(path.stem)
    notes = [*statuses.notes(), *_notes(tasks), *dangling_note(tasks, name)]
    return Imported(
        sessions=[Session(id=name, title=name, tasks=tuple(tasks))], statuses=statuses.met, notes=notes
    )


def _task(record: Any, statuses: Statuses, where: str) -> Task:
    if not isinstance(record, dict):
        raise SourceError(f"not an issue: {_kind(record)} instead of an object", where=where)
    fields = dict(record)
    identity, title = take_text(fields, "id"), take_text(fields, "title")
    if not identity or title is None:
        missing = "title" if identity else "id"
        raise SourceError(f"not an issue: `{missing}` is missing or no text", where=where)
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
        if isinstance(link, dict)
        and link.get("type") == "blocks"
        and link.get("issue_id", identity) == identity
        and isinstance(link.get("depends_on_id"), str)
    ]
    return tuple(dict.fromkeys(found))


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


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", type(None): "null", bool: "a truth value"}.get(
        type(value), "a number"
    )
