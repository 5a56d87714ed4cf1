"""tiergate's stores as sources: by address and by path, and that reading one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.errors import SourceError
from tiergate.hooks import ImporterDeclaration
from tiergate.plugins import PluginHost
from tiergate.sources import AUTO, read_source
from tiergate.store_source import store_importer
from tiergate.testing import make_session
from tiergate.testing.importers import fingerprint

ADDRESSES = ("json:work", "jsonfile:work.json", "sqlite:work.db", "zstd+sqlite:packed.db")


@pytest.fixture
def everything(importers: list[ImporterDeclaration]) -> list[ImporterDeclaration]:
    """What a command reads with."""
    return [*importers, store_importer(PluginHost().opener())]


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put two sessions into a store."""
    monkeypatch.chdir(tmp_path)

    def save(address: str) -> None:
        with PluginHost().opener().open(address) as store:
            store.save(make_session("one", "a", "b"))
            store.save(make_session("two", "c"))

    return save


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("by_path", [False, True])
def test_a_store_is_read_by_address_and_by_path(
    fill: Callable[[str], None],
    everything: list[ImporterDeclaration],
    tmp_path: Path,
    address: str,
    by_path: bool,
) -> None:
    fill(address)
    place = address.partition(":")[2]
    before = fingerprint(tmp_path / place)
    imported, source = read_source(Path(place if by_path else address), AUTO, everything)
    assert (source.format, source.sessions, source.tasks) == ("store", 2, 3)
    assert [(session.id, session.version) for session in imported.sessions] == [("one", 0), ("two", 0)]
    assert fingerprint(tmp_path / place) == before


def test_a_store_that_is_not_there_is_not_made(
    fill: Callable[[str], None], everything: list[ImporterDeclaration], tmp_path: Path
) -> None:
    fill("json:other")
    with pytest.raises(SourceError):
        read_source(Path("sqlite:none.db"), AUTO, everything)
    assert not (tmp_path / "none.db").exists()


def test_a_file_with_a_colon_in_its_name_is_a_file(
    fill: Callable[[str], None], everything: list[ImporterDeclaration], tmp_path: Path
) -> None:
    (tmp_path / "json:todo.txt").write_text("(A) call\n")
    fill("json:todo.txt")
    _, source = read_source(Path("json:todo.txt"), AUTO, everything)
    assert source.format == "todotxt"


@pytest.mark.parametrize("name", ["nowhere:at all", "none.jsonl"])
def test_what_is_neither_a_path_nor_an_address_is_missing(
    everything: list[ImporterDeclaration], name: str
) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        read_source(Path(name), AUTO, everything)


def test_a_path_that_is_no_store_is_refused_by_name(
    everything: list[ImporterDeclaration], tmp_path: Path
) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0 of somebody else")
    with pytest.raises(SourceError, match="no store of a known kind"):
        read_source(tmp_path / "a.db", "store", everything)
