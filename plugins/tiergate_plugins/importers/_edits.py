"""Changes of single places in a text; what is between them stays byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tiergate_plugins.importers._json_text import Node

_BREAK = re.compile(r"(\r?\n)([ \t]*)$")
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Edit:
    """A range of a text, and what is to stand there."""

    start: int
    end: int
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits made; edits at one place are made in their order.

    Raises:
        ValueError: two edits overlap.
    """
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < position:
            raise ValueError(f"edits overlap at character {edit.start}")
        parts += (text[position : edit.start], edit.text)
        position = edit.end
    return "".join((*parts, text[position:]))


def set_member(text: str, record: Node, name: str, value: Any) -> Edit:
    """Give a field of an object another value, or add it behind the last one, laid out as the object is.

    Args:
        text: the whole text.
        record: the object; it has a member.
        name: the field.
        value: plain JSON values.
    """
    style = _Style.of(text, record)
    old = record.member(name)
    if old is not None:
        written = text[old.start : old.end]
        flat = not isinstance(value, list | dict) or ("\n" not in written and len(written) > 2)
        return Edit(old.start, old.end, style.dump(value, flat=flat))
    *_, (_, _, last) = record.members or [(0, "", record)]
    key = f"{style.before_key}{style.quote(name)}{style.colon}"
    return Edit(last.end, last.end, f",{key}{style.dump(value)}")


def drop_member(record: Node, name: str) -> Edit | None:
    """Take a field out of an object with its comma; None where the object has no such field."""
    members = record.members or []
    for number, (start, key, node) in enumerate(members):
        if key != name:
            continue
        if number:
            return Edit(members[number - 1][2].end, node.end, "")
        following = members[1][0] if len(members) > 1 else node.end
        return Edit(start, following, "")
    return None


@dataclass(frozen=True, slots=True)
class _Style:
    """How an object is laid out.

    Attributes:
        before_key: what stands between a comma and the next key.
        colon: what stands between a key and its value.
        comma: what stands between items that share a line.
        unit: one step of indentation; empty where the object is on one line.
        ascii: whether other characters are written as escapes.
    """

    before_key: str
    colon: str
    comma: str
    unit: str
    ascii: bool

    @classmethod
    def of(cls, text: str, record: Node) -> _Style:
        (key, _, value), *more = record.members or [(record.start, "", record)]
        opening = text[record.start + 1 : key]
        colon = text[_end_of_key(text, key) : value.start]
        # Of a single field, the blank behind the colon tells whether commas have one too.
        alone = opening if _BREAK.search(opening) else " " if colon.endswith(" ") else ""
        between = text[value.end : more[0][0]] if more else f",{alone}"
        before_key = between[between.find(",") + 1 :]
        broken = _BREAK.search(before_key)
        closing = _BREAK.search(text[record.start : record.end - 1])
        unit = ""
        if broken:
            outer = closing[2] if closing else ""
            unit = broken[2].removeprefix(outer) or "  "
        comma = ", " if broken or before_key.startswith(" ") else ","
        return cls(before_key, colon, comma, unit, text.isascii() and "\\u" in text)

    def quote(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=self.ascii)

    def dump(self, value: Any, *, flat: bool = False) -> str:
        if flat or not self.unit or not value:
            colon = ": " if self.colon.endswith(" ") else ":"
            return json.dumps(value, ensure_ascii=self.ascii, separators=(self.comma, colon))
        broken = _BREAK.search(self.before_key)
        lines = json.dumps(value, ensure_ascii=self.ascii, indent=self.unit).split("\n")
        return (broken[0] if broken else "\n").join(lines)


def _end_of_key(text: str, start: int) -> int:
    found = _QUOTED.match(text, start)
    return found.end() if found else start
