"""Imports todo.txt files: a line a task. A file becomes one session.

What becomes what:

- a line that begins with ``x`` is completed, any other is queued.
- the text up to the projects, contexts and ``key:value`` pairs that it ends with becomes the title.
- ``id:`` becomes the id; a line without one has its number in the file. ``after:`` names, with commas, the
  ids of the tasks that this one waits for. Both are conventions of programs, not rules of the format.
- priority A, B, C becomes the weight 4, 3, 2; a later letter, and none, the weight 1. ``pri:A`` says the
  priority of a completed task.
- projects and contexts become labels, with their marks. The day of creation becomes created_at.
- priority, day of completion and every pair (``due:``…) are kept in ``extra``.
- written back are the title, the status (queued and completed), the weight and the dependencies. A completed
  task that has its day of creation needs that of its completion, which is taken from updated_at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._edits import Edit
from tiergate_plugins.importers._fields import dangling_note
from tiergate_plugins.importers._reading import printable, read_head, read_text
from tiergate_plugins.importers._records import Damages
from tiergate_plugins.importers._todotxt_lines import Line
from tiergate_plugins.importers._writing import Change, Parsed, rewritten

WRITES = frozenset({"title", "status", "weight", "dependencies"})
_WEIGHTS = {"A": 4.0, "B": 3.0, "C": 2.0}
_LETTERS = {4.0: "A", 3.0: "B", 2.0: "C", 1.0: ""}
_DONE = "x"
_NAMES = ("todo.txt", "done.txt")
_OWN_LINE = re.compile(r"^(?:x \d{4}-\d{2}-\d{2} |\([A-Z]\) \S)", re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")

Span = tuple[int, int]


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="todotxt",
        summary="todo.txt, a line a task",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether a .txt file is called so, or has a line with a priority or a day of completion."""
    name = path.name.lower()
    if not name.endswith(".txt"):
        return False
    head = read_head(path)
    return bool(head.strip()) and (name.endswith(_NAMES) or bool(_OWN_LINE.search(head)))


def read(path: Path) -> Imported:
    """Read every line.

    Raises:
        SourceError: the file cannot be read.
    """
    return _parse(read_text(path), path).imported


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The file with changed lines.

    Raises:
        SourceError: it cannot be read, lacks a task, or cannot say what is asked for.
    """
    return rewritten(path, sessions, WRITES, _parse, _edits)


def _parse(text: str, path: Path) -> Parsed[Span]:
    damages = Damages()
    lines = [(number, *span, Line.parse(text[slice(*span)])) for number, span in _spans(text)]
    named = {line.pairs["id"] for *_, line in lines if "id" in line.pairs}
    name = printable(path.stem)
    found: dict[str, Task] = {}
    places: dict[tuple[str, str], Span] = {}
    for number, start, end, line in lines:
        identity = line.pairs.get("id") or (str(number) if str(number) not in named else f"line-{number}")
        if identity in found:
            damages.add((start,), f"task {identity!r} stands twice", "give one of them another id:")
            continue
        found[identity] = _task(line, identity)
        places[name, identity] = (start, end)
    session = Session(id=name, title=name, tasks=tuple(found.values()))
    words = {_DONE: Status.COMPLETED} if any(task.source_status for task in session.tasks) else {}
    imported = Imported(
        sessions=[session],
        statuses=words,
        notes=dangling_note(session.tasks, name),
        damage=damages.errors(text, path),
    )
    return Parsed(imported, places)


def _spans(text: str) -> Iterator[tuple[int, Span]]:
    """Number, start and end of each line that is not blank, without its end of line."""
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, (start, start + len(line.removesuffix("\r")))
        start += len(line) + 1


def _task(line: Line, identity: str) -> Task:
    pairs = line.pairs
    letter = line.priority or (pairs.get("pri", "") if line.done else "")
    kept = {key: value for key, value in pairs.items() if key not in ("id", "after")}
    extra = {"priority": line.priority, "completed_on": line.completed, **kept}
    return Task(
        id=identity,
        title=line.title,
        status=Status.COMPLETED if line.done else Status.QUEUED,
        weight=_WEIGHTS.get(letter, 1.0),
        dependencies=tuple(dict.fromkeys(filter(None, pairs.get("after", "").split(",")))),
        labels=line.tags,
        created_at=line.created or None,
        source_status=_DONE if line.done else None,
        extra={key: value for key, value in extra.items() if value},
    )


def _edits(text: str, changes: Sequence[Change[Span]]) -> Iterator[Edit]:
    named = {Line.parse(text[slice(*span)]).pairs.get("id") for _, span in _spans(text)}
    for change in changes:
        line = Line.parse(text[slice(*change.place)])
        if change.of("title"):
            line.title = change.after.title
        if change.of("status"):
            _set_status(line, change)
        if change.of("weight"):
            _set_letter(line, change.rank(_LETTERS))
        if change.of("dependencies"):
            unnamed = [name for name in change.after.dependencies if name not in named]
            if unnamed:
                raise change.refuse(f"no line has id:{unnamed[0]}", "give the line such an id first")
            line.set_pair("after", change.after.dependencies)
        yield Edit(*change.place, str(line))


def _set_status(line: Line, change: Change[Span]) -> None:
    letter = line.priority or line.pairs.get("pri", "")
    line.done = change.word({Status.QUEUED: "", Status.COMPLETED: _DONE}) == _DONE
    line.completed = ""
    if line.done and line.created:
        time = change.time("a line with a day of creation needs the day of its completion")
        found = _DAY.match(time)
        if found is None:
            raise change.refuse(f"{time!r} has no day", "give updated_at as 2025-01-31")
        line.completed = found[0]
    line.set_pair("pri", ())
    _set_letter(line, letter)


def _set_letter(line: Line, letter: str) -> None:
    """Say the priority: in front, or as a pair once the line is completed."""
    line.priority = "" if line.done else letter
    line.set_pair("pri", [letter] if line.done and letter else [])
