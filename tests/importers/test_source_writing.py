"""Putting changes into a source: each file whole, with its permissions, and only where something changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tiergate.errors import RunError, SourceError, UsageError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Session, Status
from tiergate.source_writing import write_source
from tiergate.sources import AUTO

Write = Callable[[str, str | bytes], Path]
ISSUE = '{"id": "a", "title": "A", "status": "open"}\n'


def blocked(importers: list[ImporterDeclaration], path: Path) -> list[Session]:
    beads = next(one for one in importers if one.name == "beads")
    return [
        replace(session, tasks=tuple(replace(task, status=Status.BLOCKED) for task in session.tasks))
        for session in beads.read(path).sessions
    ]


def test_a_changed_file_keeps_its_permissions_and_its_links(
    write: Write, tmp_path: Path, importers: list[ImporterDeclaration]
) -> None:
    path = write("kept/issues.jsonl", ISSUE)
    path.chmod(0o640)
    link = tmp_path / "issues.jsonl"
    link.symlink_to(path)
    sessions = blocked(importers, link)
    assert write_source(link, AUTO, importers, sessions) == [link]
    assert link.is_symlink()
    assert path.read_text() == ISSUE.replace("open", "blocked")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["issues.jsonl"]


def test_an_unchanged_file_is_not_touched(write: Write, importers: list[ImporterDeclaration]) -> None:
    path = write("issues.jsonl", ISSUE)
    sessions = blocked(importers, path)
    assert write_source(path, "beads", importers, sessions) == [path]
    before = path.stat()
    assert write_source(path, "beads", importers, sessions) == []
    assert path.stat() == before


def test_a_damaged_line_stays_as_it_is(write: Write, importers: list[ImporterDeclaration]) -> None:
    path = write("issues.jsonl", ISSUE + '{"id": "b"\n' + ISSUE)
    write_source(path, "beads", importers, blocked(importers, path))
    assert path.read_text() == ISSUE.replace("open", "blocked") + '{"id": "b"\n' + ISSUE


def test_a_format_that_is_only_read_is_refused(write: Write, importers: list[ImporterDeclaration]) -> None:
    path = write("i.json", '[{"number": 1, "title": "x", "state": "open"}]')
    with pytest.raises(SourceError, match=r"'github' is only read \(can be written: .*beads"):
        write_source(path, AUTO, importers, [])


def test_a_format_that_is_unknown_is_refused(write: Write, importers: list[ImporterDeclaration]) -> None:
    with pytest.raises(UsageError, match="unknown source format"):
        write_source(write("i.jsonl", ISSUE), "bead", importers, [])


def test_a_failing_importer_is_blamed(write: Write) -> None:
    def fail(_path: Path, _sessions: object) -> dict[Path, bytes]:
        raise LookupError("two\nlines")

    broken = ImporterDeclaration(
        name="broken",
        summary="for a test",
        detect=lambda _: True,
        read=lambda _: Imported(sessions=[], statuses={}),
        write=fail,
    )
    with pytest.raises(RunError, match=r"importer 'broken': failed to write .*LookupError: two lines"):
        write_source(write("a", "x"), "broken", [broken], [])


def test_a_folder_that_cannot_be_written_leaves_the_file(
    write: Write, importers: list[ImporterDeclaration], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("issues.jsonl", ISSUE)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tiergate.source_writing.sync", refuse)
    with pytest.raises(RunError, match="cannot be written: No space left on device"):
        write_source(path, "beads", importers, blocked(importers, path))
    assert path.read_text() == ISSUE
    assert [one.name for one in path.parent.iterdir()] == ["issues.jsonl"]
