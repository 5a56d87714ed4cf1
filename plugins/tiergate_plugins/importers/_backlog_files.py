"""Where a Backlog.md project keeps its tasks, and its settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError
from tiergate_plugins.importers._front_matter import parse
from tiergate_plugins.importers._reading import printable, read_head, read_text, unreadable

_PROJECT_FOLDERS = ("", "backlog", ".backlog")
_CONFIG = "config.yml"
_SNIFFED = 20
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of tasks, and what lying in it says about a task."""

    name: str
    archived: bool = False
    draft: bool = False


FOLDERS = (
    Folder("tasks"),
    Folder("completed"),
    Folder("drafts", draft=True),
    Folder("archive/tasks", archived=True),
    Folder("archive/drafts", archived=True, draft=True),
)
"""In the order in which an id that stands twice is kept. Documents, decisions and milestones are no tasks."""


def looks_like_project(path: Path) -> bool:
    """Whether there is a project with settings, or with a Markdown file that has front matter."""
    for root in _candidates(path):
        if "project_name:" in read_head(root / _CONFIG):
            return True
        for folder in FOLDERS:
            if any(read_head(file).startswith("---") for file in _first_files(root / folder.name)):
                return True
    return False


def _first_files(folder: Path) -> list[Path]:
    """Some Markdown files of a folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in islice(entries, _SNIFFED) if _is_markdown(entry.name)]
    except (OSError, ValueError):
        return []


def project_root(path: Path) -> Path:
    """The folder that holds the folders of tasks: `path`, or ``backlog`` or ``.backlog`` in it.

    Raises:
        SourceError: there is none, or `path` is no folder that can be read.
    """
    try:
        os.scandir(path).close()
    except NotADirectoryError as error:
        raise SourceError(
            "not a folder", where=printable(path), hint="name the folder that holds backlog/"
        ) from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    for root in _candidates(path):
        if any((root / folder.name).is_dir() for folder in FOLDERS):
            return root
    names = ", ".join(f"{folder.name}/" for folder in FOLDERS)
    raise SourceError(
        "not a Backlog.md project", where=printable(path), hint=f"none of {names} in it or in backlog/"
    )


def markdown_files(root: Path, folder: Folder) -> Iterator[Path]:
    """The Markdown files in a folder of tasks and below it, in the order of their names.

    Raises:
        SourceError: a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise unreadable(Path(error.filename), error) from error

    for where, below, names in os.walk(root / folder.name, onerror=refuse):
        below.sort()
        for name in sorted(names):
            if _is_markdown(name):
                yield Path(where, name)


def settings(root: Path) -> dict[str, Any]:
    """What ``config.yml`` says; nothing where there is none.

    Raises:
        SourceError: the file is there and cannot be read.
    """
    path = root / _CONFIG
    return parse(read_text(path), path) if path.exists() else {}


def project_name(root: Path, configured: Any) -> str:
    """The project's name: from its settings, else that of the folder around ``backlog``."""
    if isinstance(configured, str) and configured.strip():
        return configured.strip()
    whole = root.absolute()
    return printable((whole.parent if whole.name in _PROJECT_FOLDERS else whole).name)


def slug(name: str) -> str:
    """A name as an id: lower-case ASCII letters and digits, joined by hyphens."""
    return _NOT_SLUG.sub("-", name.casefold()).strip("-") or "backlog"


def _candidates(path: Path) -> Iterator[Path]:
    yield from (path / name if name else path for name in _PROJECT_FOLDERS)


def _is_markdown(name: str) -> bool:
    # Hidden ones are locks and backups of editors.
    return name.lower().endswith(".md") and not name.startswith(".")
