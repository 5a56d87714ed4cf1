"""How long, and how much: a cache forgets what is old, and what was used least recently."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tiergate.errors import UsageError
from tiergate.model import Session
from tiergate.store import Store
from tiergate.testing import make_session, make_task

OpenCached = Callable[..., Store]
Forward = Callable[[float], None]
Noise = Callable[[str, int], Session]


def asked(store: Store) -> tuple[int, int]:
    """Hits and misses up to now."""
    details = store.stats().details
    return int(details["cache_hits"]), int(details["cache_misses"])


def is_hit(store: Store, session_id: str) -> bool:
    """Load a session, and tell whether the cache knew it."""
    hits, _ = asked(store)
    store.load(session_id)
    return asked(store)[0] > hits


def files_in(folder: Path, kind: str = "") -> list[Path]:
    return [path for path in (folder / kind).rglob("*") if path.is_file()]


def taken(folder: Path) -> int:
    """Bytes that the files of a folder take, in whole blocks."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in files_in(folder))


@pytest.mark.parametrize("memory", ["64m", "0"])
def test_what_is_too_old_is_a_miss(open_cached: OpenCached, forward: Forward, memory: str) -> None:
    store = open_cached(ttl=100, memory=memory)
    store.save(make_session("s", "a"))
    assert not is_hit(store, "s")
    forward(90.0)
    assert is_hit(store, "s")
    forward(20.0)
    assert not is_hit(store, "s"), "a hit does not make an entry younger"
    assert is_hit(store, "s")


def test_what_memory_took_from_disk_is_as_old_as_it_was_there(
    open_cached: OpenCached, forward: Forward
) -> None:
    first = open_cached(ttl=100)
    first.save(make_session("s", "a"))
    first.load("s")
    forward(90.0)
    second = open_cached(ttl=100)
    assert is_hit(second, "s")
    forward(20.0)
    assert not is_hit(second, "s")


@pytest.mark.parametrize("memory", ["64m", "0"])
def test_no_time_to_live_is_never_a_hit(
    open_cached: OpenCached, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)  # a clock that does not move between two calls
    store = open_cached(ttl=0, memory=memory)
    store.save(make_session("s", "a"))
    for _ in range(3):
        store.load("s")
        store.remember(b"k", "s", lambda: [1])
    assert asked(store) == (0, 6)


def test_a_clock_that_goes_back_is_no_reason_to_trust(open_cached: OpenCached, forward: Forward) -> None:
    first = open_cached(ttl=100)
    first.save(make_session("s", "a"))
    forward(1000.0)
    first.load("s")
    forward(-1000.0)
    assert not is_hit(open_cached(ttl=100), "s")


def test_results_grow_old_too(open_cached: OpenCached, forward: Forward) -> None:
    store = open_cached(ttl=100)
    store.save(make_session("s", "a"))
    results = iter(range(10))
    assert store.remember(b"k", None, lambda: next(results)) == 0
    assert store.remember(b"k", None, lambda: next(results)) == 0
    forward(101.0)
    assert store.remember(b"k", None, lambda: next(results)) == 1


def test_the_folder_keeps_to_its_limit(open_cached: OpenCached, noise: Noise, folder: Path) -> None:
    limit, one = 512 * 1024, 16 * 1024
    store = open_cached(bytes=limit, memory=0)
    for number in range(100):
        store.save(noise(f"s{number}", 10_000))
        store.load(f"s{number}")
        assert taken(folder) <= limit * 17 // 16 + one
    details = store.stats().details
    assert int(details["cache_evicted"]) > 50
    assert int(details["cache_bytes"]) == taken(folder)


def test_what_was_used_stays_and_the_rest_goes(open_cached: OpenCached, noise: Noise, folder: Path) -> None:
    store = open_cached(bytes="300k", memory=0)
    for number in range(20):
        store.save(noise(f"s{number}", 10_000))
        store.load(f"s{number}")
    for path in [*files_in(folder, "entries"), *files_in(folder, "contents")]:
        os.utime(path, (time.time(), time.time() - 1000))  # access, which reading for a check changes, is new
    used = ["s3", "s11", "s17"]
    assert all(is_hit(store, name) for name in used)
    for number in range(20, 40):
        store.save(noise(f"s{number}", 10_000))
        store.load(f"s{number}")
    assert all(is_hit(store, name) for name in used)
    unused = [f"s{number}" for number in range(20) if f"s{number}" not in used]
    assert sum(is_hit(store, name) for name in unused) < 5  # which of them are the last to go is chance
    assert int(store.stats().details["cache_evicted"]) >= 10


def test_checking_is_not_using(open_cached: OpenCached, noise: Noise, folder: Path) -> None:
    store = open_cached(memory=0)
    store.save(noise("s", 1000))
    store.load("s")
    for path in files_in(folder):
        os.utime(path, (1000.0, 1000.0))
    assert store.verify() == []
    assert {path.stat().st_mtime for path in files_in(folder, "entries")} == {1000.0}
    store.load("s")
    assert all(path.stat().st_mtime > 1000.0 for path in files_in(folder, "entries"))


def test_small_results_are_bounded_too(open_cached: OpenCached, folder: Path) -> None:
    limit = 256 * 1024
    with open_cached(bytes=limit, memory=0) as store:
        store.save(make_session("s", "a"))
        for number in range(300):
            assert store.remember(b"%d" % number, "s", lambda: []) == []
        assert taken(folder) <= limit * 17 // 16 + 8192
        assert len(files_in(folder, "contents")) == 1


def test_dictionaries_do_not_pile_up(
    open_cached: OpenCached, prose: Callable[[int], Session], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiergate_plugins.cache.shelf._TRAIN_AT", (20, 40))
    for start in range(0, 400, 50):
        with open_cached() as store:
            for number in range(start, start + 50):
                store.save(prose(number))
                store.load(f"s{number}")
    assert len(files_in(folder, "dictionaries")) == 2


def test_memory_keeps_to_its_limit(open_cached: OpenCached, noise: Noise) -> None:
    limit = 2 * 2**20
    store = open_cached(memory=limit, bytes=0)
    for number in range(200):
        store.save(noise(f"s{number}", 40_000))
    store.load("s0")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(200):
            store.load(f"s{number}")
            assert int(store.stats().details["cache_memory_bytes"]) <= limit
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert limit * 0.8 <= int(store.stats().details["cache_memory_bytes"])
    assert grown <= limit * 1.25
    assert is_hit(store, "s199")
    assert not is_hit(store, "s0")


def test_memory_forgets_what_was_used_least_recently(open_cached: OpenCached, noise: Noise) -> None:
    store = open_cached(memory="500k", bytes=0)
    for number in range(30):
        store.save(noise(f"s{number}", 40_000))
        store.load(f"s{number}")
        store.load("s0")
    assert is_hit(store, "s0")
    assert not is_hit(store, "s1")


def test_equal_content_is_kept_once(open_cached: OpenCached, folder: Path) -> None:
    store = open_cached(memory=0)
    store.save(make_session("s", "a"))
    for number in range(20):
        store.remember(b"%d" % number, "s", lambda: ["the same"])
    assert len(files_in(folder, "contents")) == 1
    assert len(files_in(folder, "entries")) == 20
    assert store.stats().details["cache_contents"] == 1
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    store.remember(b"0", "s", lambda: ["the same"])
    assert len(files_in(folder, "contents")) == 1


def test_a_session_that_is_written_back_as_it_was_has_its_own_version(open_cached: OpenCached) -> None:
    store = open_cached(memory=0)
    first = make_session("s", "a")
    store.save(first)
    store.load("s")
    store.save(msgspec.structs.replace(first, version=1))
    assert store.load("s").version == 2


@pytest.mark.parametrize("option", ["ttl=-1", "ttl=nan", "bytes=1x", "memory=-5", "level=0", "level=23"])
def test_a_limit_without_a_meaning_is_refused(open_cached: OpenCached, option: str) -> None:
    name, value = option.split("=")
    with pytest.raises(UsageError, match=rf"zstd\.{name} cannot be '{value}'"):
        open_cached(**{name: value})
