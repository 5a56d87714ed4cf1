"""Imports GitHub issues as JSON: of the REST API, or of ``gh issue list --json``. One session a repository.

What becomes what:

- a list of issues; lists in a list (pages of ``gh api --slurp``), lists one behind the other (pages of
  ``gh api --paginate``) and issues one behind the other are read too. Pull requests are counted and left out.
- ``number`` becomes the id; ``state`` and ``state_reason`` become the status, and the word is both.
- an issue waits for those that its ``blockedBy`` names, that its body lists as tasks (``- [ ] #12``), or
  of which the body says ``depends on #12`` or ``blocked by #12``. Of another repository's, nothing is known.
- the names of ``labels`` become the labels. ``priority: high`` or ``P1`` among them gives the weight:
  critical or P0 4, high or P1 3, medium or P2 2, any other and none 1.
- ``milestone``, ``assignees`` and every other field are kept unchanged in ``extra``.

Issues are changed at GitHub; nothing is written back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
    priority_weight,
    take_text,
    whole,
)
from tiergate_plugins.importers._json_text import Place, head_value, values_in
from tiergate_plugins.importers._reading import decode_json, printable, read_head, read_text
from tiergate_plugins.importers._records import Damages, Reader

STATUSES = {
    "open": Status.QUEUED,
    "open/reopened": Status.QUEUED,
    "closed": Status.COMPLETED,
    "closed/completed": Status.COMPLETED,
    "closed/not_planned": Status.ABANDONED,
    "closed/duplicate": Status.ABANDONED,
}
_REPOSITORY = re.compile(r"(?:/repos/|://[^/]+/)([^/]+/[^/]+?)(?:/issues/\d+)?$")
_LISTED = re.compile(r"^[ \t]*[-*+][ \t]+\[[ xX]\][ \t]+#(\d+)\b", re.MULTILINE)
_SAID = re.compile(r"\b(?:depends on|blocked by)[: ]+((?:#\d+(?:\s*(?:,|and|&)\s*)?)+)", re.IGNORECASE)
_PRIORITY = re.compile(r"(?:priority\s*[:/ -]\s*)(critical|high|medium|low)|p([0-3])", re.IGNORECASE)


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="github", summary="GitHub issues as JSON, of the REST API or of gh", detect=detect, read=read
    )


def detect(path: Path) -> bool:
    """Whether the file begins with an issue: a number, a title and a state, whatever its order of fields.

    An issue that is longer than what is looked at is told by its number and a field that only GitHub has.
    """
    value = head_value(read_head(path))
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return False
    return {"number", "title", "state"} <= value.keys() or {"number", "title", "node_id"} <= value.keys()


def read(path: Path) -> Imported:
    """Read every issue.

    Raises:
        SourceError: the file cannot be read, or is no list of issues.
    """
    text = read_text(path)
    statuses, damages = Statuses(STATUSES), Damages()
    reader = Reader(_fault, _identity, lambda fields, one: _task(fields, one, statuses), damages)
    records = list(_records(text, path))
    issues = [(place, record) for place, record in records if not _is_pull_request(record)]
    groups: dict[str, list[tuple[Place, Any]]] = {}
    for place, record in issues:
        groups.setdefault(_repository(record) or printable(path.stem), []).append((place, record))
    sessions = []
    for name, group in groups.items():
        found = reader.read(group)
        sessions.append(Session(id=name, title=name, tasks=tuple(task for _, task in found.values())))
    notes = statuses.notes()
    for session in sessions:
        notes += dangling_note(session.tasks, session.id)
    if len(issues) < len(records):
        notes.append(f"left out: {count_of(len(records) - len(issues), 'pull request')}")
    return Imported(sessions=sessions, statuses=statuses.met, notes=notes, damage=damages.errors(text, path))


def _records(text: str, path: Path) -> Iterator[tuple[Place, Any]]:
    """The issues of a file with their places, through whatever lists they are in."""
    try:
        whole_text = decode_json(text, path)
    except SourceError as error:
        yield from _one_behind_the_other(text, path, error)
    else:
        yield from _flat(whole_text, (0,))


def _one_behind_the_other(text: str, path: Path, refusal: SourceError) -> Iterator[tuple[Place, Any]]:
    """The issues of a text that has several values, which is no JSON as a whole.

    Raises:
        SourceError: something else is between them; it is the refusal of the whole text.
    """
    spans = list(values_in(text))
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    between = "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    if len(spans) < 2 or between.strip():
        raise refusal
    for start, end in spans:
        line = text.count("\n", 0, start) + 1
        yield from _flat(decode_json(text[start:end], path, line=line), (start,))


def _flat(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    pending = [(place, value)]
    while pending:
        where, found = pending.pop()
        if isinstance(found, list):
            pending += reversed([((*where, number), one) for number, one in enumerate(found)])
        else:
            yield where, found


def _is_pull_request(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("pull_request"), dict)


def _repository(record: Any) -> str | None:
    """``owner/name`` of an issue, from whichever of its addresses says so."""
    fields = record if isinstance(record, dict) else {}
    for name in ("repository_url", "html_url", "url"):
        found = _REPOSITORY.search(fields[name]) if isinstance(fields.get(name), str) else None
        if found:
            return found[1]
    return None


def _fault(record: Any) -> str | None:
    if not isinstance(record, dict):
        return f"is {kind_of(record)} instead of an object"
    if not whole(record.get("number")):
        return "has no `number`"
    return None if isinstance(record.get("title"), str) else "has no text `title`"


def _identity(record: dict[str, Any], _place: Place) -> str:
    return str(record["number"])


def _task(fields: dict[str, Any], identity: str, statuses: Statuses) -> Task:
    del fields["number"]
    body = take_text(fields, "body") or ""
    labels = _labels(fields.get("labels"))
    status, word = statuses.take({"status": _word(fields)} if isinstance(fields.get("state"), str) else {})
    return Task(
        id=identity,
        title=fields.pop("title"),
        notes=body,
        status=status,
        weight=max((_weight(label) for label in labels), default=1.0),
        dependencies=tuple(name for name in _blockers(fields, body) if name != identity),
        labels=labels,
        created_at=take_text(fields, "created_at") or take_text(fields, "createdAt"),
        updated_at=take_text(fields, "updated_at") or take_text(fields, "updatedAt"),
        source_status=word,
        extra=fields,
    )


def _word(fields: dict[str, Any]) -> str:
    """State and reason as one word; both stay where they are."""
    reason = fields.get("state_reason") or fields.get("stateReason")
    state = str(fields["state"]).casefold()
    return f"{state}/{reason.casefold()}" if isinstance(reason, str) and reason else state


def _labels(written: Any) -> tuple[str, ...]:
    labels = written if isinstance(written, list) else []
    names = [label.get("name") if isinstance(label, dict) else label for label in labels]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def _weight(label: str) -> float:
    found = _PRIORITY.fullmatch(label.strip())
    if not found:
        return 1.0
    return max(4.0 - int(found[2]), 1.0) if found[2] else priority_weight(found[1])


def _blockers(fields: dict[str, Any], body: str) -> Iterable[str]:
    stated = fields.get("blockedBy")
    links = stated.get("nodes") if isinstance(stated, dict) else stated
    numbers = [
        str(link["number"])
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict) and whole(link.get("number"))
    ]
    said = [name for phrase in _SAID.findall(body) for name in re.findall(r"#(\d+)", phrase)]
    return dict.fromkeys([*numbers, *_LISTED.findall(body), *said])
