"""JSON as the text that stands in a file: where each value is, and how to change one and nothing else.

Values are decoded elsewhere, strictly. Here a text is taken apart leniently, as far as it goes, so that the
beginning of a long file tells its format, and a damaged record its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# The longest quoted text is one run, so that a file of one string costs one step.
_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\]:,])|("[^"\\]*(?:\\.[^"\\]*)*")|([^\s{}\[\]:,"]+))', re.DOTALL)
_HEAD_DEPTH = 12

Place = tuple[int | str, ...]
"""Where a record is: the offset at which its JSON text begins, then the keys and numbers that lead to it."""


@dataclass(slots=True)
class Node:
    """A value in a text.

    Attributes:
        start: offset of its first character.
        end: offset behind its last one; of a value that is cut off, that of the text's end.
        members: of an object, each key's offset, the key, and its value.
        items: of a list, its values.
        closed: whether its end was found.
    """

    start: int
    end: int
    members: list[tuple[int, str, Node]] | None = None
    items: list[Node] | None = None
    closed: bool = True

    def member(self, name: str) -> Node | None:
        """The value of a key; of a key that stands twice, the last one, as decoders have it."""
        return next((node for _, key, node in reversed(self.members or ()) if key == name), None)

    def at(self, steps: Iterable[int | str]) -> Node:
        """The value that keys and numbers lead to.

        Raises:
            LookupError: there is none.
        """
        node = self
        for step in steps:
            found = node.member(step) if isinstance(step, str) else (node.items or ())[step]
            if found is None:
                raise LookupError(step)
            node = found
        return node


@dataclass(slots=True)
class _Scanner:
    text: str
    deepest: int
    open: list[Node] = field(default_factory=list)
    root: Node | None = None
    key: tuple[int, str] | None = None

    def run(self, start: int) -> Node | None:
        position = start
        while found := _TOKEN.match(self.text, position):
            position = found.end()
            if not self._take(found) or (self.root is not None and not self.open):
                break
        return self.root

    def _take(self, found: re.Match[str]) -> bool:
        mark, quoted, _ = found.groups()
        start, end = found.start(found.lastindex or 0), found.end()
        if mark in (",", ":"):
            return bool(self.open)
        if mark in ("}", "]"):
            if not self.open:
                return False
            closing = self.open.pop()
            closing.end, closing.closed = end, True
            return True
        if quoted is not None and self.open and self.open[-1].members is not None and self.key is None:
            self.key = (start, _decoded(quoted))
            return True
        node = Node(start, end)
        if mark is not None:
            if len(self.open) >= self.deepest:
                return False
            node = Node(
                start, len(self.text), [] if mark == "{" else None, [] if mark == "[" else None, False
            )
        self._put(node)
        if mark is not None:
            self.open.append(node)
        return True

    def _put(self, node: Node) -> None:
        holder = self.open[-1] if self.open else None
        if holder is None:
            self.root = node
        elif holder.items is not None:
            holder.items.append(node)
        elif holder.members is not None and self.key is not None:
            holder.members.append((*self.key, node))
            self.key = None


def scan(text: str, start: int = 0, *, deepest: int = 10_000) -> Node | None:
    """The value that begins at an offset, as far as it can be followed; None where none begins."""
    return _Scanner(text, deepest).run(start)


def head_value(text: str) -> Any:
    """What can be told of the JSON value that a text begins with, although the text may be cut off anywhere.

    What is nested deeper than formats nest is left out.
    """
    root = scan(text.lstrip("\ufeff"), deepest=_HEAD_DEPTH)
    return None if root is None else _value(text.lstrip("\ufeff"), root)


def values_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each JSON value in a text that has one behind the other, whatever is between."""
    position = 0
    while (node := scan(text, position)) is not None and node.closed:
        yield node.start, node.end
        position = node.end


def _value(text: str, node: Node) -> Any:
    if node.members is not None:
        return {key: _value(text, inner) for _, key, inner in node.members}
    if node.items is not None:
        return [_value(text, inner) for inner in node.items]
    return _decoded(text[node.start : node.end])


def _decoded(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return text
