"""A ``jsonfile:`` that was cut or garbled: no call reads less than there was without an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.store import Store, StoreDamaged, TaskQuery
from tiergate.testing import make_session, make_task

OpenAt = Callable[[str], Store]


@pytest.fixture
def file(open_at: OpenAt, tmp_path: Path) -> Path:
    with open_at("jsonfile:{}/work.json") as store:
        store.save(make_session("s", make_task("a", notes="日本語")))
        store.save(make_session("t"))
        store.delete("t", expected_version=1)
    return tmp_path / "work.json"


def require_refused(open_at: OpenAt, running: Store, what: object) -> None:
    """Neither a new instance nor one that was opened before may answer."""
    for option in ("", "?mode=ro"):
        with pytest.raises(StoreDamaged, match=r"work\.json: "):
            open_at(f"jsonfile:{{}}/work.json{option}")
    for call in (running.ids, running.sizes, running.stats, lambda: running.query(TaskQuery())):
        with pytest.raises(StoreDamaged, match=r"work\.json: "):
            call()
    with pytest.raises(StoreDamaged):
        running.save(make_session("new"))
    assert running.verify(), what


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b'{"id": "bd-1"}', "restore it from a copy, or name another file"),
        (b'{"schema": "other/1", "changes": 0, "deleted": {}, "sessions": {}}', "upgrade tiergate"),
    ],
)
def test_what_is_none_is_refused_with_advice(
    open_at: OpenAt, tmp_path: Path, content: bytes, advice: str
) -> None:
    (tmp_path / "work.json").write_bytes(content)
    with pytest.raises(StoreDamaged, match=advice):
        open_at("jsonfile:{}/work.json?mode=ro").ids()
    assert (tmp_path / "work.json").read_bytes() == content


def test_no_cut_goes_unseen(open_at: OpenAt, file: Path) -> None:
    running = open_at("jsonfile:{}/work.json")
    whole = file.read_bytes()
    for cut in range(len(whole)):
        file.write_bytes(whole[:cut])
        require_refused(open_at, running, cut)


@pytest.mark.parametrize(
    "content",
    [b"\0", b"\0" * 4096, b"null", b"{}", b"[]", b'{"schema":"tiergate.sessions/1"}', b"\xff\xfe", b"<html>"],
)
def test_another_content_is_refused(open_at: OpenAt, file: Path, content: bytes) -> None:
    running = open_at("jsonfile:{}/work.json")
    file.write_bytes(content)
    require_refused(open_at, running, content)


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_zeros_within_are_refused(open_at: OpenAt, file: Path, start: int) -> None:
    """As after a file system that has lost a part of the file."""
    running = open_at("jsonfile:{}/work.json")
    content = bytearray(file.read_bytes())
    content[start : start + 10] = bytes(10)
    file.write_bytes(content)
    try:
        found = {name: running.load(name) for name in running.ids()}
    except StoreDamaged:
        found = {}
    assert found == {}
    assert running.verify()
