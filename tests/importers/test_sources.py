"""Finding the importer for a source, and what is said when there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tiergate.errors import EXIT_BROKE, EXIT_USAGE, RunError, SourceError, TiergateError, UsageError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Session, Status, Task
from tiergate.sources import AUTO, read_source

Write = Callable[[str, str | bytes], Path]
BEADS = '{"id": "a", "title": "A", "status": "open"}\n{"id": "b", "title": "B", "status": "paused"}\n'


def importer(name: str = "made-up", *, detect: Any = lambda _: True, **task: Any) -> ImporterDeclaration:
    """An importer that returns one session of one task."""
    session = Session(id="s", tasks=(Task(id="t", title="T", **task),))
    imported = Imported(sessions=[session], statuses={})
    return ImporterDeclaration(name=name, summary="for a test", detect=detect, read=lambda _: imported)


def fail(_path: Path) -> NoReturn:
    raise LookupError("two\nlines")


def refusal(path: Path, format_name: str, importers: list[ImporterDeclaration]) -> TiergateError:
    with pytest.raises(TiergateError) as caught:
        read_source(path, format_name, importers)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("w.jsonl", BEADS, "beads"),
        ("tasks.json", '{"m": {"tasks": [{"id": 1, "title": "x"}]}}', "taskmaster"),
        ("tasks/a.md", "---\nid: task-1\n---\n", "backlog"),
    ],
)
def test_the_format_is_found(
    write: Write, importers: list[ImporterDeclaration], name: str, content: str | bytes, expected: str
) -> None:
    path = write(name, content)
    path = path.parent.parent if expected == "backlog" else path
    imported, source = read_source(path, AUTO, importers)
    assert (source.format, source.path, source.sessions) == (expected, str(path), 1)
    assert source.tasks == len(imported.sessions[0].tasks) > 0


def test_the_record_counts_the_words_and_carries_the_notes(
    write: Write, importers: list[ImporterDeclaration]
) -> None:
    _, source = read_source(write("w.jsonl", BEADS), "beads", importers)
    assert source.statuses == {"open": ("queued", 1), "paused": ("queued", 1)}
    assert len(source.notes) == 1
    assert "unknown status 'paused'" in source.notes[0]


def test_a_word_with_exceptions_has_an_entry_for_each(write: Write) -> None:
    tasks = (
        Task(id="1", title="", source_status="Done", status=Status.COMPLETED),
        Task(id="2", title="", source_status="To Do", status=Status.QUEUED),
        Task(id="3", title="", source_status="To Do", status=Status.ABANDONED),
        Task(id="4", title="", source_status="To Do", status=Status.ABANDONED),
        Task(id="5", title=""),
    )
    imported = Imported(
        sessions=[Session(id="s", tasks=tasks)], statuses={"Done": Status.COMPLETED, "To Do": Status.QUEUED}
    )
    declared = replace(importer(), read=lambda _: imported)
    _, source = read_source(write("a", "x"), "made-up", [declared])
    assert source.statuses == {
        "(none)": ("queued", 1),
        "Done": ("completed", 1),
        "To Do": ("queued", 1),
        "To Do (abandoned)": ("abandoned", 2),
    }


def test_an_unknown_format_offers_the_nearest(write: Write, importers: list[ImporterDeclaration]) -> None:
    error = refusal(write("w.jsonl", BEADS), "baeds", importers)
    assert isinstance(error, UsageError)
    assert "did you mean 'beads'?" in str(error)


def test_no_known_format_names_the_formats_and_what_was_seen(
    write: Write, importers: list[ImporterDeclaration]
) -> None:
    error = refusal(write("a.csv", "id,title\n1,x\n"), AUTO, importers)
    assert isinstance(error, SourceError)
    assert "a text that begins with 'id,title" in str(error)
    for name in ("beads", "taskmaster", "backlog"):
        assert name in str(error)


def test_a_folder_of_no_known_format_is_described(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    for name in "abcd":
        write(f"{name}.csv", "x")
    assert "a folder with a.csv, b.csv, c.csv, …" in str(refusal(tmp_path, AUTO, importers))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x7fELF\0\0", "a binary file"),
        ("- [ ] ä".encode("utf-16"), "UTF-16 text, save it as UTF-8"),
        (b"one\ntw\xc3\xb6 \xff", "not UTF-8 text at line 2, column 5"),
        (b" \n\n", "the file is empty"),
        (b"", "the file is empty"),
    ],
)
def test_what_is_no_text_is_described(
    write: Write, importers: list[ImporterDeclaration], content: str | bytes, what: str
) -> None:
    error = refusal(write("w.jsonl", content), AUTO, importers)
    assert isinstance(error, SourceError)
    assert what in error.what


def test_several_formats_ask_for_one(write: Write) -> None:
    error = refusal(write("a", "x"), AUTO, [importer("one"), importer("two")])
    assert isinstance(error, SourceError)
    assert "could be one or two" in str(error)
    assert "--format" in str(error)


def test_a_missing_source_is_named(tmp_path: Path, importers: list[ImporterDeclaration]) -> None:
    error = refusal(tmp_path / "none.jsonl", AUTO, importers)
    assert (error.where, error.exit_code) == (str(tmp_path / "none.jsonl"), EXIT_USAGE)
    assert "no such file or folder" in error.what


def test_an_impossible_path_is_refused(importers: list[ImporterDeclaration]) -> None:
    assert "cannot be read" in refusal(Path("a\0b"), AUTO, importers).what


def test_a_name_too_long_for_the_system_is_refused(
    tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    assert "cannot be read" in refusal(tmp_path / ("x" * 5000), AUTO, importers).what


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("folder", [False, True])
def test_an_unreadable_source_is_refused(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration], folder: bool
) -> None:
    path = write("kept/w.jsonl", BEADS)
    path = path.parent if folder else path
    path.chmod(0)
    try:
        assert "cannot be read: Permission denied" in str(refusal(path, AUTO, importers))
    finally:
        path.chmod(0o700)


def test_a_pipe_is_refused_without_waiting_for_it(
    tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "neither a file nor a folder" in refusal(path, AUTO, importers).what
    assert not any(declared.detect(path) for declared in importers)


def test_an_empty_folder_is_refused(tmp_path: Path, importers: list[ImporterDeclaration]) -> None:
    assert "the folder is empty" in refusal(tmp_path, "backlog", importers).what


def test_a_source_without_tasks_is_refused(write: Write, importers: list[ImporterDeclaration]) -> None:
    error = refusal(write("tasks.json", '{"m": {"tasks": []}}'), AUTO, importers)
    assert isinstance(error, SourceError)
    assert "no tasks in it (it was read as taskmaster)" in str(error)


def test_the_wrong_format_by_name_is_the_importers_word(
    write: Write, importers: list[ImporterDeclaration]
) -> None:
    path = write("a.csv", "id,title\n")
    assert refusal(path, "beads", importers).where == f"{path}:1:1"
    assert refusal(path, "backlog", importers).what == "not a folder"


def test_a_failing_importer_is_blamed(write: Write) -> None:
    error = refusal(write("a", "x"), "made-up", [replace(importer(), read=fail)])
    assert isinstance(error, RunError)
    assert (error.exit_code, error.where) == (EXIT_BROKE, "importer 'made-up'")
    assert "LookupError: two lines" in str(error)


def test_an_importer_that_fails_to_look_does_not_stop_the_others(write: Write) -> None:
    broken = importer("broken", detect=fail)
    _, source = read_source(write("a", "x"), AUTO, [broken, importer()])
    assert source.format == "made-up"
    assert source.notes == ["importer 'broken' failed to recognise formats: LookupError: two lines"]


def test_an_importer_that_fails_to_look_is_blamed_when_nothing_else_matches(write: Write) -> None:
    error = refusal(write("a", "x"), AUTO, [importer("broken", detect=fail)])
    assert isinstance(error, RunError)
    assert "importer 'broken'" in str(error)
    assert "--no-plugin" in str(error)


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        ([], "read must return Imported, it returned list"),
        (
            Imported(sessions=[Session(id="s"), Session(id="s")], statuses={}),
            "it returned two sessions with the id 's'",
        ),
        (
            Imported(sessions=[Session(id="s", tasks=(Task(id="t", title=""),) * 2)], statuses={}),
            "session 's' has two tasks with the id 't'",
        ),
    ],
)
def test_a_wrong_return_is_blamed_on_the_importer(write: Write, returned: Any, what: str) -> None:
    error = refusal(write("a", "x"), "made-up", [replace(importer(), read=lambda _: returned)])
    assert isinstance(error, RunError)
    assert error.what == what


def test_a_name_that_is_no_utf8_can_be_recorded(tmp_path: Path, importers: list[ImporterDeclaration]) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/w\xff.jsonl"))
    try:
        path.write_text(BEADS)
    except OSError:
        pytest.skip("the file system wants names in UTF-8")
    imported, source = read_source(path, AUTO, importers)
    assert source.path.endswith("w\\xff.jsonl")
    assert imported.sessions[0].id == "w\\xff"
