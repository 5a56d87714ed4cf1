"""Records of JSON files: where each stands, those that are damaged, and edits of their fields."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate.model import Task
from tiergate_plugins.importers._edits import Edit, drop_member, set_member
from tiergate_plugins.importers._fields import kind_of
from tiergate_plugins.importers._json_text import Node, Place, head_value, scan
from tiergate_plugins.importers._reading import at, decode_json, read_head
from tiergate_plugins.importers._writing import Change

DROP = object()
"""In place of a value: the field is to be taken out."""

Fields = Callable[[Change[Place]], dict[str, Any]]


@dataclass(slots=True)
class Damages:
    """Collects what cannot be read, to be placed in the text once all of it is known."""

    found: list[tuple[Place, str, str | None]] = field(default_factory=list)
    placed: list[SourceError] = field(default_factory=list)

    def add(self, where: Place, what: str, hint: str | None = None) -> None:
        """Note a record that is left out."""
        self.found.append((where, what, hint))

    def errors(self, text: str, path: Path) -> list[SourceError]:
        """One error a record, with line and column."""
        nodes = Nodes(text)
        breaks = [found.start() for found in re.finditer("\n", text)] if self.found else []

        def where(place: Place) -> str:
            start = nodes.at(place).start
            line = bisect_left(breaks, start)
            return at(path, line + 1, start - (breaks[line - 1] + 1 if line else 0) + 1)

        placed = [SourceError(what, where=where(place), hint=hint) for place, what, hint in self.found]
        return [*self.placed, *placed]


@dataclass(slots=True)
class Nodes:
    """Finds records in a text, which is taken apart once."""

    text: str
    _roots: dict[int, Node | None] = field(default_factory=dict)

    def at(self, where: Place) -> Node:
        """The value at a place; the outermost one that there is, where the place leads nowhere."""
        offset, *steps = where
        start = int(offset)
        if start not in self._roots:
            self._roots[start] = scan(self.text, start)
        root = self._roots[start] or Node(start, start)
        try:
            return root.at(steps)
        except LookupError:
            return root


def edits_of(fields: Fields) -> Callable[[str, Sequence[Change[Place]]], Iterator[Edit]]:
    """Makes the edits of records from what each change means for their fields."""

    def make(text: str, changes: Sequence[Change[Place]]) -> Iterator[Edit]:
        nodes = Nodes(text)
        for change in changes:
            record = nodes.at(change.place)
            for name, value in fields(change).items():
                edit = drop_member(record, name) if value is DROP else set_member(text, record, name, value)
                if edit is not None:
                    yield edit

    return make


def json_lines(text: str, path: Path, damages: Damages) -> Iterator[tuple[int, int, Any]]:
    """Number, offset and value of each line of JSON Lines; a line that is no JSON is noted and left out."""
    offset = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                value = decode_json(line, path, line=number)
            except SourceError as error:
                damages.placed.append(error)
            else:
                yield number, offset, value
        offset += len(line) + 1


@dataclass(slots=True)
class Reader:
    """Makes tasks of records, each with an id of its own.

    Attributes:
        fault: what is wrong with a record, in words that follow its name; None where nothing is.
        identity: the id of a record that has no fault.
        build: the task of a record, given the record and its id.
        damages: where records that are left out are noted.
    """

    fault: Callable[[Any], str | None]
    identity: Callable[[dict[str, Any], Place], str]
    build: Callable[[dict[str, Any], str], Task]
    damages: Damages

    def read(self, records: Iterable[tuple[Place, Any]]) -> dict[str, tuple[Place, Task]]:
        """The tasks with their places, by id, in their order."""
        found: dict[str, tuple[Place, Task]] = {}
        for number, (where, record) in enumerate(records, start=1):
            fault = self.fault(record)
            if fault:
                self.damages.add(where, f"record {number} {fault}")
                continue
            identity = self.identity(record, where)
            if identity in found:
                self.damages.add(where, f"task {identity!r} stands twice", "keep one of them")
                continue
            found[identity] = (where, self.build(dict(record), identity))
        return found


def missing_text(record: Any, *names: str) -> str | None:
    """What is wrong with a record that must have these texts."""
    if not isinstance(record, dict):
        return f"is {kind_of(record)} instead of an object"
    lacking = next((name for name in names if not isinstance(record.get(name), str)), None)
    return None if lacking is None else f"has no text `{lacking}`"


def items_of(document: Any, *steps: str) -> Iterator[tuple[Place, Any]]:
    """The items of the list that keys lead to, with their places."""
    items = document
    for step in steps:
        items = items[step]
    for number, item in enumerate(items):
        yield (0, *steps, number), item


def first_record(path: Path, *steps: str) -> dict[str, Any] | None:
    """The first record of a list that a file begins with, as far as it is seen; None where there is none."""
    value = head_value(read_head(path))
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    record = value[0] if isinstance(value, list) and value else None
    return record if isinstance(record, dict) else None
