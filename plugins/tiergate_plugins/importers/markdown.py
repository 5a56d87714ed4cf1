"""Imports Markdown checklists and reports. A file is one session, or has one under each heading of a session.

What becomes what:

- an item with a checkbox is a task; an item without one is a task where brackets at its end say a status.
- ``[ ]`` is queued, ``[x]`` completed, ``[/]`` active, ``[-]`` abandoned. Brackets at the end of the line say
  more: ``(blocked, weight 6, needs 2 and 3, momentum 10 %)``, see `_markdown_words`. Where the box and the
  brackets contradict each other, the box counts, and ``extra`` keeps the word as ``stated_status``.
- a heading is that of a session where it begins with the word session, or names it in capitals
  (``A_LONG_NAME``); also each heading of level 1 where there are several. Any other is a section, kept in
  ``extra``.
- a task of an ordered list has its number as id, any other its place among its neighbours; behind the id of
  the task that it is in. A number that is used again gets ``@SECTION`` behind it.
- statements of progress (``83 % complete``, ``1 of 6 done``) are kept in ``extra`` as ``stated_progress``, of
  the task on whose line they stand, else of the session.
- written back are the title, the status, the weight and the dependencies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status
from tiergate_plugins.importers._edits import Edit
from tiergate_plugins.importers._fields import dangling_note
from tiergate_plugins.importers._reading import printable, read_head, read_text
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

if TYPE_CHECKING:  # what reads Markdown is imported when there is some, as it takes a while
    from tiergate_plugins.importers._markdown_plan import Spot

WRITES = frozenset({"title", "status", "weight", "dependencies"})
_SUFFIXES = (".md", ".markdown", ".mdown", ".txt")
_LOOKED_AT = 1 << 18
_ITEM = r"^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+"
_BOX = r"\[[^\]\n]\](?:[ \t]|\r?$)"
_STATUS = r"[^\n]*\((?:{words})\b[^()\n]*\)[ \t]*\r?$"
_PLAIN = {Status.QUEUED: " ", Status.COMPLETED: "x"}


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="markdown",
        summary="a Markdown file with a checklist",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether a Markdown or text file has, near its beginning, an item with a checkbox or with a status."""
    if path.suffix.lower() not in _SUFFIXES:
        return False
    from tiergate_plugins.importers._markdown_words import STATUS_WORDS

    status = _STATUS.format(words="|".join(STATUS_WORDS))
    task = re.compile(f"{_ITEM}(?:{_BOX}|{status})", re.MULTILINE | re.IGNORECASE)
    return bool(task.search(read_head(path, _LOOKED_AT)))


def read(path: Path) -> Imported:
    """Read every task.

    Raises:
        SourceError: the file cannot be read.
    """
    return _parse(read_text(path), path).imported


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The file with changed tasks.

    Raises:
        SourceError: it cannot be read, lacks a task, or cannot say what is asked for.
    """
    return rewritten(path, sessions, WRITES, _parse, _edits)


def _parse(text: str, path: Path) -> Parsed[Spot]:
    from tiergate_plugins.importers._markdown_plan import read_plan

    plan = read_plan(text, printable(path.stem))
    notes = list(plan.notes())
    for session in plan.sessions:
        notes += dangling_note(session.tasks, session.id)
    return Parsed(Imported(sessions=plan.sessions, statuses=plan.statuses.met, notes=notes), plan.spots)


def _edits(text: str, changes: Sequence[Change[Spot]]) -> Iterator[Edit]:
    from tiergate_plugins.importers._markdown_words import Words, listed

    marks = {text[box] for box in _boxes(text)}
    for change in changes:
        spot = change.place
        words = Words.parse(text[spot.start : spot.end])
        if change.of("title"):
            words.title = change.after.title
        if change.of("weight"):
            weight = change.after.weight
            words.say("weight", "" if weight == 1 else f"weight {weight!r}".removesuffix(".0"))
        if change.of("dependencies"):
            words.say("needs", listed([spot.short(name) for name in change.after.dependencies]))
        if change.of("status"):
            mark, word = _said(change.after.status, spot, marks)
            words.say("status", word)
            if spot.box is not None:
                yield Edit(spot.box, spot.box + 1, mark)
        if str(words) != text[spot.start : spot.end]:
            yield Edit(spot.start, spot.end, str(words))


def _said(status: Status, spot: Spot, marks: set[str]) -> tuple[str, str]:
    """The character in the box and the word in brackets that say a status.

    ``[/]`` and ``[-]`` are shown as boxes by few programs, so they are written only where a file has them.
    """
    if spot.box is None:
        return "", str(status)
    if status in _PLAIN:
        return _PLAIN[status], ""
    from tiergate_plugins.importers._markdown_plan import MARKS

    own = next((mark for mark, known in MARKS.items() if known is status and mark in marks), None)
    return (own, "") if own is not None else (" ", str(status))


def _boxes(text: str) -> list[int]:
    from tiergate_plugins.importers._markdown_items import Item, parts_of

    return [item.box for item in parts_of(text) if isinstance(item, Item) and item.box is not None]
