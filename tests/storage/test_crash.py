"""Real processes that write and are killed: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tiergate.model import Task
from tiergate.store import Capability, SessionNotFound, Store
from tiergate.testing import make_session, make_task

OpenAt = Callable[[str], Store]

WRITER = Path(__file__).with_name("crash_writer.py")
ROUNDS = 5
WRITERS = 2
SOAK_ROUNDS = 168
SOAK_WRITERS = 3
"""500 kills of each address and more."""
FOLD_AT = 50_000
"""Bytes of journal that the writers of the long test fill many times."""
ADDRESSES = [
    "json:{}/work",
    "json:{}/work?durability=normal",
    "jsonfile:{}/work.json",
    "sqlite:{}/store.db",
    "sqlite:{}/store.db?durability=normal",
]

pytestmark = pytest.mark.integration


def start(address: str, writer: str, count: int = 0, *options: str) -> subprocess.Popen[str]:
    """Start a writer; it waits for a line before it writes."""
    command = [sys.executable, str(WRITER), address, writer, str(count), *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def release(process: subprocess.Popen[str]) -> None:
    """Let a writer begin."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def acknowledged(process: subprocess.Popen[str], first: str) -> int:
    """The last write whose return the writer reported. A line that the kill cut in two was not reported."""
    assert process.stdout
    lines = [
        line for line in (first + process.stdout.read()).splitlines(keepends=True) if line.endswith("\n")
    ]
    return int(lines[-1]) if lines else 0


def numbers(tasks: Iterable[Task], writer: str) -> set[int]:
    """The numbers that a writer's tasks carry."""
    return {task.extra["number"] for task in tasks if task.id.startswith(f"{writer}-")}


def number_in(store: Store, session_id: str, writer: str) -> int:
    """The number of a batch, 0 where there is none; all of its tasks must carry it."""
    try:
        found = numbers(store.load(session_id).tasks, writer)
    except SessionNotFound:
        return 0
    assert len(found) <= 1, f"half of a write: {found}"
    return max(found, default=0)


def run_and_kill(draw: random.Random, address: str, writers: list[str], *options: str) -> dict[str, int]:
    """Start writers, kill each at a moment of its own, and return what each has acknowledged."""
    processes = {writer: start(address, writer, 0, *options) for writer in writers}
    reports: dict[str, int] = {}
    try:
        for process in processes.values():
            release(process)
        for writer, process in processes.items():
            assert process.stdout
            first = process.stdout.readline()
            assert first, "the writer ended before it was killed"
            time.sleep(draw.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            reports[writer] = acknowledged(process, first)
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()
    return reports


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_was_acknowledged_survives_a_kill(open_at: OpenAt, tmp_path: Path, address: str) -> None:
    kill_in_rounds(open_at, address.replace("{}", str(tmp_path)), ROUNDS, WRITERS)


@pytest.mark.soak
@pytest.mark.parametrize("address", ADDRESSES)
def test_what_was_acknowledged_survives_500_kills(open_at: OpenAt, tmp_path: Path, address: str) -> None:
    # A store that was written to for long is written to slowly: begin a new one now and then.
    for number in range(0, SOAK_ROUNDS, 12):
        folder = tmp_path / str(number)
        folder.mkdir()
        kill_in_rounds(open_at, address.replace("{}", str(folder)), 12, SOAK_WRITERS, str(FOLD_AT))


def kill_in_rounds(open_at: OpenAt, address: str, rounds: int, size: int, *options: str) -> None:
    """Let so many processes write in each round, kill them, and hold the store against what they reported."""
    with open_at(address) as store:
        store.save(make_session("common", make_task("count", weight=0.0)))
    draw = random.Random(address)
    counted = 0
    for turn in range(rounds):
        writers = [f"w{turn}-{number}" for number in range(size)]
        reports = run_and_kill(draw, address, writers, *options)
        with open_at(address) as store:
            # The kill may have cut a write to the journal short.
            assert [one for one in store.verify() if "a write that never returned" not in one.what] == []
            for writer, last in reports.items():
                assert check_writer(store, writer) - last in (0, 1), "at most one write was under way"
            counted += sum(updates(check_writer(store, writer)) for writer in writers)
            assert store.load_task("common", "count")[0].weight == counted
            assert store.load("common").version == counted + 1


def check_writer(store: Store, writer: str) -> int:
    """The last write of a writer that the store holds; both its sessions must be at the same one."""
    left = number_in(store, f"left of {writer}", writer)
    if Capability.TRANSACTIONS in store.capabilities:
        assert number_in(store, f"right of {writer}", writer) == left, "half of a transaction"
    return max(left, number_in(store, "common", writer))


def updates(last: int) -> int:
    """How many of the first writes of a writer updated the common session."""
    return last - last // 3


@pytest.mark.parametrize("address", ["json:{}/work", "jsonfile:{}/work.json", "sqlite:{}/store.db"])
def test_two_writers_lose_no_update(open_at: OpenAt, tmp_path: Path, address: str) -> None:
    with open_at(address) as store:
        store.save(make_session("common", make_task("count", weight=0.0)))
    count = 30
    processes = [start(address.replace("{}", str(tmp_path)), name, count) for name in ("a", "b")]
    for process in processes:
        release(process)
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        assert output.split() == [str(number) for number in range(1, count + 1)]
    with open_at(address) as store:
        assert store.load_task("common", "count")[0].weight == 2 * updates(count)
        assert store.load("common").version == 2 * updates(count) + 1
        assert store.verify() == []


@pytest.mark.parametrize("address", ["json:{}/work", "jsonfile:{}/work.json", "sqlite:{}/store.db"])
def test_many_processes_can_make_the_store_at_once(open_at: OpenAt, tmp_path: Path, address: str) -> None:
    processes = [start(address.replace("{}", str(tmp_path)), f"w{number}", -1) for number in range(4)]
    for process in processes:
        process.communicate("\n")
        assert process.returncode == 0
    with open_at(address) as store:
        assert store.ids() == []
        assert store.verify() == []
