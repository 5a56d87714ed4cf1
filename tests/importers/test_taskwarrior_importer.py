"""Taskwarrior exports: what becomes what, and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.model import Status, Task
from tiergate_plugins.importers import taskwarrior

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def one(write: Write) -> Callable[..., Task]:
    """Read one task with these fields beside its uuid and description."""

    def read_one(**fields: Any) -> Task:
        record = {"uuid": "a", "description": "A", "status": "pending", **fields}
        return taskwarrior.read(write("export.json", json.dumps([record]))).sessions[0].tasks[0]

    return read_one


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "pending"}, Status.QUEUED),
        ({"status": "pending", "start": "20250101T000000Z"}, Status.ACTIVE),
        ({"status": "waiting"}, Status.BLOCKED),
        ({"status": "recurring"}, Status.QUEUED),
        ({"status": "completed", "start": "20250101T000000Z"}, Status.COMPLETED),
        ({"status": "deleted"}, Status.ABANDONED),
    ],
)
def test_each_status_word_is_mapped_and_kept(
    one: Callable[..., Task], fields: dict[str, str], status: Status
) -> None:
    task = one(**fields)
    assert (task.status, task.source_status) == (status, fields["status"])


def test_what_becomes_what(one: Callable[..., Task]) -> None:
    task = one(
        priority="H",
        tags=["x", "y"],
        entry="20250101T100000Z",
        modified="20250102T100000Z",
        project="house",
        due="20250301T000000Z",
        annotations=[{"entry": "20250101T100000Z", "description": "first"}, {"description": "second"}],
        estimate=3.5,
    )
    assert (task.weight, task.labels, task.notes) == (3.0, ("x", "y"), "first\nsecond")
    assert (task.created_at, task.updated_at) == ("20250101T100000Z", "20250102T100000Z")
    assert set(task.extra) == {"priority", "project", "due", "annotations", "estimate"}


@pytest.mark.parametrize("written", [["b", "c"], "b,c"])
def test_depends_is_a_list_or_a_text_with_commas(one: Callable[..., Task], written: Any) -> None:
    task = one(depends=written)
    assert task.dependencies == ("b", "c")
    assert ("depends" in task.extra) is isinstance(written, str)


def test_lines_without_a_list_are_read_and_written(write: Write) -> None:
    line = '{"uuid":"%s","description":"D","status":"pending"}\n'
    path = write("export.json", line % "a" + line % "b")
    (session,) = taskwarrior.read(path).sessions
    after = replace(session.tasks[1], status=Status.COMPLETED, weight=2.0)
    (content,) = taskwarrior.write(path, [replace(session, tasks=(after,))]).values()
    second = '{"uuid":"b","description":"D","status":"completed","priority":"M"}\n'
    assert content.decode() == line % "a" + second


def test_an_active_task_is_written_with_the_time_of_its_start(write: Write) -> None:
    path = write("export.json", '[\n{"uuid": "a", "description": "A", "status": "pending"}\n]\n')
    (session,) = taskwarrior.read(path).sessions
    active = replace(session.tasks[0], status=Status.ACTIVE)
    with pytest.raises(SourceError, match="the time of its start, which is not known"):
        taskwarrior.write(path, [replace(session, tasks=(active,))])
    timed = replace(active, updated_at="2025-03-01T01:30:00+02:00")
    (content,) = taskwarrior.write(path, [replace(session, tasks=(timed,))]).values()
    assert b'"status": "pending", "start": "20250228T233000Z"}\n]' in content
    path.write_bytes(content)
    assert taskwarrior.read(path).sessions[0].tasks[0].status is Status.ACTIVE


def test_the_last_dependency_goes_with_its_field(write: Write) -> None:
    path = write(
        "export.json", '[{"depends":["b"],"uuid":"a","description":"A"},{"uuid":"b","description":"B"}]'
    )
    (session,) = taskwarrior.read(path).sessions
    free = replace(session.tasks[0], dependencies=())
    (content,) = taskwarrior.write(path, [replace(session, tasks=(free,))]).values()
    assert content == b'[{"uuid":"a","description":"A"},{"uuid":"b","description":"B"}]'
