"""Records of JSON files: where each stands, those that are damaged, and edits of their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate_plugins.importers._edits import Edit, drop_member, set_member
from tiergate_plugins.importers._json_text import Node, Place, scan
from tiergate_plugins.importers._reading import at, decode_json, place
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
        return [
            *self.placed,
            *(
                SourceError(what, where=place(path, text[: nodes.at(where).start]), hint=hint)
                for where, what, hint in self.found
            ),
        ]


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
                edit = (
                    drop_member(text, record, name)
                    if value is DROP
                    else set_member(text, record, name, value)
                )
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


def line_of(path: Path, number: int) -> str:
    """``file:line:1``."""
    return at(path, number, 1)


def all_objects(values: Iterable[Any]) -> bool:
    """Whether there is a value, and each is an object."""
    values = list(values)
    return bool(values) and all(isinstance(value, dict) for value in values)
