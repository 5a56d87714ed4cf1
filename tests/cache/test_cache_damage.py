"""Whatever happens to the files of a cache: a miss, counted and reported, and never a wrong answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tiergate.model import Session
from tiergate.store import Store
from tiergate.testing import make_session, make_task

OpenCached = Callable[..., Store]
Prose = Callable[[int], Session]

_TRAIN_AT = "tiergate_plugins.cache.shelf._TRAIN_AT"


def files_in(folder: Path, kind: str) -> list[Path]:
    return sorted(path for path in (folder / kind).rglob("*") if path.is_file())


def detail(store: Store, name: str) -> int:
    return int(store.stats().details[f"cache_{name}"])


def fill(store: Store, prose: Prose, numbers: Iterable[int]) -> None:
    for number in numbers:
        store.save(prose(number))
        store.load(f"s{number}")


def flipped(data: bytes) -> Iterable[bytes]:
    """The data with each of its bytes changed in turn."""
    for position in range(len(data)):
        yield data[:position] + bytes([data[position] ^ (1 << position % 8)]) + data[position + 1 :]


def other_forms(data: bytes) -> list[bytes]:
    return [b"", data[:1], data[:-1], data + b"\0", bytes(len(data)), data * 2]


@pytest.mark.parametrize("kind", ["entries", "contents"])
def test_every_byte_of_a_file_matters(open_cached: OpenCached, prose: Prose, folder: Path, kind: str) -> None:
    store = open_cached(memory=0)
    fill(store, prose, [1])
    truth = store.load("s1")
    (path,) = files_in(folder, kind)
    sound = {one: one.read_bytes() for one in [*files_in(folder, "entries"), *files_in(folder, "contents")]}
    found = harmless = 0
    for data in [*flipped(sound[path]), *other_forms(sound[path])]:
        path.write_bytes(data)
        reported = [damage.where for damage in store.verify()]
        assert store.load("s1") == truth
        if reported:  # a bit of the header and what follows a frame mean nothing
            found += 1
            assert reported == [str(path)]
            assert store.verify() == [], "it was replaced by what is sound"
        else:
            harmless += 1
        assert (detail(store, "damaged"), detail(store, "hits")) == (found, harmless + 1)
        for one, content in sound.items():
            one.write_bytes(content)
    assert found > 60
    assert harmless <= (found // 20 if kind == "contents" else 0)


def test_an_entry_in_the_place_of_another_is_damaged(
    open_cached: OpenCached, prose: Prose, folder: Path
) -> None:
    store = open_cached(memory=0)
    fill(store, prose, [1, 2])
    first, second = files_in(folder, "entries")
    first.write_bytes(second.read_bytes())
    assert [damage.where for damage in store.verify()] == [str(first)]
    assert [store.load(f"s{number}").id for number in (1, 2)] == ["s1", "s2"]
    assert detail(store, "damaged") == 1


def test_every_byte_of_a_dictionary_matters(
    open_cached: OpenCached, prose: Prose, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_TRAIN_AT, (30,))
    first = open_cached(memory=0)
    fill(first, prose, range(40))
    assert detail(first, "dictionary") == 1
    truth = first.load("s39")
    (path,) = files_in(folder, "dictionaries")
    sound = path.read_bytes()
    backup = shutil.copytree(folder, folder.with_name("backup"))
    positions = [*range(0, 40, 4), *range(64, len(sound), len(sound) // 5)]
    for position in positions:
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0xFF]) + sound[position + 1 :])
        assert str(path) in [damage.where for damage in first.verify()]
        with open_cached(memory=0) as store:
            before = detail(store, "damaged")
            assert before >= 1, "a damaged dictionary is found when it is opened"
            assert store.verify(), "what was compressed with it is reported"
            assert store.load("s39") == truth
            assert detail(store, "damaged") == before + 1
            assert detail(store, "dictionary") == 0
        for part in ("entries", "contents"):
            shutil.copytree(backup / part, folder / part, dirs_exist_ok=True)
    path.write_bytes(sound)
    with open_cached(memory=0) as store:
        hits = detail(store, "hits")
        assert store.load("s39") == truth
        assert detail(store, "hits") == hits + 1


def test_old_content_is_read_after_a_new_dictionary(
    open_cached: OpenCached, prose: Prose, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_TRAIN_AT, (20, 40))
    versions = []
    with open_cached(memory=0) as store:
        for number in range(60):
            fill(store, prose, [number])
            versions.append(detail(store, "dictionary"))
    assert [versions.count(version) for version in (0, 1, 2)] == [19, 20, 21]
    assert len(files_in(folder, "dictionaries")) == 2
    with open_cached(memory=0) as store:
        assert detail(store, "dictionary") == 2
        assert store.verify() == []
        hits = detail(store, "hits")
        for number in range(60):
            assert store.load(f"s{number}").tasks == prose(number).tasks
        assert detail(store, "hits") == hits + 60
        assert detail(store, "damaged") == 0


def test_a_dictionary_makes_content_smaller(
    open_cached: OpenCached, prose: Prose, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_TRAIN_AT, (30,))
    store = open_cached(memory=0)
    fill(store, prose, range(30))
    before = {path: path.stat().st_size for path in files_in(folder, "contents")}
    fill(store, prose, range(30, 60))
    after = [path.stat().st_size for path in files_in(folder, "contents") if path not in before]
    assert sum(after) / 30 < 0.9 * sum(before.values()) / 30


def test_a_dictionary_that_was_removed_is_a_miss_and_done_without(
    open_cached: OpenCached, prose: Prose, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_TRAIN_AT, (30,))
    first = open_cached(memory=0)
    fill(first, prose, range(40))
    shutil.rmtree(folder / "dictionaries")
    with open_cached(memory=0) as store:
        for number in range(40):
            assert store.load(f"s{number}").tasks == prose(number).tasks
        # 29 were written before it was trained, and the one after which it was
        assert detail(store, "damaged") == 10
        assert store.verify() == []
    fill(first, prose, range(40, 45))  # an instance that still has it in memory
    with open_cached(memory=0) as store:
        assert store.verify() == []
        hits = detail(store, "hits")
        for number in range(45):
            assert store.load(f"s{number}").tasks == prose(number).tasks
        assert detail(store, "hits") == hits + 45


def test_a_dictionary_trained_twice_at_once_keeps_both(
    open_cached: OpenCached, prose: Prose, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_TRAIN_AT, (20,))
    one, two = open_cached(memory=0), open_cached(memory=0)
    monkeypatch.setattr("tiergate_plugins.cache.shelf.Shelf._use_newest", lambda _: None)
    for number in range(0, 60, 2):
        fill(one, prose, [number])
        fill(two, prose, [number + 1])
    assert len(files_in(folder, "dictionaries")) == 2
    for store in (one, two, open_cached(memory=0)):
        assert store.verify() == []
        for number in range(60):
            assert store.load(f"s{number}").tasks == prose(number).tasks
        assert detail(store, "damaged") == 0


def test_a_write_of_the_store_that_was_lost_to_damage(open_cached: OpenCached, tmp_path: Path) -> None:
    """Its version and its number name the lost content in the cache, and must not name other content."""

    def titles(store: Store) -> list[str]:
        loaded = store.load("s").tasks[0].title
        return [loaded, *store.remember(b"title", None, lambda: [store.load("s").tasks[0].title])]

    with open_cached("json") as store:
        store.save(make_session("s", make_task("a", title="one")))
        store.save(make_session("s", make_task("a", title="lost"), version=1))
        assert titles(store) == ["lost", "lost"]
    journal = tmp_path / "work" / "journal"
    content = bytearray(journal.read_bytes())
    content[content.rindex(b"lost")] ^= 1
    journal.write_bytes(content)
    with open_cached("json") as store:
        assert store.version("s") == 1
        store.save(make_session("s", make_task("a", title="two"), version=1))
        assert titles(store) == ["two", "two"]
