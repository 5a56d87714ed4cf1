"""Several processes through one cache, some of them killed: nobody is ever given what is out of date."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tiergate.plugins import PluginHost
from tiergate.store import Store
from tiergate.testing import make_session, make_task

DRIVER = Path(__file__).with_name("cache_driver.py")
FILES = {"sqlite": "store.db", "json": "work"}
ROUNDS = 80

pytestmark = pytest.mark.integration


@pytest.fixture(params=[*FILES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store with four sessions, without its cache."""
    address = f"{request.param}:{tmp_path}/{FILES[request.param]}?durability=normal"
    with PluginHost().opener().open(address) as store:
        for number in range(4):
            store.save(make_session(f"s{number}", make_task("t", weight=1.0)))
    return address


def start(
    place: str, tmp_path: Path, slot: int, rounds: int, *writes: int, options: str = ""
) -> subprocess.Popen[str]:
    address = f"zstd+{place}{options}"
    command = [sys.executable, str(DRIVER), address, str(tmp_path / "board"), str(slot), str(rounds)]
    return subprocess.Popen(
        [*command, *map(str, writes)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def check(place: str) -> Store:
    """Every answer of the cache is that of the store; the store with the cache in front of it."""
    opener = PluginHost().opener()
    cached = opener.open(f"zstd+{place}")
    with opener.open(place) as plain:
        names = plain.ids()
        for _ in range(2):
            assert [cached.load(name) for name in names] == [plain.load(name) for name in names]
            assert cached.remember(b"weights", None, lambda: {"computed": "now"}) in (
                {name: plain.load(name).tasks[0].weight for name in names},
                {"computed": "now"},
            )
    return cached


@pytest.mark.parametrize("options", ["", "&zstd.memory=0", "&zstd.bytes=64k"])
def test_no_process_reads_what_is_out_of_date(place: str, tmp_path: Path, options: str) -> None:
    processes = [start(place, tmp_path, slot, ROUNDS, options=options) for slot in range(3)]
    outputs = [process.communicate() for process in processes]
    for process, (output, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
        assert output.split() == ["began", "0", "0"], "nothing was damaged, and the folder made no trouble"
    with check(place) as cached:
        assert cached.verify() == []
        assert sum(cached.versions().values()) > ROUNDS
        assert int(cached.stats().details["cache_hits"]) > ROUNDS


def test_killed_processes_leave_no_wrong_answer(place: str, tmp_path: Path) -> None:
    draw = random.Random(place)
    survivor = start(place, tmp_path, 9, 0)
    for turn in range(2):
        processes = [start(place, tmp_path, 2 * turn + number, 0) for number in range(2)]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "began\n"
            time.sleep(draw.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            _, errors = process.communicate()
            assert process.returncode == -signal.SIGKILL, errors
    assert survivor.poll() is None, "it met nothing that was wrong"
    survivor.kill()
    survivor.communicate()
    with check(place) as cached:
        assert cached.verify() == []


@pytest.mark.parametrize("writes", [1, 2, 3, 4, 9])
def test_a_process_that_is_killed_in_a_write_leaves_no_wrong_answer(
    place: str, tmp_path: Path, writes: int
) -> None:
    process = start(place, tmp_path, 0, 0, writes, options="&zstd.memory=0")
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    (cache,) = tmp_path.glob("*.zstd-cache")
    assert len([*cache.rglob("*.tmp")]) == 1
    with check(place) as cached:
        assert cached.verify() == []
        assert cached.stats().details["cache_damaged"] == 0


@pytest.mark.parametrize("kind", [*FILES])
def test_a_result_across_sessions_is_computed_again_after_any_write(tmp_path: Path, kind: str) -> None:
    opener = PluginHost().opener()
    address = f"{kind}:{tmp_path}/{FILES[kind]}?durability=normal"
    other, plain = opener.open(f"zstd+{address}"), opener.open(address)
    counted = []

    def titles(store: Store) -> Callable[[], list[str]]:
        def compute() -> list[str]:
            counted.append(store)
            return [task.title for name in store.ids() for task in store.load(name).tasks]

        return compute

    with opener.open(f"zstd+{address}") as store, other, plain:
        writes: list[Callable[[Store], object]] = [
            lambda by: by.save(make_session("s", "a")),
            lambda by: by.upsert_tasks("s", [make_task("b")], expected_version=1),
            lambda by: by.save(make_session("empty")),
            lambda by: by.save(msgspec.structs.replace(by.load("s"), title="new")),
            lambda by: by.delete("empty", expected_version=1),
            lambda by: by.delete("s", expected_version=3),
            lambda by: by.save(make_session("s", "z", version=0)),
        ]
        for turn, write in enumerate(writes):
            write((store, other, plain)[turn % 3])
            before = len(counted)
            truth = [task.title for name in plain.ids() for task in plain.load(name).tasks]
            for reader in (store, other, store, other):
                assert reader.remember(b"titles", None, titles(reader)) == truth
            assert len(counted) == before + 1, "computed once, and given to the other from disk"
