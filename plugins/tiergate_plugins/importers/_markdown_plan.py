"""Sessions and tasks of a Markdown text: which items are tasks, their ids, and what they wait for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._fields import Statuses
from tiergate_plugins.importers._markdown_items import DEEPEST, Heading, Item, lines_of, parts_of
from tiergate_plugins.importers._markdown_words import Words, claims

MARKS = {
    " ": Status.QUEUED,
    "x": Status.COMPLETED,
    "/": Status.ACTIVE,
    "-": Status.ABANDONED,
}
"""What the character in a checkbox means; a capital X is an x."""

_BOXES = {f"[{mark}]": status for mark, status in MARKS.items()}

_CAPITALS = re.compile(r"\b[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+){2,}\b")
_QUOTED = re.compile(r"`([^`\s]+)`")
_SESSION = re.compile(r"session\b", re.IGNORECASE)
_NOT_SLUG = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a task stands.

    Attributes:
        start: offset of its text.
        end: offset behind it.
        box: offset of the character in its checkbox; None without one.
        near: the ids of its neighbours, by the number that they are known by among themselves.
    """

    start: int
    end: int
    box: int | None
    near: dict[str, str] = field(hash=False, compare=False)

    def short(self, identity: str) -> str:
        """An id as this task writes it: a neighbour's is its number."""
        return next((number for number, known in self.near.items() if known == identity), identity)


@dataclass(slots=True)
class _Part:
    """A session that is being read."""

    id: str
    title: str
    tasks: dict[str, Task] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What a text says.

    Attributes:
        sessions: in their order, without those that have no task.
        spots: where each task stands, by the ids of its session and of itself.
    """

    name: str
    sessions: list[Session] = field(default_factory=list)
    spots: dict[tuple[str, str], Spot] = field(default_factory=dict)
    statuses: Statuses = field(default_factory=lambda: Statuses(_BOXES))
    disagreeing: list[str] = field(default_factory=list)
    too_deep: list[int] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        """What a reader should know, one line each."""
        yield from self.statuses.notes()
        for line in self.too_deep:
            yield f"line {line}: lists are nested more than {DEEPEST} deep, what is in this item is left out"
        for place in self.disagreeing:
            yield f"the box and the words in brackets contradict each other, the box counts: {place}"


def read_plan(text: str, name: str) -> Plan:
    """Read a Markdown text.

    Args:
        text: the text.
        name: what the session is called that tasks outside other sessions belong to.
    """
    plan = Plan(name)
    parts = list(parts_of(text))
    _Reader(plan, text, _session_headings(parts)).read(parts)
    return plan


def _session_headings(parts: list[Heading | Item]) -> set[int]:
    """The lines of the headings that begin a session."""
    headings = [part for part in parts if isinstance(part, Heading)]
    tops = [heading for heading in headings if heading.level == 1]
    named = [one for one in headings if _SESSION.match(one.text) or _CAPITALS.search(one.text)]
    return {one.line for one in (named or (tops if len(tops) > 1 else []))}


class _Reader:
    """Goes through the parts of a text."""

    def __init__(self, plan: Plan, text: str, session_lines: set[int]) -> None:
        self.plan = plan
        self.lines = lines_of(text)
        self.session_lines = session_lines
        self.parts: dict[str, _Part] = {}
        self.part = self._part(plan.name, plan.name)
        self.level = 0
        self.sections: list[Heading] = []
        self.ids: dict[int, str] = {}
        self.near: dict[tuple[str, str, str], dict[str, str]] = {}
        self.owners: dict[int, tuple[_Part, str | None]] = {}

    def read(self, parts: list[Heading | Item]) -> None:
        """Read everything, then say which task waits for which and what is claimed."""
        last = 0
        for part in parts:
            self._own(last, part.line)
            last = part.line
            if isinstance(part, Heading):
                self._heading(part)
            elif not self._task(part):
                self.owners[part.line] = (self.part, None)
        self._own(last, len(self.lines))
        self._claims()
        for found in self.parts.values():
            extra = {"stated_progress": found.claims} if found.claims else {}
            tasks = tuple(self._linked(found, task) for task in found.tasks.values())
            if tasks or extra:
                self.plan.sessions.append(Session(id=found.id, title=found.title, tasks=tasks, extra=extra))

    def _own(self, start: int, end: int) -> None:
        for line in range(start, end):
            self.owners.setdefault(line, (self.part, None))

    def _part(self, identity: str, title: str) -> _Part:
        return self.parts.setdefault(identity, _Part(identity, title))

    def _heading(self, heading: Heading) -> None:
        if heading.line in self.session_lines:
            self.part = self._part(_session_id(heading.text), heading.text)
            self.level, self.sections = heading.level, []
        elif heading.level <= self.level:
            self.part, self.level, self.sections = self.parts[self.plan.name], 0, [heading]
        else:
            self.sections = [one for one in self.sections if one.level < heading.level] + [heading]
            if heading.level == 1 and not self.part.tasks:
                self.part.title, self.sections = heading.text, []

    def _task(self, item: Item) -> bool:
        if item.depth + 1 >= DEEPEST:
            self.plan.too_deep.append(item.line + 1)
        words = Words.parse(item.text)
        if (item.mark is None and words.status is None) or not item.text:
            return False
        parent = self._parent(item)
        section = " > ".join(heading.text for heading in self.sections)
        identity, number = self._identity(item, parent, section)
        near = self.near.setdefault((self.part.id, parent, section), {})
        near.setdefault(number, identity)
        self.ids[id(item)] = identity
        status, word, extra = self._status(item, words)
        if section:
            extra["section"] = section
        self.part.tasks[identity] = Task(
            id=identity,
            title=words.title,
            notes="\n".join(item.more).strip(),
            status=status,
            weight=words.weight,
            dependencies=words.needs,
            momentum=words.momentum,
            source_status=word,
            extra=extra,
        )
        spot = Spot(item.start, item.start + len(item.text), item.box, near)
        self.plan.spots[self.part.id, identity] = spot
        self.owners[item.line] = (self.part, identity)
        return True

    def _parent(self, item: Item) -> str:
        """The id of the nearest task that an item is in; empty without one."""
        holder = item.holder
        while holder is not None:
            if id(holder) in self.ids:
                return self.ids[id(holder)]
            holder = holder.holder
        return ""

    def _identity(self, item: Item, parent: str, section: str) -> tuple[str, str]:
        """The id of a task, and the number by which its neighbours know it."""
        self.part.counts[parent] = self.part.counts.get(parent, 0) + 1
        number = item.number or str(self.part.counts[parent])
        plain = f"{parent}.{number}" if parent else number
        identity, turn = plain, 1
        while identity in self.part.tasks:
            suffix = _slug(section) or "again"
            identity, turn = f"{plain}@{suffix}" + (f"-{turn}" if turn > 1 else ""), turn + 1
        return identity, number

    def _status(self, item: Item, words: Words) -> tuple[Status, str | None, dict[str, Any]]:
        said = words.status
        if item.mark is None and said is not None:
            self.plan.statuses.met[said[1]] = said[0]
            return *said, {}
        word = f"[{item.mark}]"
        boxed, _ = self.plan.statuses.take({"status": word})
        if said is None or said[0] is boxed:
            return boxed, word, {}
        # An empty box says that a task is not done, which goes with every word but completed.
        if word != "[ ]" or said[0] is Status.COMPLETED:
            self.plan.disagreeing.append(f"line {item.line + 1}, {word} and {said[1]!r}")
            return boxed, word, {"stated_status": said[1]}
        self.plan.statuses.met[said[1]] = said[0]
        return said[0], said[1], {}

    def _linked(self, part: _Part, task: Task) -> Task:
        """A task with the ids of what it waits for: of a neighbour by its number, else of any task."""
        near = self.plan.spots[part.id, task.id].near
        found = tuple(
            dict.fromkeys(
                near.get(name, name) if near.get(name) != task.id else name for name in task.dependencies
            )
        )
        return task if found == task.dependencies else msgspec.structs.replace(task, dependencies=found)

    def _claims(self) -> None:
        for line, (_, text) in enumerate(self.lines):
            found = claims(text, line + 1)
            if not found:
                continue
            part, identity = self.owners[line]
            if identity is None:
                part.claims += found
            else:
                extra = {**part.tasks[identity].extra, "stated_progress": found}
                part.tasks[identity] = msgspec.structs.replace(part.tasks[identity], extra=extra)


def _session_id(heading: str) -> str:
    found = _QUOTED.search(heading) or _CAPITALS.search(heading)
    return (found[1] if found.lastindex else found[0]) if found else _slug(heading) or heading


def _slug(text: str) -> str:
    return _NOT_SLUG.sub("-", text.casefold()).strip("-_")
