"""The public data, and what is hidden of it before it is matched."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tiergate.matching import Plan
from tiergate.model import Session, Status, Task

SNAPSHOTS = ("2025-12-16", "2025-12-23", "2025-12-28")
_STATUSES = {
    "in_progress": Status.ACTIVE,
    "hooked": Status.ACTIVE,
    "blocked": Status.BLOCKED,
    "deferred": Status.BLOCKED,
    "closed": Status.COMPLETED,
    "tombstone": Status.ABANDONED,
}


class Issue(NamedTuple):
    """A task of a snapshot."""

    id: str
    title: str
    notes: str
    status: Status


def data_folder() -> Path | None:
    """The folder with the data, as the tests find it; None where it is not there."""
    named = os.environ.get("TIERGATE_TEST_DATA")
    folder = Path(named) if named else Path.cwd().parent / "shared" / "data"
    return folder if (folder / "beads").is_dir() else None


def status_of(word: str) -> Status:
    """What a status word of the store means."""
    return _STATUSES.get(word, Status.QUEUED)


def issues(folder: Path, day: str) -> list[Issue]:
    """The tasks of one snapshot."""
    with (folder / "beads" / f"session-{day}.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return [
        Issue(row["id"], row["title"], row.get("description") or "", status_of(row.get("status", "open")))
        for row in rows
    ]


def hidden(source: str, tasks: Iterable[Issue], seed: int) -> tuple[Plan, dict[str, str]]:
    """A plan of these tasks, mixed, under random ids, without times and links; and the ids by these."""
    draw = random.Random(f"{source} {seed}")
    mixed = list(tasks)
    draw.shuffle(mixed)
    real: dict[str, str] = {}
    shown = []
    for issue in mixed:
        name = f"{source}{draw.getrandbits(48):x}"
        real[name] = issue.id
        shown.append(Task(id=name, title=issue.title, notes=issue.notes, status=issue.status))
    return Plan(source=source, sessions=(Session(id=source, tasks=tuple(shown)),)), real


def load_json(path: Path) -> Any:
    """A JSON file; one object that holds a list stands for the list."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, list) else next(iter(found.values()))
