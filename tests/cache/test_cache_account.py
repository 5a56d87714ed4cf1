"""What a cache says of itself is what it did."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.model import Session
from tiergate.store import Store
from tiergate.testing import make_session, make_task

OpenCached = Callable[..., Store]
Prose = Callable[[int], Session]


def account(store: Store) -> dict[str, Any]:
    found = store.stats().details.items()
    return {name.removeprefix("cache_"): value for name, value in found if name.startswith("cache_")}


def test_nothing_was_asked(open_cached: OpenCached) -> None:
    found = account(open_cached())
    assert set(found.values()) <= {0}
    assert found["hit_rate"] == found["ratio"] == 0.0


def test_hits_and_misses(open_cached: OpenCached, prose: Prose) -> None:
    with open_cached() as first:
        for number in range(10):
            first.save(prose(number))
        for number in range(8):
            for _ in range(3):
                first.load(f"s{number}")
        first.remember(b"k", None, lambda: [1])
        first.remember(b"k", None, lambda: [1])
        found = account(first)
        assert (found["hits"], found["memory_hits"], found["misses"]) == (17, 17, 9)
        assert found["hit_rate"] == round(17 / 26, 4)
    with open_cached() as second:
        for number in range(10):
            second.load(f"s{number}")
        with open_cached(memory=0) as third:
            third.load("s0")
            third.load("s0")
            found = account(second)
            assert (found["hits"], found["memory_hits"], found["misses"]) == (25, 17, 11), (
                "third has not said"
            )
            assert account(third)["hits"] == 27
        assert account(second)["hits"] == 27
        assert account(second)["hit_rate"] == round(27 / 38, 4)


def test_writes_and_what_is_not_there_are_no_misses(open_cached: OpenCached) -> None:
    store = open_cached()
    store.save(make_session("s", "a"))
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    store.remember(b"k", "none", lambda: [1])
    with store.transaction():
        store.load("s")
        store.remember(b"k", "s", lambda: [1])
    assert (account(store)["hits"], account(store)["misses"]) == (0, 0)


def test_bytes_and_ratio(open_cached: OpenCached, prose: Prose, folder: Path) -> None:
    store = open_cached(memory=0)
    for number in range(70):
        store.save(prose(number))
        store.load(f"s{number}")
    found = account(store)
    contents = [path.stat().st_size for path in (folder / "contents").rglob("*") if path.is_file()]
    raw = sum(len(msgspec.msgpack.encode(store.load(f"s{number}"))) for number in range(70))
    assert found["ratio"] == round(sum(contents) / raw, 4)
    assert 0 < found["ratio"] < 0.8
    assert (found["entries"], found["contents"], found["dictionary"]) == (70, 70, 1)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert found["bytes"] == sum(-(-path.stat().st_size // 4096) * 4096 for path in files)


@pytest.mark.parametrize("memory", ["64m", "0"])
def test_saved_time_is_what_hits_did_not_cost(
    open_cached: OpenCached, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    store: Any = open_cached(memory=memory)
    store.save(make_session("s", "a"))
    behind = store._store
    load, costs = behind.load, []

    def slow(session_id: str) -> Session:
        began = time.perf_counter()
        time.sleep(0.02)
        found: Session = load(session_id)
        costs.append(time.perf_counter() - began)
        return found

    monkeypatch.setattr(behind, "load", slow)
    spent = 0.0
    for turn in range(6):
        began = time.perf_counter()
        store.load("s")
        spent += (time.perf_counter() - began) * (turn > 0)
    assert len(costs) == 1
    assert 5 * costs[0] - spent - 0.001 <= account(store)["saved_s"] <= 5 * (costs[0] + 0.005)


def test_a_hit_that_cost_more_saved_nothing(open_cached: OpenCached, monkeypatch: pytest.MonkeyPatch) -> None:
    store: Any = open_cached()
    store.save(make_session("s", "a"))
    store.load("s")
    version = store._store.version

    def slow(session_id: str) -> int:
        time.sleep(0.02)
        found: int = version(session_id)
        return found

    monkeypatch.setattr(store._store, "version", slow)
    store.load("s")
    assert account(store)["saved_s"] == 0.0


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"hits": "x"}', b"\xff\xfe", b"null"])
def test_a_damaged_account_begins_anew(open_cached: OpenCached, folder: Path, damage: bytes) -> None:
    store = open_cached()
    store.save(make_session("s", "a"))
    store.load("s")
    assert account(store)["misses"] == 1
    (folder / "counters.json").write_bytes(damage)
    store.load("s")
    assert (account(store)["hits"], account(store)["misses"]) == (1, 0)
