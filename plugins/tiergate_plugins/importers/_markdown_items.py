"""The list items and headings of a Markdown text, with the lines that they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ENDS = re.compile(r"\r\n|\r|\n")
_ITEM = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+(?:\[(?P<mark>[^\]])\](?:[ \t]+|$))?(?P<text>.*)")
DEEPEST = 50
"""Lists in lists that are read; what is in the innermost one is left out."""


@dataclass(slots=True)
class Heading:
    """A heading: its level, text and line, counted from 0."""

    level: int
    text: str
    line: int


@dataclass(slots=True)
class Item:
    """An item of a list.

    Attributes:
        line: the line that it begins on, counted from 0.
        number: its number in an ordered list as written; empty in any other.
        mark: the character in its checkbox; None without one.
        text: the rest of its first line.
        start: offset of `text` in the whole text.
        box: offset of `mark` in the whole text; None without one.
        more: its other lines and paragraphs, without those of items in it.
        holder: the item that it is in.
        depth: how many items it is in.
    """

    line: int
    number: str
    mark: str | None
    text: str
    start: int
    box: int | None
    holder: Item | None
    depth: int
    more: list[str] = field(default_factory=list)


def lines_of(text: str) -> list[tuple[int, str]]:
    """Offset and text of every line, without its end."""
    found, start = [], 0
    for end in _ENDS.finditer(text):
        found.append((start, text[start : end.start()]))
        start = end.end()
    return [*found, (start, text[start:])]


def parts_of(text: str) -> Iterator[Heading | Item]:
    """Headings and list items in their order; what stands in code or in HTML is none."""
    from markdown_it import MarkdownIt  # listing plugins must not pay for it

    lines = lines_of(text)
    # Tabs, marks and links inside a line are not looked at, so only blocks are told apart.
    # A list and its item are two levels of nesting.
    tokens = MarkdownIt("commonmark", {"maxNesting": 2 * DEEPEST}).disable("inline").parse(text)
    open_items: list[Item | None] = []
    heading: int | None = None
    for token in tokens:
        if token.type == "list_item_open":
            item = _item(lines, token.map[0] if token.map else 0, token.info, open_items)
            open_items.append(item)
            if item is not None:
                yield item
        elif token.type == "list_item_close":
            open_items.pop()
        elif token.type == "heading_open":
            heading = int(token.tag[1:])
        elif token.type == "inline":
            line = token.map[0] if token.map else 0
            if heading is not None and not open_items:
                yield Heading(heading, token.content.strip(), line)
            elif open_items and open_items[-1] is not None:
                _add(open_items[-1], token.content, line)
            heading = None


def _item(lines: list[tuple[int, str]], line: int, number: str, open_items: list[Item | None]) -> Item | None:
    start, text = lines[line]
    found = _ITEM.fullmatch(text.rstrip(" \t"))
    if found is None:
        return None
    holder = next((item for item in reversed(open_items) if item is not None), None)
    box = None if found["mark"] is None else start + found.start("mark")
    return Item(
        line, number, found["mark"], found["text"], start + found.start("text"), box, holder, len(open_items)
    )


def _add(item: Item, content: str, line: int) -> None:
    own = content.split("\n")
    item.more += own[1:] if line == item.line else own
