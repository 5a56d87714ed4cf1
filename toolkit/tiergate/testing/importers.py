"""The contract suite for importers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Session, Status, Task, canonical, decode_session
from tiergate.source_writing import write_source
from tiergate.sources import AUTO, read_source

Files = Mapping[str, bytes]

_MOST_CHANGES = 40
_VALUES: dict[str, Sequence[Any]] = {
    "title": ("another title", 'with "quotes", a \\ and ünï¢ode', "ends with a blank "),
    "status": tuple(Status),
    "weight": (1.0, 2.0, 3.0, 4.0, 5.0, 2.5),
    "notes": ("other notes",),
    "updated_at": ("2031-02-03T04:05:06+01:00",),
}


class ImporterContract:
    """An importer recognises its own format and no other, loses nothing, and never fails on damage.

    Subclass it, and override the fixtures ``declaration`` and ``sample``, and ``damaged`` where it applies::

        class TestMyImporter(ImporterContract):
            @pytest.fixture
            def declaration(self) -> ImporterDeclaration:
                return MY_IMPORTER

            @pytest.fixture
            def sample(self) -> Files:
                return {"plan.todo": b"[ ] write\\n[x] read\\n"}
    """

    @pytest.fixture
    def declaration(self) -> ImporterDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the ImporterDeclaration to test")

    @pytest.fixture
    def sample(self) -> Files:
        """A source with at least two tasks: its files by name. Override it.

        Several files, or a file in a folder, make a source that is a folder.
        """
        pytest.fail("override the fixture `sample`: return the files of a source")

    @pytest.fixture
    def damaged(self) -> Files | None:
        """A source with tasks and a damaged record beside them; None where every text is a source."""
        return None

    @pytest.fixture
    def foreign(self) -> Sequence[Files]:
        """Sources of other formats, which must not be recognised."""
        return [{"notes.txt": b"Dear all,\n"}, {"data.csv": b"a,b\n1,2\n"}, {"a.json": b'{"a": 1}'}]

    @pytest.fixture
    def path(self, sample: Files, tmp_path: Path) -> Path:
        """The path of the sample."""
        return lay_out(tmp_path / "sample", sample)

    @pytest.fixture
    def read(self, declaration: ImporterDeclaration, path: Path) -> Imported:
        """What the importer says of the sample."""
        return declaration.read(path)

    def test_it_recognises_its_own_format(self, declaration: ImporterDeclaration, path: Path) -> None:
        assert declaration.detect(path) is True, "detect: whether the source looks like this format"

    def test_it_recognises_no_other(
        self, declaration: ImporterDeclaration, foreign: Sequence[Files], tmp_path: Path
    ) -> None:
        for number, files in enumerate(foreign):
            other = lay_out(tmp_path / f"other-{number}", files)
            assert declaration.detect(other) is False, f"detect: {list(files)} is of another format"
        assert declaration.detect(tmp_path / "missing") is False, "detect: must not raise"

    def test_it_gives_sessions_that_any_store_can_keep(self, read: Imported) -> None:
        assert sum(len(session.tasks) for session in read.sessions) >= 2, "the sample has two tasks"
        for session in read.sessions:
            assert decode_session(canonical(session)) == session, "read: only plain JSON values"
            ids = [task.id for task in session.tasks]
            assert len(set(ids)) == len(ids), "read: ids are unique in their session"
        names = [session.id for session in read.sessions]
        assert len(set(names)) == len(names), "Imported.sessions: ids are unique in the source"

    def test_it_says_how_statuses_were_mapped(self, read: Imported) -> None:
        words = {task.source_status for session in read.sessions for task in session.tasks}
        assert words - {None} <= read.statuses.keys(), "Imported.statuses: each word of the source"

    def test_it_changes_no_file(self, declaration: ImporterDeclaration, path: Path) -> None:
        before = fingerprint(path)
        declaration.detect(path)
        read = declaration.read(path)
        if declaration.write is not None:
            with suppress(SourceError):
                declaration.write(path, [_completed(session) for session in read.sessions])
        assert fingerprint(path) == before, "an importer changes no file itself"
        assert declaration.read(path) == read, "read: the same source gives the same"

    def test_what_is_cut_off_or_foreign_is_read_or_refused(
        self, declaration: ImporterDeclaration, sample: Files, tmp_path: Path
    ) -> None:
        for number, files in enumerate(_broken(sample)):
            broken = lay_out(tmp_path / f"broken-{number}", files)
            before = fingerprint(broken)
            assert declaration.detect(broken) in (True, False), "detect: must not raise"
            with suppress(SourceError):
                declaration.read(broken)
            assert fingerprint(broken) == before, "an importer changes no file itself"

    def test_damage_is_refused_with_its_place_and_left_out_when_asked(
        self, declaration: ImporterDeclaration, damaged: Files | None, tmp_path: Path
    ) -> None:
        if damaged is None:
            pytest.skip("every text is a source of this format")
        path = lay_out(tmp_path / "damaged", damaged)
        with pytest.raises(SourceError, match=r":\d+:\d+: .*--lenient"):
            read_source(path, declaration.name, [declaration])
        imported, source = read_source(path, declaration.name, [declaration], lenient=True)
        assert source.tasks >= 1, "Imported.damage: the other records are read"
        assert len(imported.damage) >= 1, "Imported.damage: what was left out"
        assert any(note.startswith("left out: ") for note in source.notes)

    def test_nothing_is_written_where_nothing_changed(
        self, declaration: ImporterDeclaration, path: Path, read: Imported
    ) -> None:
        if declaration.write is None:
            pytest.skip("the format is only read")
        assert declaration.writes, "writes: which fields are compared and written"
        assert declaration.write(path, read.sessions) == {}, "write: only what has to change"

    def test_a_change_is_read_back_or_refused(
        self, declaration: ImporterDeclaration, sample: Files, tmp_path: Path
    ) -> None:
        if declaration.write is None:
            pytest.skip("the format is only read")
        path = lay_out(tmp_path / "written", sample)
        sessions = declaration.read(path).sessions
        written: set[str] = set()
        for fields, wanted in _changes(sessions, declaration.writes):
            path = lay_out(path.parent if path.is_file() else path, sample)
            before = fingerprint(path)
            try:
                files = write_source(path, declaration.name, [declaration], wanted)
            except SourceError:  # any other error fails the test
                assert fingerprint(path) == before, "write: refuses the whole of it"
                continue
            assert files, "write: a change gives a file"
            written |= fields
            expect_said(declaration.read(path).sessions, wanted, declaration.writes)
            assert declaration.write(path, wanted) == {}, "write: what is said needs no writing"
        assert written == declaration.writes, "writes: each field can be written"

    def test_what_the_source_lacks_is_refused(
        self, declaration: ImporterDeclaration, path: Path, read: Imported
    ) -> None:
        if declaration.write is None:
            pytest.skip("the format is only read")
        session = next(one for one in read.sessions if one.tasks)
        stranger = replace(session, tasks=(Task(id="no such task", title="x"),))
        for wanted in (stranger, replace(session, id="no such session")):
            with pytest.raises(SourceError):
                declaration.write(path, [wanted])

    def test_it_is_found_by_its_files_alone(self, declaration: ImporterDeclaration, path: Path) -> None:
        _, source = read_source(path, AUTO, [declaration])
        assert source.format == declaration.name


def lay_out(folder: Path, files: Files) -> Path:
    """Write files below a folder, and return the path of the only one, else that of the folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    only = next(iter(files))
    return folder / only if len(files) == 1 and "/" not in only else folder


def fingerprint(path: Path) -> dict[str, str]:
    """A hash of each file at or below a path."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


def expect_said(found: Sequence[Session], wanted: Sequence[Session], fields: frozenset[str]) -> None:
    """Assert that what was read back says what was asked for."""
    assert [session.id for session in found] == [session.id for session in wanted]
    for session, asked in zip(found, wanted, strict=True):
        assert [task.id for task in session.tasks] == [task.id for task in asked.tasks]
        for task, other in zip(session.tasks, asked.tasks, strict=True):
            for name in fields:
                assert getattr(task, name) == getattr(other, name), f"write: {name} of task {task.id!r}"


def _changes(sessions: Sequence[Session], fields: frozenset[str]) -> Iterator[tuple[set[str], list[Session]]]:
    """Sessions with one task changed in one field, or with another time besides, and which that is."""
    for number, session in enumerate(sessions):
        ids = [task.id for task in session.tasks]
        tasks = list(enumerate(session.tasks))
        for place, task in tasks[:2] + tasks[-2:]:
            for name in sorted(fields):
                for value in islice(_other_values(task, name, ids), _MOST_CHANGES):
                    changed = replace(task, **{name: value})
                    timed = replace(changed, updated_at=_VALUES["updated_at"][0])
                    for after in (changed, timed):
                        new = replace(
                            session, tasks=(*session.tasks[:place], after, *session.tasks[place + 1 :])
                        )
                        yield {name}, [*sessions[:number], new, *sessions[number + 1 :]]


def _other_values(task: Task, name: str, ids: Sequence[str]) -> Iterator[Any]:
    values: Sequence[Any] = _VALUES.get(name, ())
    if name == "dependencies":
        others = [one for one in ids if one != task.id]
        values = [(), tuple(others[:1]), tuple(others[-1:]), tuple(others[:2]), tuple(reversed(others[:2]))]
    yield from (value for value in dict.fromkeys(values) if value != getattr(task, name))


def _completed(session: Session) -> Session:
    return replace(session, tasks=tuple(replace(task, status=Status.COMPLETED) for task in session.tasks))


def _broken(sample: Files) -> Iterator[dict[str, bytes]]:
    """The sample, with each file cut off, emptied, in another encoding, or with bytes of no text in it."""
    for name, content in sample.items():
        half = len(content) // 2
        text = content.decode("utf-8", "replace")
        for broken in (
            b"",
            b" \n",
            content[:half],
            content[:-1],
            content[half:],
            text.encode("utf-16"),
            text.encode("latin-1", "replace") + b"\xe9",
            content[:half] + b"\0\xff" + content[half:],
            b"\xef\xbb\xbf" + content,
            content.replace(b"\n", b"\r\n"),
            content + content,
        ):
            yield {**sample, name: broken}
