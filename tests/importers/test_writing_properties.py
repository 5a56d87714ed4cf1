"""Whatever is asked for is read back, or refused as a whole; what did not change stays byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.hooks import ImporterDeclaration
from tiergate.model import Session, Status, Task
from tiergate.testing.importers import expect_said, fingerprint, lay_out

Files = dict[str, bytes]
Case = tuple[str, Files, Files | None]

TITLES = st.text(min_size=1, max_size=30) | st.text("x([])-# +@:id,{}\"'\\%\n\r", min_size=1, max_size=12)
CHANGES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def changed(data: st.DataObject, task: Task, ids: Sequence[str], fields: frozenset[str]) -> Task:
    """A task with some fields changed, mostly to what a format may be able to say."""
    values: dict[str, Any] = {
        "title": TITLES,
        "status": st.sampled_from(Status),
        "weight": st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0, 2.5, 0.0]),
        "dependencies": st.lists(st.sampled_from([*ids, "absent"]), max_size=3, unique=True).map(tuple),
        "updated_at": st.just("2031-02-03T04:05:06+01:00"),
    }
    names = data.draw(st.sets(st.sampled_from(sorted(fields)), max_size=2))
    chosen = {name: data.draw(values[name], label=name) for name in sorted(names)}
    chosen.setdefault("updated_at", "2031-02-03T04:05:06+01:00")
    return replace(task, **chosen)


@CHANGES
@given(data=st.data())
def test_changes_are_read_back_or_refused(
    tmp_path: Path, importers: list[ImporterDeclaration], case: Case, data: st.DataObject
) -> None:
    name, files, _ = case
    importer = next(one for one in importers if one.name == name)
    if importer.write is None:
        pytest.skip("the format is only read")
    path = lay_out(tmp_path, files)
    sessions = importer.read(path).sessions
    chosen = data.draw(st.sets(st.integers(0, sum(len(one.tasks) for one in sessions) - 1), max_size=2))
    wanted, number = [], -1
    for session in sessions:
        ids = [task.id for task in session.tasks]
        tasks = []
        for task in session.tasks:
            number += 1
            tasks.append(changed(data, task, ids, importer.writes) if number in chosen else task)
        wanted.append(replace(session, tasks=tuple(tasks)))
    before = fingerprint(path)
    try:
        written = importer.write(path, wanted)
    except SourceError:  # any other error fails the test
        return
    finally:
        assert fingerprint(path) == before
    for file, content in written.items():
        file.write_bytes(content)
    expect_said(importer.read(path).sessions, wanted, importer.writes)
    assert importer.write(path, wanted) == {}


def rendered(document: str, newline: str, mark: bytes, end: str) -> bytes:
    return mark + (document + end).replace("\n", newline).encode()


@CHANGES
@given(
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    end=st.sampled_from(["", "\n", "\n\n"]),
    status=st.sampled_from([Status.QUEUED, Status.COMPLETED]),
    title=st.text("abc é-", min_size=1, max_size=8).map(lambda text: f"a{text.strip()}a"),
)
def test_only_the_bytes_of_a_change_differ(
    tmp_path: Path,
    importers: list[ImporterDeclaration],
    case: Case,
    newline: str,
    mark: bytes,
    end: str,
    status: Status,
    title: str,
) -> None:
    """With any end of line, byte order mark and end of file, every other line stays as it is."""
    name, files, _ = case
    importer = next(one for one in importers if one.name == name)
    if importer.write is None:
        pytest.skip("the format is only read")
    texts = {one: content.decode().replace("\r\n", "\n").rstrip("\n") for one, content in files.items()}
    path = lay_out(tmp_path, {one: rendered(text, newline, mark, end) for one, text in texts.items()})
    sessions = importer.read(path).sessions
    assert importer.write(path, sessions) == {}
    session = next(one for one in sessions if len(one.tasks) > 1)
    after = replace(session.tasks[1], status=status, title=title, updated_at="2031-01-01T00:00:00Z")
    written = importer.write(path, [replace(session, tasks=(after,))])
    for file, content in written.items():
        old = file.read_bytes()
        assert content.startswith(mark)
        assert content.endswith(old[len(old.rstrip()) :])
        assert content.count(b"\r\n") - content.count(b"\n") == (
            0 if newline == "\r\n" else -content.count(b"\n")
        )
        # Title, status and time, each on a line of its own where the format has one.
        assert differing(old.split(b"\n"), content.split(b"\n")) <= 3 + abs(
            old.count(b"\n") - content.count(b"\n")
        )
    file_written(written)
    (said,) = (
        task
        for one in importer.read(path).sessions
        for task in one.tasks
        if task.id == after.id and one.id == session.id
    )
    assert (said.status, said.title) == (status, title)


def differing(old: list[bytes], new: list[bytes]) -> int:
    """How many lines of a text are not in another."""
    left = list(new)
    count = 0
    for line in old:
        if line in left:
            left.remove(line)
        else:
            count += 1
    return count


def file_written(contents: Any) -> None:
    for file, content in contents.items():
        file.write_bytes(content)


def test_writing_a_part_leaves_the_rest(
    importers: list[ImporterDeclaration], case: Case, tmp_path: Path
) -> None:
    name, files, _ = case
    importer = next(one for one in importers if one.name == name)
    if importer.write is None:
        pytest.skip("the format is only read")
    path = lay_out(tmp_path, files)
    first = importer.read(path).sessions[0]
    assert importer.write(path, []) == {}
    assert importer.write(path, [Session(id=first.id)]) == {}
