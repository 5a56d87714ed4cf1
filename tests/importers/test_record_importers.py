"""Shrimp, Claude Code, GitHub and tiergate's own exports: what becomes what, and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.hooks import ImporterDeclaration
from tiergate.model import Status
from tiergate.sources import AUTO, read_source
from tiergate_plugins.importers import claude_todos, github, sessions_lines, shrimp

Write = Callable[[str, str | bytes], Path]
Files = dict[str, bytes]
Samples = dict[str, list[Files]]


def put(write: Write, files: Files) -> Path:
    """Write the only file of a sample."""
    ((name, content),) = files.items()
    return write(name, content)


def test_shrimp_fields(write: Write, samples: Samples) -> None:
    (session,) = shrimp.read(put(write, samples["shrimp"][0])).sessions
    first, second = session.tasks
    assert first.title == "Parse the file"
    assert first.notes == "Read it line by line.\n\nKeep unknown fields."
    assert (first.status, first.source_status) == (Status.COMPLETED, "completed")
    assert (first.created_at, first.updated_at) == ("2025-06-01T08:00:00.000Z", "2025-06-02T08:00:00.000Z")
    assert first.extra == {
        "relatedFiles": [{"path": "src/parse.ts", "type": "CREATE"}],
        "summary": "Done",
    }
    assert second.dependencies == (first.id,)
    assert second.extra == {"verificationCriteria": "round trip"}


@pytest.mark.parametrize(
    ("word", "status", "written"),
    [
        ("pending", Status.QUEUED, "completed"),
        ("in_progress", Status.ACTIVE, "completed"),
        ("blocked", Status.BLOCKED, "completed"),
        ("待處理", Status.QUEUED, "已完成"),
        ("進行中", Status.ACTIVE, "已完成"),
        ("被阻擋", Status.BLOCKED, "已完成"),
    ],
)
def test_shrimp_words_are_read_and_written_in_their_language(
    write: Write, word: str, status: Status, written: str
) -> None:
    path = write(
        "tasks.json",
        json.dumps({"tasks": [{"id": "a", "name": "A", "status": word}]}, ensure_ascii=False, indent=1),
    )
    (session,) = shrimp.read(path).sessions
    assert (session.tasks[0].status, session.tasks[0].source_status) == (status, word)
    after = replace(session.tasks[0], status=Status.COMPLETED)
    (content,) = shrimp.write(path, [replace(session, tasks=(after,))]).values()
    assert content.decode() == path.read_text(encoding="utf-8").replace(word, written)


def test_shrimp_dependencies_are_laid_out_as_the_file_is(write: Write, samples: Samples) -> None:
    path = put(write, samples["shrimp"][0])
    (session,) = shrimp.read(path).sessions
    first, second = session.tasks
    wanted = (replace(first, dependencies=(second.id,)), replace(second, dependencies=()))
    (content,) = shrimp.write(path, [replace(session, tasks=wanted)]).values()
    link = b"""[
        {
          "taskId": "6c1f1f5e-0000-4000-8000-00000000000%d"
        }
      ]"""
    old = path.read_bytes()
    assert content == old.replace(b"[]", link % 2).replace(link % 1, b"[]")


def test_claude_todos_without_ids_are_numbered(write: Write, samples: Samples) -> None:
    (session,) = claude_todos.read(put(write, samples["claude-todos"][0])).sessions
    assert session.id == "0f-agent-0f"
    assert [(task.id, task.title, task.status, task.weight) for task in session.tasks] == [
        ("1", "Read the brief", Status.COMPLETED, 1.0),
        ("2", "Write ü", Status.ACTIVE, 3.0),
    ]
    assert session.tasks[0].extra == {"activeForm": "Reading the brief"}


def test_claude_todos_keep_escapes_where_the_file_has_them(write: Write, samples: Samples) -> None:
    path = put(write, samples["claude-todos"][0])
    (session,) = claude_todos.read(path).sessions
    after = replace(session.tasks[0], title="Lies ä", weight=2.0)
    (content,) = claude_todos.write(path, [replace(session, tasks=(after,))]).values()
    expected = path.read_bytes().replace(b'"Read the brief"', b'"Lies \\u00e4"')
    assert content == expected.replace(b'the brief"\n', b'the brief",\n    "priority": "medium"\n')


def test_a_folder_of_claude_todos_leaves_out_empty_lists(write: Write, tmp_path: Path) -> None:
    write("todos/a.json", '[{"content": "A", "status": "pending"}]')
    write("todos/b.json", "[]")
    write("todos/c.json", "")
    write("todos/notes.md", "- [ ] x")
    imported = claude_todos.read(tmp_path / "todos")
    assert [session.id for session in imported.sessions] == ["a"]
    assert imported.notes == ["empty lists, left out: 2 files"]
    assert claude_todos.detect(tmp_path / "todos") is True


def test_github_rest_fields(write: Write, samples: Samples) -> None:
    imported = github.read(put(write, samples["github"][0]))
    (session,) = imported.sessions
    assert session.id == "o/r"
    found = {task.id: task for task in session.tasks}
    assert list(found) == ["3", "2", "1"]
    assert [found[name].status for name in found] == [Status.QUEUED, Status.COMPLETED, Status.ABANDONED]
    assert [found[name].source_status for name in found] == [
        "open/reopened",
        "closed/completed",
        "closed/not_planned",
    ]
    assert found["3"].dependencies == ("1", "2", "7")
    assert [found[name].weight for name in found] == [3.0, 1.0, 3.0]
    assert found["3"].labels == ("P1",)
    assert found["3"].extra["milestone"] == {"title": "v1"}
    assert found["3"].created_at == "2025-01-01T00:00:00Z"
    assert "left out: 1 pull request" in imported.notes
    assert "o/r: 1 dependency on absent tasks, kept as written: 7" in imported.notes


def test_gh_fields(write: Write, samples: Samples) -> None:
    (session,) = github.read(put(write, samples["github"][1])).sessions
    first, second = session.tasks
    assert (session.id, first.id, first.status, first.labels) == ("o/r", "8", Status.ABANDONED, ("bug",))
    assert (second.status, second.source_status, second.dependencies) == (Status.QUEUED, "open", ("8",))


@pytest.mark.parametrize("form", ["[%s, %s]", "[[%s], [%s]]", "[%s]\n[%s]\n", "%s\n%s\n", "[%s][%s]"])
def test_github_pages_are_read_in_every_form(
    write: Write, importers: list[ImporterDeclaration], form: str
) -> None:
    issues = [json.dumps({"number": number, "title": "x", "state": "open"}) for number in (1, 2)]
    imported, source = read_source(write("issues.json", form % tuple(issues)), AUTO, importers)
    assert (source.format, source.tasks) == ("github", 2)
    assert imported.sessions[0].id == "issues"


def test_github_repositories_are_sessions(write: Write) -> None:
    url = "https://github.com/%s/issues/1"
    issues: list[dict[str, Any]] = [
        {"number": 1, "title": "x", "state": "OPEN", "url": url % name} for name in ("a/b", "c/d")
    ]
    path = write("issues.json", json.dumps(issues))
    assert [session.id for session in github.read(path).sessions] == ["a/b", "c/d"]


@pytest.mark.parametrize("text", ["[1, 2", '[{"number": 1}] x', '{"a": }', "x"])
def test_github_text_that_is_cut_off_is_refused_with_its_place(write: Write, text: str) -> None:
    path = write("issues.json", text)
    with pytest.raises(SourceError) as caught:
        github.read(path)
    assert str(caught.value.where).startswith(f"{path}:1:")


def test_an_export_comes_back_as_it_was(write: Write, samples: Samples) -> None:
    first, second = sessions_lines.read(put(write, samples["tiergate"][0])).sessions
    assert [task.status for task in first.tasks] == [Status.COMPLETED, Status.QUEUED]
    assert (second.title, second.extra, second.tasks[0].source_status) == ("B", {"k": 1}, "x")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"id": "a"}', "session 'a' stands twice"),
        (
            '{"id": "c", "tasks": [{"id": "1", "title": ""}, {"id": "1", "title": ""}]}',
            "two tasks with one id",
        ),
        ('{"id": 3}', "not a session"),
        ("{", "not a session"),
        ("[" * 5000, "not a session"),
    ],
)
def test_a_damaged_line_of_an_export_is_named(write: Write, samples: Samples, line: str, what: str) -> None:
    content = samples["tiergate"][0]["export.jsonl"] + line.encode()
    path = write("export.jsonl", content)
    imported = sessions_lines.read(path)
    assert [session.id for session in imported.sessions] == ["a", "b"]
    (error,) = imported.damage
    assert error.where == f"{path}:3:1"
    assert what in error.what
