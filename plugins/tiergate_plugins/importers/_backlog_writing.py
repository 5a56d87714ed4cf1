"""Writing a changed task of a Backlog.md project into its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiergate.model import Status
from tiergate_plugins.importers._backlog_files import Folder
from tiergate_plugins.importers._edits import applied
from tiergate_plugins.importers._front_matter_edits import Value, front_edits
from tiergate_plugins.importers._reading import read_text
from tiergate_plugins.importers._writing import Change, bytes_of

_USUAL = ("To Do", "In Progress", "Done")
_PRIORITIES = {3.0: "high", 2.0: "medium", 1.0: "low"}


def words_of(config: Mapping[str, Any], known: Mapping[str, Status]) -> dict[Status, str]:
    """The project's word for each status that it has one for.

    Args:
        config: the settings, whose ``statuses`` are the words of the project.
        known: what each word becomes, in lower case.
    """
    stated = config.get("statuses")
    words = [word for word in stated if isinstance(word, str)] if isinstance(stated, list) else list(_USUAL)
    found: dict[Status, str] = {}
    for word in words:
        status = known.get(word.strip().casefold())
        if status is not None:
            found.setdefault(status, word)
    return found


def written(change: Change[tuple[Path, Folder]], file: Path, words: Mapping[Status, str]) -> bytes:
    """What a task's file is to hold.

    Raises:
        SourceError: it cannot be read, or the project has no word for what is asked for.
    """
    fields: dict[str, Value] = {}
    if change.of("title"):
        fields["title"] = change.after.title
    if change.of("status"):
        fields["status"] = change.word(words)
    if change.of("weight"):
        fields["priority"] = change.rank(_PRIORITIES)
    if change.of("dependencies"):
        fields["dependencies"] = change.after.dependencies
    text = read_text(file)
    return bytes_of(applied(text, front_edits(text, fields)), file)
