"""Writes with a key: what is remembered, for how long, and that it outlives kills and tidying up."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.store import Store, StoreError
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage import json_state, json_tables, sqlite_store

OpenAt = Callable[[str], Store]

PLACES = ["json:{}/store", "sqlite:{}/store.db"]
WRITER = """
import sys
from tiergate_plugins.storage.json_store import JsonStore
from tiergate_plugins.storage.sqlite_store import SqliteStore
from msgspec.structs import replace
from pathlib import Path

kind, path, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
store = {"json": JsonStore, "sqlite": SqliteStore}[kind](path)

def add_one():
    task, version = store.load_task("s", "count")
    store.upsert_tasks("s", [replace(task, weight=task.weight + 1)], expected_version=version)
    return task.weight + 1

for number in range(first, 10**6):
    print(f"asked {number}", flush=True)
    store.once(f"key {number}", add_one)
    print(f"done {number}", flush=True)
"""


def number_of_last(lines: list[str], word: str) -> int:
    return max((int(line.split()[1]) for line in lines if line.startswith(word)), default=-1)


@pytest.mark.parametrize("place", PLACES)
def test_what_was_killed_is_repeated_and_counts_once(open_at: OpenAt, tmp_path: Path, place: str) -> None:
    kind = place.partition(":")[0]
    address = place.format(tmp_path)
    with open_at(address) as store:
        store.save(make_session("s", make_task("count", weight=0.0)))
    number = 0
    for kill in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, kind, address.partition(":")[2], str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(20 + kill)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines()
        writer.wait()
        writer.stdout.close()
        # The last one that was asked for may be done or not: it is asked for again.
        number = number_of_last(lines, "asked")
    with open_at(address) as store:
        before = store.load_task("s", "count")[0].weight
        assert before in (number, number + 1), "each key before the last took effect once"
        store.once(f"key {number}", lambda: pytest.fail("was done") if before > number else None)


def test_results_outlive_the_folding_of_the_journal(
    open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_state, "_FOLD_AT", 2000)
    store = open_at("json:{}/store")
    for number in range(200):
        store.once(f"key {number}", lambda number=number: {"was": number})
        store.save(make_session(f"s{number}", "a"))
    assert (tmp_path / "store" / "results").exists()
    other = open_at("json:{}/store")
    for number in (0, 100, 199):
        assert other.once(f"key {number}", lambda: pytest.fail("was done")) == {"was": number}
    assert other.verify() == []


@pytest.mark.parametrize("place", PLACES)
def test_old_results_are_forgotten_but_not_too_early(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    for module in (json_tables, sqlite_store):
        monkeypatch.setattr(module, "ONCE_KEPT", 20)
    monkeypatch.setattr(sqlite_store, "_FORGET_AT", 10)
    monkeypatch.setattr(json_state, "_FOLD_AT", 1000)
    store = open_at(place)
    with store.transaction():
        for number in range(100):
            store.once(f"key {number}", lambda number=number: number)
    store.save(make_session("s", "a", "b", "c"))  # enough for a fold
    for number in range(80, 100):
        assert store.once(f"key {number}", lambda: pytest.fail("was done")) == number
    assert store.once("key 0", lambda: "anew") == "anew"


@pytest.mark.parametrize("name", ["results", "deleted"])
def test_a_damaged_table_is_named(open_at: OpenAt, tmp_path: Path, name: str) -> None:
    open_at("json:{}/store").save(make_session("s", "a"))
    (tmp_path / "store" / name).write_bytes(b"{")
    (damage,) = open_at("json:{}/store").verify()
    assert damage.where == str(tmp_path / "store" / name)
    assert damage.what.startswith("not a list of ")


def test_a_key_that_cannot_be_stored_is_refused(open_at: OpenAt) -> None:
    for place in PLACES:
        store = open_at(place)
        store.save(make_session("s", "a"))

        def write(store: Store = store) -> int:
            return store.upsert_tasks("s", [make_task("a", title="x")], expected_version=1)

        with pytest.raises(StoreError):
            store.once("\ud800", write)
        with pytest.raises(StoreError, match="no JSON form"):
            store.once("key", lambda write=write: (write(), object()))
        assert store.version("s") == 1
