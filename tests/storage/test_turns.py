"""Turns at writing: one at a time, given up when they take too long, free when their holder is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tiergate.model import Session, Task
from tiergate.store import StoreError
from tiergate_plugins.storage import sqlite_transactions, turns
from tiergate_plugins.storage.sqlite_store import SqliteStore


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two descriptors of one file, as two processes would have."""
    path = tmp_path / "log"
    path.touch()
    descriptors = os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY)
    yield descriptors
    for descriptor in descriptors:
        os.close(descriptor)


def test_the_second_waits_until_the_first_has_given(two: tuple[int, int]) -> None:
    first, second = two
    assert turns.take(first, time.monotonic())
    assert not turns.take(second, time.monotonic() + 0.02)
    turns.give(first)
    assert turns.take(second, time.monotonic())


def test_without_locks_nobody_waits(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    assert not turns.take(reader, time.monotonic() + 60)  # no file at all: as where locks are refused


_IN_THE_MIDDLE = """
import sys
from pathlib import Path
from tiergate.model import Task
from tiergate_plugins.storage.sqlite_store import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
with store.transaction():
    store.upsert_tasks("s", [Task(id="t", title="halfway")], expected_version=1)
    print("in the middle", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "work.db")
    store.save(Session(id="s", tasks=(Task(id="t", title="before"),)))
    store.close()
    return tmp_path / "work.db"


@pytest.fixture
def writer(path: Path) -> Iterator[int]:
    """A process that stands in the middle of a write."""
    command = [sys.executable, "-c", _IN_THE_MIDDLE, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "in the middle\n"
        yield process.pid
        process.kill()


def test_a_stopped_writer_is_not_waited_for_for_ever(
    path: Path, writer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(writer, signal.SIGSTOP)
    monkeypatch.setattr(sqlite_transactions, "BUSY_TIMEOUT_S", 0.1)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="another process kept the database locked"):
        store.upsert_tasks("s", [Task(id="t", title="mine")], expected_version=1)
    assert store.load("s").tasks[0].title == "before"
    store.close()


def test_a_killed_writer_leaves_its_turn(path: Path, writer: int) -> None:
    os.kill(writer, signal.SIGKILL)
    store = SqliteStore(path)
    store.upsert_tasks("s", [Task(id="t", title="mine")], expected_version=1)
    assert store.load("s").tasks[0].title == "mine"
    store.close()


def test_an_error_gives_the_turn_back(path: Path) -> None:
    store = SqliteStore(path)
    log = os.open(path.with_name("work.db-wal"), os.O_RDONLY)
    with suppress(ZeroDivisionError), store.transaction():
        assert not turns.take(log, time.monotonic())
        raise ZeroDivisionError
    assert turns.take(log, time.monotonic())
    os.close(log)
    store.close()
