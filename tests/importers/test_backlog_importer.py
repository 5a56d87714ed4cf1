"""Backlog.md folders: what becomes what, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Session, Status, Task
from tiergate.sources import read_source
from tiergate_plugins.importers import backlog

Write = Callable[[str, str | bytes], Path]


def page(front: str, body: str = "") -> str:
    return f"---\n{front}\n---\n{body}"


@pytest.fixture
def read(write: Write, tmp_path: Path) -> Callable[[dict[str, str]], Imported]:
    """Write files of a project, by name below ``backlog``, and read it."""

    def read_files(files: dict[str, str]) -> Imported:
        for name, content in files.items():
            write(f"backlog/{name}", content)
        return backlog.read(tmp_path)

    return read_files


@pytest.fixture
def one(read: Callable[[dict[str, str]], Imported]) -> Callable[..., Task]:
    """Read one task with this front matter beside its id."""

    def read_one(front: str, body: str = "", folder: str = "tasks") -> Task:
        return read({f"{folder}/task-1 - one.md": page(f"id: task-1\n{front}", body)}).sessions[0].tasks[0]

    return read_one


def by_id(imported: Imported) -> dict[str, Task]:
    (session,) = imported.sessions
    return {task.id: task for task in session.tasks}


def test_a_project_becomes_one_session_named_by_its_settings(read: Callable[..., Imported]) -> None:
    (session,) = read(
        {"config.yml": 'project_name: "My Würst Project!"\nport: 6420\n', "tasks/a.md": page("id: task-1")}
    ).sessions
    assert (session.id, session.title) == ("my-w-rst-project", "My Würst Project!")
    assert session.extra == {"config": {"project_name": "My Würst Project!", "port": 6420}}


def test_without_settings_the_folder_around_it_names_the_project(write: Write, tmp_path: Path) -> None:
    write("Some Work/backlog/tasks/a.md", page("id: task-1"))
    for path in (tmp_path / "Some Work", tmp_path / "Some Work" / "backlog"):
        (session,) = backlog.read(path).sessions
        assert session == Session(id="some-work", title="Some Work", tasks=session.tasks)


def test_a_name_without_ascii_letters_still_gives_an_id(read: Callable[..., Imported]) -> None:
    (session,) = read({"config.yml": "project_name: 計画", "tasks/a.md": page("id: task-1")}).sessions
    assert (session.id, session.title) == ("backlog", "計画")


@pytest.mark.parametrize("root", [".", "backlog", ".backlog"])
def test_the_project_may_be_the_folder_or_in_it(write: Write, tmp_path: Path, root: str) -> None:
    write(f"{root}/completed/a.md", page("id: task-1"))
    assert backlog.detect(tmp_path)
    assert by_id(backlog.read(tmp_path))["task-1"].extra["source_folder"] == "completed"


def test_tasks_are_what_lies_in_the_folders_of_tasks(read: Callable[..., Imported]) -> None:
    names = ["tasks/a", "completed/b", "drafts/c", "archive/tasks/d", "archive/drafts/e", "tasks/below/f"]
    others = ["docs/g", "decisions/h", "milestones/i", "archive/milestones/j", "k"]
    files = {f"{name}.md": page(f"id: task-{name[-1]}") for name in names + others}
    imported = read({**files, "tasks/.#l.md": "lock", "tasks/m.txt": page("id: task-m")})
    found = by_id(imported)
    assert list(found) == ["task-a", "task-f", "task-b", "task-c", "task-d", "task-e"]
    assert found["task-f"].extra == {"source_folder": "tasks", "source_file": "tasks/below/f.md"}
    assert (
        imported.notes[0]
        == "tasks by folder: 2 in tasks, 1 in completed, 1 in drafts, 1 in archive/tasks, 1 in archive/drafts"
    )


def test_drafts_are_labelled_and_archived_tasks_are_abandoned_unless_done(
    read: Callable[..., Imported],
) -> None:
    def status(word: str, number: int) -> str:
        return page(f"id: task-{number}\nstatus: {word}\nlabels: [ui]")

    imported = read(
        {
            "tasks/1.md": status("To Do", 1),
            "drafts/2.md": status("To Do", 2),
            "archive/tasks/3.md": status("In Progress", 3),
            "archive/tasks/4.md": status("Done", 4),
            "archive/drafts/5.md": status("Draft", 5),
        }
    )
    found = [(task.status, task.labels, task.source_status) for task in by_id(imported).values()]
    assert found == [
        (Status.QUEUED, ("ui",), "To Do"),
        (Status.QUEUED, ("ui", "draft"), "To Do"),
        (Status.ABANDONED, ("ui",), "In Progress"),
        (Status.COMPLETED, ("ui",), "Done"),
        (Status.ABANDONED, ("ui", "draft"), "Draft"),
    ]
    assert imported.statuses["In Progress"] is Status.ACTIVE
    assert "archive/tasks: 1 task abandoned, 1 done before" in imported.notes


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("To Do", Status.QUEUED),
        ("to do", Status.QUEUED),
        ("In Progress", Status.ACTIVE),
        ('"Done"', Status.COMPLETED),
        ("Won't Do", Status.ABANDONED),
        ("Draft", Status.QUEUED),
    ],
)
def test_each_status_word_is_mapped_and_kept(one: Callable[..., Task], word: str, status: Status) -> None:
    task = one(f"status: {word}")
    assert (task.status, task.source_status) == (status, word.strip('"'))


def test_a_word_of_the_projects_own_is_queued_and_noted(read: Callable[..., Imported]) -> None:
    imported = read({"config.yml": "statuses: [QA]", "tasks/a.md": page("id: task-1\nstatus: QA")})
    assert by_id(imported)["task-1"].status is Status.QUEUED
    assert any("unknown status 'QA': 1 task queued" in note for note in imported.notes)


def test_values_are_the_text_that_stands_there(one: Callable[..., Task]) -> None:
    task = one(
        "title: 0123\ncreated_date: 2025-07-23\nupdated_date: '2025-09-06 21:22'\n"
        "version: 1.10\nflag: yes\nat: 1:30\nordinal: 1000\nbig: 12345678901234567890123\nnone: null\n"
        "empty:\nquoted: '12'\nmerge: {<<: x, =: y}\nnested: [[1, a]]"
    )
    assert (task.title, task.created_at, task.updated_at) == ("0123", "2025-07-23", "2025-09-06 21:22")
    own = {name: value for name, value in task.extra.items() if not name.startswith("source_")}
    assert own == {
        "version": "1.10",
        "flag": "yes",
        "at": "1:30",
        "ordinal": 1000,
        "big": "12345678901234567890123",
        "none": None,
        "empty": None,
        "quoted": "12",
        "merge": {"<<": "x", "=": "y"},
        "nested": [[1, "a"]],
    }


def test_names_that_begin_with_an_at_sign_need_no_quotes(one: Callable[..., Task]) -> None:
    task = one("reporter: @ann  # who\nassignee:\n  - @bob's\n  - '@eve'\nowner: `x`")
    assert task.extra["reporter"] == "@ann"
    assert task.extra["assignee"] == ["@bob's", "@eve"]
    assert task.extra["owner"] == "`x`"


def test_the_body_becomes_the_notes(one: Callable[..., Task]) -> None:
    assert one("title: x", "\n\n## Why\n\n---\nmore\n\n").notes == "## Why\n\n---\nmore"


def test_foreign_line_ends_and_a_byte_order_mark_do_no_harm(write: Write, tmp_path: Path) -> None:
    write("tasks/a.md", b"\xef\xbb\xbf---\r\nid: task-1\r\nreporter: @ann\r\n---\r\nbody\r\n")
    task = by_id(backlog.read(tmp_path))["task-1"]
    assert (task.notes, task.extra["reporter"]) == ("body", "@ann")


def test_the_file_names_a_task_without_a_title(one: Callable[..., Task]) -> None:
    assert one("title:").title == "task-1 - one"


@pytest.mark.parametrize(
    ("front", "labels", "kept"),
    [
        ("labels: [a, b]", ("a", "b"), False),
        ("labels: []", (), False),
        ("labels: a", (), True),
        ("labels: [1]", (), True),
    ],
)
def test_labels_are_a_list_of_texts(
    one: Callable[..., Task], front: str, labels: tuple[str, ...], kept: bool
) -> None:
    task = one(front)
    assert task.labels == labels
    assert ("labels" in task.extra) is kept


@pytest.mark.parametrize(("priority", "weight"), [("high", 3), ("medium", 2), ("low", 1), ("", 1)])
def test_the_priority_gives_the_weight(one: Callable[..., Task], priority: Any, weight: int) -> None:
    task = one(f"priority: {priority}")
    assert task.weight == weight
    assert task.extra["priority"] == (priority or None)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("BACK-24.1", "BACK-24.1"),
        ("back-24.1", "BACK-24.1"),
        ("task-24.1", "BACK-24.1"),
        ("TASK-24.1", "BACK-24.1"),
        ("24.1", "BACK-24.1"),
        ("7", "BACK-7"),
        ("task-007", "BACK-7"),
        ("task-3.1", "BACK-3.01"),
        ("task-5.1", "BACK-5.1"),
        ("task-5.01", "BACK-5.01"),
        ("task-5.001", "task-5.001"),
        ("draft-8", "DRAFT-8"),
        ("task-8", "task-8"),
        ("other-7", "other-7"),
        ("task-99", "task-99"),
        ("some day", "some day"),
    ],
)
def test_a_dependency_is_the_id_in_the_folder_if_there_is_one(
    read: Callable[..., Imported], reference: str, meant: str
) -> None:
    numbers = ["24.1", "7", "3.01", "5.1", "5.01"]
    files = {f"tasks/{number}.md": page(f"id: BACK-{number}") for number in numbers}
    task = by_id(
        read(
            {
                "config.yml": 'task_prefix: "back"',
                "drafts/8.md": page("id: DRAFT-8"),
                "tasks/0.md": page(f"id: BACK-1\ndependencies:\n  - {reference}"),
                **files,
            }
        )
    )["BACK-1"]
    assert task.dependencies == (meant,)
    assert ("dependencies" in task.extra) is (meant != reference)


def test_dependencies_may_be_one_scalar_or_nothing(read: Callable[..., Imported]) -> None:
    found = by_id(
        read(
            {
                "tasks/1.md": page("id: task-1\ndependencies: TASK-2"),
                "tasks/2.md": page("id: task-2\ndependencies:"),
                "tasks/3.md": page("id: task-3\ndependencies: [task-1, {a: b}, task-1]"),
            }
        )
    )
    assert [task.dependencies for task in found.values()] == [("task-2",), (), ("task-1",)]
    assert found["task-3"].extra["dependencies"] == ["task-1", {"a": "b"}, "task-1"]


def test_a_dependency_on_an_absent_task_is_noted(read: Callable[..., Imported]) -> None:
    imported = read({"tasks/1.md": page("id: task-1\ndependencies: [task-9]")})
    assert imported.notes[-1].endswith("1 dependency on absent tasks, kept as written: task-9")


def test_an_id_that_stands_twice_gets_another_and_loses_nothing(read: Callable[..., Imported]) -> None:
    imported = read(
        {
            "tasks/a.md": page("id: TASK-1\ntitle: first"),
            "archive/tasks/a.md": page("id: task-1\ntitle: second"),
            "archive/tasks/b.md": page("id: task-1\ntitle: third"),
            "tasks/c.md": page("id: task-2\ndependencies: [task-1]"),
        }
    )
    found = by_id(imported)
    assert {identity: task.title for identity, task in found.items()} == {
        "TASK-1": "first",
        "task-2": "c",
        "task-1@archive-tasks": "second",
        "task-1@archive-tasks-2": "third",
    }
    assert found["task-1@archive-tasks"].extra["id"] == "task-1"
    assert found["task-2"].dependencies == ("TASK-1",)
    assert (
        "archive/tasks/a.md: the id 'task-1' is taken, the task is 'task-1@archive-tasks' here"
        in imported.notes
    )


def test_files_that_are_no_tasks_are_noted(read: Callable[..., Imported]) -> None:
    imported = read(
        {
            "tasks/a.md": page("id: task-1"),
            "tasks/b.md": "# Readme",
            "tasks/c.md": "",
            "tasks/d.md": page("x: y"),
        }
    )
    assert list(by_id(imported)) == ["task-1"]
    assert (
        "no tasks, without front matter or id: 3 files: tasks/b.md, tasks/c.md, tasks/d.md" in imported.notes
    )


@pytest.mark.parametrize(
    ("front", "place", "what"),
    [
        ("id: task-1\ntitle: 'open", ":4:1", "not YAML"),
        ("id: task-1\ntitle: a: b", ":3:9", "not YAML: mapping values are not allowed"),
        ("id: task-1\nid: task-2", ":3:1", "field 'id' stands twice"),
        ("- a\n- b", ":2:1", "not a list of `field: value` lines"),
        ("just text", ":2:1", "not a list of `field: value` lines"),
        ("id: &x task-1\nb: *x", ":2:5", "anchors and aliases"),
        ("id: 1\n? [a]\n: b", ":3:3", "the name of a field must be a text"),
        ("id: 1\nx: ä\x07", ":3:5", "character U+0007 is not allowed"),
        ("id: 1\nx: " + "[" * 100, ":3:35", "nested too deeply"),
        ("id: 1\n... \n--- #\nx: y", ":4:1", "a second document begins"),
    ],
)
def test_broken_front_matter_is_named_with_line_and_column(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration], front: str, place: str, what: str
) -> None:
    path = write("tasks/task-1.md", page(front))
    with pytest.raises(SourceError) as caught:
        read_source(tmp_path, "backlog", importers)
    assert caught.value.where == f"{path}{place}"
    assert what in caught.value.what


def test_front_matter_that_is_nested_without_end_is_refused(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    path = write("tasks/task-1.md", page("id: 1\nx: " + "[" * 100_000))
    with pytest.raises(SourceError) as caught:  # by us, or by newer versions of the YAML library before
        read_source(tmp_path, "backlog", importers)
    assert str(caught.value.where).startswith(f"{path}:3:")
    assert "\n" not in str(caught.value)


def test_front_matter_that_is_not_closed_is_refused(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    path = write("tasks/a.md", "---\nid: task-1\n")
    with pytest.raises(SourceError, match="the front matter is not closed") as caught:
        read_source(tmp_path, "backlog", importers)
    assert caught.value.where == f"{path}:1:1"


def test_broken_settings_are_named_with_line_and_column(write: Write, tmp_path: Path) -> None:
    write("tasks/a.md", page("id: task-1"))
    path = write("config.yml", "project_name: x\nstatuses: [a\n")
    with pytest.raises(SourceError, match="not YAML") as caught:
        backlog.read(tmp_path)
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{path}:3:")


def test_a_task_that_is_not_utf8_is_named_with_line_and_column(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    path = write("tasks/a.md", b"---\nid: task-1\n---\n\xc3\xa4\xff")
    with pytest.raises(SourceError, match="not UTF-8 text") as caught:
        read_source(tmp_path, "backlog", importers)
    assert caught.value.where == f"{path}:4:2"


def test_a_folder_that_is_no_project_and_one_without_tasks_are_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"not a Backlog\.md project"):
        backlog.read(tmp_path)
    with pytest.raises(SourceError, match="no such file or folder"):
        backlog.read(tmp_path / "none")
    with pytest.raises(SourceError, match="no task in the folder"):
        backlog.read(write("tasks/readme.md", "# Tasks").parent.parent)
    with pytest.raises(SourceError, match="not a folder"):
        backlog.read(tmp_path / "tasks" / "readme.md")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("backlog/config.yml", "project_name: x\n", True),
        ("archive/tasks/a.md", "---\nid: x", True),
        ("tasks/readme.md", "# Tasks", False),
        ("tasks/tasks.json", '{"tasks": []}', False),
        ("config.yml", "a: b", False),
        ("docs/a.md", "---\nid: doc-1\n---", False),
    ],
)
def test_detection_looks_for_settings_or_front_matter(
    write: Write, tmp_path: Path, name: str, content: str | bytes, expected: bool
) -> None:
    path = write(name, content)
    assert backlog.detect(tmp_path) is expected
    assert backlog.detect(path) is False


def test_a_file_that_cannot_be_read_is_left_out_and_noted(
    read: Callable[..., Imported], tmp_path: Path
) -> None:
    imported = read({"tasks/a.md": page("id: task-1"), "tasks/b.md": "---\nid: task-2\n"})
    assert list(by_id(imported)) == ["task-1"]
    (error,) = imported.damage
    assert error.where == f"{tmp_path}/backlog/tasks/b.md:1:1"


def test_a_file_is_changed_in_the_lines_of_its_fields_alone(write: Write, tmp_path: Path) -> None:
    front = (
        "id: task-1 # first\ntitle: \"One\"\nstatus: To Do   # soon\nassignee: ['@ann']\nlabels:\n  - ui\n"
        "dependencies: [task-2]\nnote: >-\n  folded\n\n  text"
    )
    path = write("tasks/a.md", page(front, "\nBody: status: To Do\n"))
    write("tasks/b.md", page("id: task-2"))
    write("tasks/c.md", page("id: task-3"))
    write("config.yml", "statuses: [to do, Doing, DONE]\n")
    (session,) = backlog.read(tmp_path).sessions
    after = replace(
        session.tasks[0],
        title='Two: "2"',
        status=Status.COMPLETED,
        weight=3.0,
        dependencies=("task-3", "task-2"),
    )
    (found,) = backlog.write(tmp_path, [replace(session, tasks=(after,))]).items()
    expected = (
        front.replace('"One"', '"Two: \\"2\\""')
        .replace("To Do   # soon", "DONE   # soon")
        .replace("[task-2]", "[task-3, task-2]")
    )
    assert found == (path, page(f"{expected}\npriority: high", "\nBody: status: To Do\n").encode())


@pytest.mark.parametrize("change", [{"status": Status.ABANDONED}, {"weight": 5.0}, {"title": "a\nb"}])
def test_what_a_project_has_no_word_for_is_refused(
    write: Write, tmp_path: Path, change: dict[str, Any]
) -> None:
    write("tasks/a.md", page("id: task-1\nstatus: Done"))
    (session,) = backlog.read(tmp_path).sessions
    after = replace(session.tasks[0], **change)
    with pytest.raises(SourceError, match=r"task 'task-1': .*nothing was written"):
        backlog.write(tmp_path, [replace(session, tasks=(after,))])
