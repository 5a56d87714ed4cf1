"""What ``tiergate sessions`` shows of a store: sessions, tasks and figures as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tiergate.cli.output import output_width
from tiergate.cli.terminal import columns, excerpt, visible, visible_lines
from tiergate.errors import counted as counted  # noqa: PLC0414 (commands take it from here)
from tiergate.model import Session, Status, Task
from tiergate.store import StoreStats, TaskOutline

_NOTES_CELLS = 60
_NARROW = 100
"""In fewer cells than this, the words for statuses are cut in the heads of columns."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in a list.

    Attributes:
        bytes: as stored; None where that cannot be told.
        damage: why it cannot be read; None when it can.
    """

    id: str
    title: str = ""
    version: int = 0
    tasks: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    bytes: int | None = None
    damage: str | None = None


def listed(session: Session, size: int | None) -> Listed:
    """What a list shows of a session."""
    found = Counter(task.status for task in session.tasks)
    statuses = {str(status): found[status] for status in Status}
    return Listed(session.id, session.title, session.version, len(session.tasks), statuses, size)


def totals(rows: Sequence[Listed]) -> dict[str, Any]:
    """The sums over a list."""
    return {
        "sessions": len(rows),
        "tasks": sum(row.tasks for row in rows),
        "statuses": {str(status): sum(row.statuses.get(status, 0) for row in rows) for status in Status},
        "bytes": sum(row.bytes or 0 for row in rows),
        "damaged": sum(row.damage is not None for row in rows),
    }


def list_table(rows: Sequence[Listed]) -> list[str]:
    """Sessions, one a line."""
    width = output_width()
    narrow = width is not None and width < _NARROW
    words = [status[:3] if narrow else str(status) for status in Status]
    headers = ["ID", "TASKS", *(word.upper() for word in words), "BYTES", "VERSION", "TITLE"]
    if narrow:
        headers[-2] = "VER"
    return columns(headers, [_list_row(row) for row in rows], width, right=range(1, 9), cuts=(9, 0))


def _list_row(row: Listed) -> list[str]:
    size = "?" if row.bytes is None else human_bytes(row.bytes)
    if row.damage is not None:
        return [visible(row.id), *["?"] * 6, size, "?", f"damaged: {visible(row.damage)}"]
    counts = [str(row.statuses[status]) for status in Status]
    return [visible(row.id), str(row.tasks), *counts, size, str(row.version), visible(row.title)]


def session_lines(session: Session) -> list[str]:
    """A session: what it is, then its tasks, one a line, with the beginning of their notes."""
    counts = Counter(task.status for task in session.tasks)
    by_status = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    facts = {
        "session": visible(session.id),
        "title": visible(session.title),
        "version": str(session.version),
        "created": visible(session.created_at or ""),
        "updated": visible(session.updated_at or ""),
        "tasks": f"{len(session.tasks)}" + (f": {by_status}" if by_status else ""),
        "other": _json_text(session.extra) if session.extra else "",
    }
    if not session.tasks:
        return _facts(facts)
    headers = ("ID", "STATUS", "WEIGHT", "DEPENDS ON", "TITLE", "NOTES")
    rows = [_task_row(task) for task in session.tasks]
    return [*_facts(facts), "", *columns(headers, rows, output_width(), right=(2,), cuts=(5, 3, 4, 0))]


def _task_row(task: Task) -> list[str]:
    return [
        visible(task.id),
        task.status,
        f"{task.weight:g}",
        visible(", ".join(task.dependencies)),
        visible(task.title),
        excerpt(task.notes, _NOTES_CELLS),
    ]


def task_lines(session: Session, task: Task) -> list[str]:
    """A whole task, with its notes at the end."""
    statuses = {other.id: str(other.status) for other in session.tasks}
    needed_by = [other.id for other in session.tasks if task.id in other.dependencies]
    source = f" (the source says {task.source_status!r})" if task.source_status else ""
    facts = {
        "session": visible(session.id),
        "task": visible(task.id),
        "title": visible(task.title),
        "status": task.status + source,
        "weight": f"{task.weight:g}",
        "momentum": f"{task.momentum:g}",
        "depends on": visible(", ".join(_with_status(name, statuses) for name in task.dependencies)),
        "needed by": visible(", ".join(_with_status(name, statuses) for name in needed_by)),
        "labels": visible(", ".join(task.labels)),
        "created": visible(task.created_at or ""),
        "updated": visible(task.updated_at or ""),
        "other": _json_text(task.extra) if task.extra else "",
    }
    return [*_facts(facts), *(["", *visible_lines(task.notes)] if task.notes else [])]


def _with_status(name: str, statuses: Mapping[str, str]) -> str:
    return f"{name} ({statuses.get(name, 'no such task')})"


def _json_text(value: object) -> str:
    return visible(msgspec.json.encode(value).decode())


def query_table(found: Sequence[TaskOutline]) -> list[str]:
    """Tasks of several sessions, one a line."""
    headers = ("SESSION", "ID", "STATUS", "WEIGHT", "TITLE")
    rows = [
        [visible(hit.session), visible(hit.id), hit.status, f"{hit.weight:g}", visible(hit.title)]
        for hit in found
    ]
    return columns(headers, rows, output_width(), right=(3,), cuts=(4, 0, 1))


def stats_lines(stats: StoreStats) -> list[str]:
    """The figures of a store, one a line."""
    facts = {
        "sessions": str(stats.sessions),
        "tasks": str(stats.tasks),
        "on disk": _exact_bytes(stats.disk_bytes),
        **dict(_details(stats.details)),
    }
    return _facts(facts)


def _details(details: Mapping[str, int | float | str]) -> Iterator[tuple[str, str]]:
    for name, value in details.items():
        words = name.replace("_", " ").replace(".", " ")
        if isinstance(value, int) and name.endswith("_bytes"):
            yield words.removesuffix(" bytes"), _exact_bytes(value)
        else:
            yield words, f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def _exact_bytes(count: int) -> str:
    short = human_bytes(count)
    return short if short.endswith(" B") else f"{short} ({count} bytes)"


def human_bytes(count: int) -> str:
    """Bytes with a unit that suits."""
    if count < 1024:
        return f"{count} B"
    size, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


def _facts(facts: Mapping[str, str]) -> list[str]:
    size = max(map(len, facts))
    return [f"{name.ljust(size)}  {value}" for name, value in facts.items() if value]
