"""Which folders are ``json:`` stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.errors import EXIT_USAGE
from tiergate.store import Store, StoreError
from tiergate.testing import make_session

OpenAt = Callable[[str], Store]
MODES = pytest.mark.parametrize("mode", ["", "?mode=ro"])


@MODES
@pytest.mark.parametrize(
    ("name", "content"),
    [("readme.txt", "text"), ("package.json", '{"name": "x"}'), ("deleted", "text"), (".env", "text")],
)
def test_a_folder_of_other_things_is_refused(
    open_at: OpenAt, tmp_path: Path, mode: str, name: str, content: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / name).write_text(content)
    with pytest.raises(StoreError, match=f"is no store, it holds other things, such as '{name}'") as caught:
        open_at(f"json:{{}}/other{mode}")
    assert caught.value.exit_code == EXIT_USAGE
    assert [path.name for path in (tmp_path / "other").iterdir()] == [name]


@pytest.mark.parametrize("name", [".lock", ".journal.new", ".gitkeep", ".DS_Store"])
def test_what_a_killed_writer_or_a_tool_left_is_no_hindrance(
    open_at: OpenAt, tmp_path: Path, name: str
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).write_text("")
    open_at("json:{}/work").save(make_session("s"))
    assert open_at("json:{}/work?mode=ro").ids() == ["s"]


@MODES
def test_files_of_others_beside_a_journal_do_no_harm(open_at: OpenAt, tmp_path: Path, mode: str) -> None:
    open_at("json:{}/work").save(make_session("s"))
    (tmp_path / "work" / "notes.txt").write_text("text")
    assert open_at(f"json:{{}}/work{mode}").ids() == ["s"]


def test_a_store_that_lost_its_journal_is_still_one(open_at: OpenAt, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "s.json").write_text('{"id":"s","version":1}')
    assert open_at("json:{}/work?mode=ro").ids() == ["s"]
