"""The page on formats says what the importers do."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from tiergate.hooks import ImporterDeclaration
from tiergate.model import Status
from tiergate_plugins.importers import _markdown_plan, _markdown_words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "sources.md"
MAPPED = ["beads", "taskmaster", "backlog", "shrimp", "taskwarrior", "claude_todos", "github"]


def rows(heading: str) -> dict[str, list[str]]:
    """The cells behind the first one of each row, of the first table behind a heading."""
    text = PAGE.read_text(encoding="utf-8").split(f"{heading}\n", 1)[1]
    table = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", text.split("\n## ")[0], flags=re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in table}


def words_of(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_format_says_what_is_written_back(importers: list[ImporterDeclaration]) -> None:
    found = rows("# Formats of sources")
    assert set(found) == {importer.name for importer in importers} | {"store"}
    for importer in importers:
        said = set(found[importer.name][-1].split(", ")) - {"no"}
        assert said == importer.writes, importer.name


@pytest.mark.parametrize("name", MAPPED)
def test_every_word_stands_in_the_column_of_its_status(name: str) -> None:
    known = import_module(f"tiergate_plugins.importers.{name}").STATUSES
    cells = rows("## How statuses are mapped")[name.replace("_", "-")]
    for status, cell in zip(Status, cells, strict=True):
        said = words_of(cell)
        if name == "taskwarrior" and status is Status.ACTIVE:
            assert said == {"pending", "start"}  # which no word alone says
            continue
        assert {word for word in said if word in known} == {
            word for word, mapped in known.items() if mapped is status
        }, (name, status)


def test_the_words_of_markdown_stand_in_their_columns() -> None:
    boxes = {f"[{mark}]": status for mark, status in _markdown_plan.MARKS.items()}
    known = {**boxes, **_markdown_words.STATUS_WORDS}
    cells = rows("## How statuses are mapped")["markdown"]
    for status, cell in zip(Status, cells, strict=True):
        assert words_of(cell) == {word for word, mapped in known.items() if mapped is status}
