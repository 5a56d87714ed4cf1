"""The importers on public task stores: the counts, and that no field is lost and nothing changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.hooks import ImporterDeclaration
from tiergate.model import Task, canonical, decode_session
from tiergate.record import Source
from tiergate.sources import AUTO, read_source

BEADS = ["beads/session-2025-12-16.jsonl", "beads/session-2025-12-23.jsonl", "beads/session-2025-12-28.jsonl"]
TASKMASTER = "taskmaster/testcraft.tasks.json"
BACKLOG = "backlog_md"
TASK_FOLDERS = ("tasks", "completed", "drafts", "archive/tasks", "archive/drafts")


def values_of(value: Any) -> Iterator[str]:
    """Every scalar in a value, as text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from values_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from values_of(inner)
    else:
        yield str(value)


def fingerprint(path: Path) -> dict[str, str]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


@pytest.mark.parametrize("name", [*BEADS, TASKMASTER, BACKLOG])
def test_a_source_is_found_read_and_left_as_it_is(
    shared_data: Path, importers: list[ImporterDeclaration], name: str
) -> None:
    path = shared_data / name
    before = fingerprint(path)
    imported, source = read_source(path, AUTO, importers)
    assert fingerprint(path) == before
    assert source.tasks == sum(count for _, count in source.statuses.values())
    # What was read can be recorded and stored, and comes back the same.
    assert msgspec.json.decode(msgspec.json.encode(source), type=Source) == source
    for session in imported.sessions:
        assert decode_session(canonical(session)) == session


@pytest.mark.parametrize(
    ("name", "tasks", "abandoned"), list(zip(BEADS, [130, 508, 695], [0, 99, 251], strict=True))
)
def test_beads_counts(
    shared_data: Path, importers: list[ImporterDeclaration], name: str, tasks: int, abandoned: int
) -> None:
    _, source = read_source(shared_data / name, AUTO, importers)
    assert (source.format, source.sessions, source.tasks) == ("beads", 1, tasks)
    assert source.statuses.get("tombstone", ("abandoned", 0)) == ("abandoned", abandoned)
    lines = (shared_data / name).read_text(encoding="utf-8").split("\n")
    words = Counter(json.loads(line)["status"] for line in lines if line)
    assert {word: count for word, (_, count) in source.statuses.items()} == words


@pytest.mark.parametrize("name", BEADS)
def test_beads_loses_no_field(shared_data: Path, importers: list[ImporterDeclaration], name: str) -> None:
    imported, _ = read_source(shared_data / name, AUTO, importers)
    tasks = {task.id: task for task in imported.sessions[0].tasks}
    renamed = {"description": "notes", "status": "source_status"}
    with (shared_data / name).open(encoding="utf-8") as file:
        for issue in map(json.loads, file):
            task = tasks.pop(issue["id"])
            for field, value in issue.items():
                found = (
                    task.extra.get(field) if field in task.extra else getattr(task, renamed.get(field, field))
                )
                if field == "labels":
                    assert list(task.labels)[: len(value)] == value
                elif value != "":
                    assert found == value, (issue["id"], field)
    assert tasks == {}


def test_taskmaster_counts(shared_data: Path, importers: list[ImporterDeclaration]) -> None:
    imported, source = read_source(shared_data / TASKMASTER, AUTO, importers)
    assert (source.format, source.sessions, source.tasks) == ("taskmaster", 1, 145)
    tasks = imported.sessions[0].tasks
    assert sum("." in task.id for task in tasks) == 111
    ids = {task.id for task in tasks}
    assert all(name in ids for task in tasks for name in task.dependencies)


def test_taskmaster_loses_no_field(shared_data: Path, importers: list[ImporterDeclaration]) -> None:
    document = json.loads((shared_data / TASKMASTER).read_text(encoding="utf-8"))
    imported, _ = read_source(shared_data / TASKMASTER, AUTO, importers)
    session = imported.sessions[0]
    tasks = {task.id: task for task in session.tasks}
    assert session.extra["metadata"] == document["master"]["metadata"]

    def check(record: dict[str, Any], task: Task) -> None:
        for field, value in record.items():
            if field == "subtasks":
                for subtask in value:
                    check(subtask, tasks[f"{record['id']}.{subtask['id']}"])
            elif field in ("description", "details"):
                assert value in task.notes
            elif field == "dependencies" and field not in task.extra:
                assert list(task.dependencies) == value
            elif field == "id":
                assert task.id.split(".")[-1] == str(value)
            elif field in ("title", "status"):
                assert value in (task.title, task.source_status)
            else:
                assert task.extra[field] == value

    for record in document["master"]["tasks"]:
        check(record, tasks[str(record["id"])])


def task_files(root: Path) -> dict[str, str]:
    """The files with an id, found without the importer."""
    found = {}
    for folder in TASK_FOLDERS:
        for file in (root / folder).glob("*.md"):
            text = file.read_text(encoding="utf-8")
            if re.match(r"---\n(?:.+\n)*?id: ", text):
                found[file.relative_to(root).as_posix()] = text
    return found


@pytest.mark.parametrize("name", [BACKLOG, f"{BACKLOG}/backlog"])
def test_backlog_counts(shared_data: Path, importers: list[ImporterDeclaration], name: str) -> None:
    imported, source = read_source(shared_data / name, AUTO, importers)
    files = task_files(shared_data / BACKLOG / "backlog")
    assert (source.format, source.sessions, source.tasks) == ("backlog", 1, len(files))
    assert source.tasks == 398
    assert imported.sessions[0].id == "backlog-md"
    assert sorted(task.extra["source_file"] for task in imported.sessions[0].tasks) == sorted(files)


def test_backlog_loses_no_field(shared_data: Path, importers: list[ImporterDeclaration]) -> None:
    imported, _ = read_source(shared_data / BACKLOG, AUTO, importers)
    files = task_files(shared_data / BACKLOG / "backlog")
    for task in imported.sessions[0].tasks:
        _, front, body = files[task.extra["source_file"]].split("---\n", 2)
        assert task.notes == body.strip("\n")
        kept = " ".join(values_of(msgspec.to_builtins(task)))
        squeezed = re.sub(r"[\s'\"]", "", kept)
        for line in front.splitlines():
            name, colon, rest = line.partition(":")
            value = rest if colon and re.fullmatch(r"\w+", name) else line.strip().removeprefix("- ")
            words = re.sub(r"[\s'\"]", "", value.strip().strip("[]>|-"))
            assert all(word in squeezed for word in words.split(",")), (task.id, line)


def test_backlog_keeps_both_tasks_of_one_id(shared_data: Path, importers: list[ImporterDeclaration]) -> None:
    imported, source = read_source(shared_data / BACKLOG, AUTO, importers)
    found = {task.id: task.extra["source_folder"] for task in imported.sessions[0].tasks}
    assert found["BACK-76"] == "completed"
    assert found["BACK-76@archive-tasks"] == "archive/tasks"
    assert any("the id 'BACK-76' is taken" in note for note in source.notes)


def test_other_files_are_not_taken_for_task_stores(
    shared_data: Path, importers: list[ImporterDeclaration]
) -> None:
    others = [
        "SOURCES.md",
        "abt_buy",
        "beads/git_merge_conflicts.jsonl",
        "beads/explicit_duplicate_pairs.json",
    ]
    found = [
        (name, declared.name)
        for name in others
        for declared in importers
        if declared.detect(shared_data / name)
    ]
    assert found == []
