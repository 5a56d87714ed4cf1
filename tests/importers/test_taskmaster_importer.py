"""Task Master files: what becomes what, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Status, Task
from tiergate.sources import read_source
from tiergate_plugins.importers import taskmaster

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def read(write: Write) -> Callable[[Any], Imported]:
    """Read a document as ``tasks.json``."""
    return lambda document: taskmaster.read(write("tasks.json", json.dumps(document)))


@pytest.fixture
def tasks(read: Callable[[Any], Imported]) -> Callable[..., dict[str, Task]]:
    """Read tasks of one tag, by id."""

    def read_tasks(*records: dict[str, Any]) -> dict[str, Task]:
        (session,) = read({"master": {"tasks": list(records)}}).sessions
        return {task.id: task for task in session.tasks}

    return read_tasks


def record(identity: Any, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "title": f"T{identity}", "status": "pending", **fields}


def test_each_tag_becomes_a_session_with_its_metadata(read: Callable[..., Imported]) -> None:
    metadata = {
        "created": "2025-01-27T20:16:58.061Z",
        "updated": "2025-09-26T16:23:31.635Z",
        "description": "d",
    }
    imported = read({"master": {"tasks": [record(1)], "metadata": metadata}, "next": {"tasks": []}})
    first, second = imported.sessions
    assert (first.id, first.title, second.id) == ("master", "master", "next")
    assert (first.created_at, first.updated_at) == (metadata["created"], metadata["updated"])
    assert first.extra == {"metadata": metadata}
    assert second.tasks == ()


def test_the_older_form_becomes_the_session_master(read: Callable[..., Imported]) -> None:
    (session,) = read({"tasks": [record(1)], "meta": {"version": "1"}}).sessions
    assert (session.id, session.extra) == ("master", {"meta": {"version": "1"}})
    assert [task.id for task in session.tasks] == ["1"]


def test_the_older_form_may_have_tags_beside_it(read: Callable[..., Imported]) -> None:
    sessions = read({"tasks": [record(1)], "next": {"tasks": [record(1)]}}).sessions
    assert [session.id for session in sessions] == ["master", "next"]


def test_fields_beside_the_tags_are_kept_and_noted(read: Callable[..., Imported]) -> None:
    imported = read({"version": 3, "a": {"tasks": [record(1)]}, "odd": {"tasks": None}})
    assert imported.sessions[0].extra["beside_tags"] == {"version": 3, "odd": {"tasks": None}}
    assert imported.notes == ["fields beside the tags, kept with tag 'a': version, odd"]


def test_subtasks_become_tasks_behind_their_parent(tasks: Callable[..., dict[str, Task]]) -> None:
    found = tasks(
        record(1, subtasks=[record(1), record(2, subtasks=[record(7)])]),
        record("2", subtasks=[record("2.1")]),
    )
    assert list(found) == ["1", "1.1", "1.2", "1.2.7", "2", "2.1"]
    assert found["1"].dependencies == ()
    assert "subtasks" not in found["1"].extra


def test_a_dependency_is_read_from_where_it_stands(tasks: Callable[..., dict[str, Task]]) -> None:
    found = tasks(
        record(1, subtasks=[record(1), record(2, dependencies=[1]), record(3, dependencies=["1.2", "2", 5])]),
        record(2, dependencies=[1, "1"]),
        record(5, dependencies=["1.3", "2"]),
    )
    assert found["1.2"].dependencies == ("1.1",)
    assert found["1.3"].dependencies == ("1.2", "5")
    assert found["2"].dependencies == ("1",)
    assert found["5"].dependencies == ("1.3", "2")


def test_a_rewritten_list_of_dependencies_is_kept_as_written(tasks: Callable[..., dict[str, Task]]) -> None:
    found = tasks(record(1), record(2, dependencies=[1]), record(3, dependencies=["1"]))
    assert found["2"].extra == {"dependencies": [1]}
    assert found["3"].extra == {}


@pytest.mark.parametrize("odd", ["1", {"a": 1}, [None, 1], [True, 1], [1.5, 1]])
def test_dependencies_that_are_not_understood_are_kept_and_noted(
    read: Callable[..., Imported], odd: Any
) -> None:
    imported = read({"master": {"tasks": [record(1), record(2, dependencies=odd)]}})
    task = imported.sessions[0].tasks[1]
    assert task.extra == {"dependencies": odd}
    assert task.dependencies == (("1",) if isinstance(odd, list) else ())
    assert any("1 list of dependencies not fully understood" in note for note in imported.notes)


def test_a_dependency_on_an_absent_task_is_kept_and_noted(read: Callable[..., Imported]) -> None:
    imported = read({"master": {"tasks": [record(1, dependencies=[9])]}})
    assert imported.sessions[0].tasks[0].dependencies == ("9",)
    assert imported.notes == ["tag 'master': 1 dependency on absent tasks, kept as written: 9"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", Status.QUEUED),
        ("in-progress", Status.ACTIVE),
        ("review", Status.ACTIVE),
        ("done", Status.COMPLETED),
        ("blocked", Status.BLOCKED),
        ("deferred", Status.BLOCKED),
        ("cancelled", Status.ABANDONED),
    ],
)
def test_each_status_word_is_mapped_and_kept(
    read: Callable[..., Imported], word: str, status: Status
) -> None:
    imported = read({"master": {"tasks": [record(1, status=word)]}})
    task = imported.sessions[0].tasks[0]
    assert (task.status, task.source_status) == (status, word)
    assert imported.statuses == {word: status}


def test_an_unknown_status_is_queued_and_noted(read: Callable[..., Imported]) -> None:
    imported = read({"master": {"tasks": [record(1, subtasks=[record(1, status="someday")])]}})
    assert imported.sessions[0].tasks[1].status is Status.QUEUED
    assert "unknown status 'someday': 1 task queued" in imported.notes[0]


@pytest.mark.parametrize(
    ("priority", "weight"), [("critical", 4), ("high", 3), ("Medium", 2), ("low", 1), ("urgent", 1), (3, 1)]
)
def test_the_priority_gives_the_weight(
    tasks: Callable[..., dict[str, Task]], priority: Any, weight: int
) -> None:
    task = tasks(record(1, priority=priority))["1"]
    assert task.weight == weight
    assert task.extra == {"priority": priority}


def test_description_and_details_become_the_notes(tasks: Callable[..., dict[str, Task]]) -> None:
    found = tasks(
        record(1, description="What", details="How", testStrategy="Check"),
        record(2, details="How"),
        record(3, description=None),
    )
    assert found["1"].notes == "What\n\nHow"
    assert found["1"].extra == {"testStrategy": "Check"}
    assert found["2"].notes == "How"
    assert (found["3"].notes, found["3"].extra) == ("", {"description": None})


def test_times_and_unknown_fields_are_kept(tasks: Callable[..., dict[str, Task]]) -> None:
    task = tasks(record(1, createdAt="2025-01-01", updatedAt="2025-01-02", subtasks=None, tags={"a": []}))[
        "1"
    ]
    assert (task.created_at, task.updated_at) == ("2025-01-01", "2025-01-02")
    assert task.extra == {"subtasks": None, "tags": {"a": []}}


def nested(depth: int) -> dict[str, Any]:
    task = record(1)
    for _ in range(depth):
        task = record(1, subtasks=[task])
    return task


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "no object at the top"),
        ({"a": 1}, "nothing in it has a list of `tasks`"),
        ({"a": {"tasks": {}}}, "nothing in it has a list of `tasks`"),
        ({"": {"tasks": []}}, "a tag has no name"),
        ({"tasks": [], "master": {"tasks": []}}, "both at the top and in the tag 'master'"),
        ({"a": {"tasks": [3]}}, "task 1 is not an object"),
        ({"a": {"tasks": [record(1), {"title": "x"}]}}, "task 2: `id` is missing"),
        ({"a": {"tasks": [record(True)]}}, "task 1: `id` is missing"),
        ({"a": {"tasks": [record(1, subtasks=[{"id": 1}])]}}, "task 1, subtask 1: `title` is missing"),
        ({"a": {"tasks": [record(1), record("1")]}}, "task '1' stands twice: task 1 and task 2"),
        (
            {"a": {"tasks": [record(1, subtasks=[record(2)]), record("1.2")]}},
            "task '1.2' stands twice: task 1, subtask 1 and task 2",
        ),
        ({"a": {"tasks": [nested(40)]}}, "nested too deeply"),
    ],
)
def test_what_is_no_such_file_or_damaged_is_refused(
    write: Write, importers: list[ImporterDeclaration], tmp_path: Path, document: Any, what: str
) -> None:
    with pytest.raises(SourceError) as caught:
        read_source(write("tasks.json", json.dumps(document)), "taskmaster", importers)
    assert what in caught.value.what
    assert str(caught.value).startswith(str(tmp_path / "tasks.json"))


def test_a_damaged_task_is_left_out_with_its_subtasks(read: Callable[[Any], Imported]) -> None:
    imported = read({"a": {"tasks": [record(1, title=3, subtasks=[record(1)]), record(2), record(2)]}})
    assert [task.id for task in imported.sessions[0].tasks] == ["2"]
    assert [error.what for error in imported.damage] == [
        "task 1: `title` is missing or no text",
        "task '2' stands twice: task 2 and task 3",
    ]


def test_a_damaged_task_is_named_with_line_and_column(write: Write) -> None:
    path = write("tasks.json", '{"a": {"tasks": [\n  {"id": 1, "title": "x"},\n  {"id": 2}\n]}}')
    (error,) = taskmaster.read(path).damage
    assert error.where == f"{path}:3:3"


def test_damaged_json_is_named_with_line_and_column(write: Write) -> None:
    path = write("tasks.json", '{\n  "master": {"tasks": [\n    {"id": 1,}\n  ]}\n}')
    with pytest.raises(SourceError) as caught:
        taskmaster.read(path)
    assert caught.value.where == f"{path}:3:14"
    assert "not JSON: trailing comma" in caught.value.what


def test_json_that_ends_too_early_is_named_at_its_end(write: Write) -> None:
    path = write("tasks.json", '{\n  "master": {"tasks": [\n')
    with pytest.raises(SourceError) as caught:
        taskmaster.read(path)
    assert caught.value.where == f"{path}:2:24"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"tasks": []}', True),
        ('\ufeff{\n "a": {\n "tasks" : [ {"id"', True),
        ('{"id": "a", "title": "\\"tasks\\": [", "status": "open"}', False),
        ('{"tasks": {}}', False),
        ('[{"tasks": []}]', False),
        ("", False),
    ],
)
def test_detection_looks_for_a_list_of_tasks(write: Write, content: str | bytes, expected: bool) -> None:
    assert taskmaster.detect(write("tasks.json", content)) is expected
