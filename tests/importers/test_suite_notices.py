"""The contract suite notices an importer that breaks the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Session
from tiergate.testing import ImporterContract

SAMPLE = {"i.jsonl": b'{"id":"a","title":"A","status":"open"}\n{"id":"b","title":"B","status":"open"}\n'}


@pytest.fixture
def good(importers: list[ImporterDeclaration]) -> ImporterDeclaration:
    return next(importer for importer in importers if importer.name == "beads")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "i.jsonl"
    path.write_bytes(SAMPLE["i.jsonl"])
    return path


def broken_read(good: ImporterDeclaration, change: Callable[[Imported], Imported]) -> ImporterDeclaration:
    return replace(good, read=lambda path: change(good.read(path)))


def test_a_writer_that_forgets_a_field_is_noticed(good: ImporterDeclaration, tmp_path: Path) -> None:
    def forgetful(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
        said = [
            structs.replace(session, tasks=tuple(structs.replace(task, weight=1.0) for task in session.tasks))
            for session in sessions
        ]
        assert good.write is not None
        written = good.write(path, said)
        asked = any(task.weight != 1.0 for session in sessions for task in session.tasks)
        return written or ({path: path.read_bytes()} if asked else {})

    with pytest.raises(AssertionError, match="write: weight of task"):
        ImporterContract().test_a_change_is_read_back_or_refused(
            replace(good, write=forgetful), SAMPLE, tmp_path
        )


def test_a_writer_that_refuses_everything_is_noticed(good: ImporterDeclaration, tmp_path: Path) -> None:
    def refuse(path: Path, _sessions: Sequence[Session]) -> Mapping[Path, bytes]:
        raise SourceError("never", where=str(path))

    with pytest.raises(AssertionError, match="writes: each field can be written"):
        ImporterContract().test_a_change_is_read_back_or_refused(
            replace(good, write=refuse), SAMPLE, tmp_path
        )


def test_a_writer_that_passes_over_a_field_of_its_own_is_noticed(
    good: ImporterDeclaration, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="write: a change gives a file"):
        ImporterContract().test_a_change_is_read_back_or_refused(
            replace(good, writes=good.writes | {"notes"}), SAMPLE, tmp_path
        )


def test_a_writer_that_writes_without_need_is_noticed(good: ImporterDeclaration, path: Path) -> None:
    rewriting = replace(good, write=lambda path, _: {path: path.read_bytes()})
    with pytest.raises(AssertionError, match="only what has to change"):
        ImporterContract().test_nothing_is_written_where_nothing_changed(rewriting, path, good.read(path))


def test_a_reader_that_changes_the_source_is_noticed(good: ImporterDeclaration, path: Path) -> None:
    def read(path: Path) -> Imported:
        path.write_bytes(path.read_bytes() + b"\n")
        return good.read(path)

    with pytest.raises(AssertionError, match="changes no file itself"):
        ImporterContract().test_it_changes_no_file(replace(good, read=read), path)


def test_a_reader_that_fails_on_damage_is_noticed(good: ImporterDeclaration, tmp_path: Path) -> None:
    def read(path: Path) -> Any:
        return good.read(path) if path.read_bytes().strip() else 1 / 0

    with pytest.raises(ZeroDivisionError):
        ImporterContract().test_what_is_cut_off_or_foreign_is_read_or_refused(
            replace(good, read=read), SAMPLE, tmp_path
        )


def test_a_reader_that_hides_damage_is_noticed(good: ImporterDeclaration, tmp_path: Path) -> None:
    silent = broken_read(good, lambda found: replace(found, damage=()))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        ImporterContract().test_damage_is_refused_with_its_place_and_left_out_when_asked(
            silent, {"i.jsonl": SAMPLE["i.jsonl"] + b"{\n"}, tmp_path
        )


def test_a_reader_that_keeps_its_words_to_itself_is_noticed(good: ImporterDeclaration, path: Path) -> None:
    with pytest.raises(AssertionError, match="each word of the source"):
        ImporterContract().test_it_says_how_statuses_were_mapped(replace(good.read(path), statuses={}))


def test_a_detector_that_takes_everything_is_noticed(good: ImporterDeclaration, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is of another format"):
        ImporterContract().test_it_recognises_no_other(
            replace(good, detect=lambda _: True), [{"a.csv": b"a,b\n"}], tmp_path
        )
