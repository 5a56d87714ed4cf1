"""Samples inside a process: gathered, tied to requests, handed over while it still lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from tiergate.operation import Reply, Request
from tiergate.profiler import Frame, ProfileSpec
from tiergate.sampling.gathering import Gatherer, ServedRequest
from tiergate.sampling.handing import SUFFIX, HandOver, handed_over
from tiergate.sampling.in_worker import Sampling, build_profiler
from tiergate.worker import open_service

MAIN, WORK, READ = Frame("main", "m.py", 1), Frame("work", "w.py", 2), Frame("read", "<built-in>", 0)
PLUGIN = "tiergate_plugins.profiling.watching_thread"


def spec(folder: Path, profiler: str = "thread") -> ProfileSpec:
    return ProfileSpec(plugin=PLUGIN, profiler=profiler, interval_s=0.001, folder=str(folder))


def test_equal_samples_become_one_and_are_taken_once() -> None:
    gatherer = Gatherer()
    gatherer.saw((MAIN, WORK), 0.5)
    gatherer.serving = 7
    gatherer.saw((MAIN, WORK), 0.25)
    gatherer.saw((MAIN, WORK), 0.5)
    gatherer.saw((MAIN, WORK, READ), 1.0)
    gatherer.served(ServedRequest(7, "search", 12))
    chunk = gatherer.take()
    assert chunk.frames == [MAIN, WORK, READ]
    assert chunk.stacks == [[0, 1], [0, 1, 2]]
    assert chunk.samples == [(None, 0, 1, 0.5), (7, 0, 2, 0.75), (7, 1, 1, 1.0)]
    assert chunk.requests == [ServedRequest(7, "search", 12)]
    empty = gatherer.take()
    assert (empty.samples, empty.requests) == ([], [])


def test_all_that_was_gathered_is_handed_over_and_ended(tmp_path: Path) -> None:
    gatherer, path = Gatherer(), tmp_path / f"hot-1.1{SUFFIX}"
    hand_over = HandOver(gatherer, path)
    for number in range(50):
        gatherer.serving = number
        gatherer.saw((MAIN, WORK), 0.01)
    hand_over.close()
    hand_over.close()
    chunks = list(handed_over(path))
    assert sum(count for chunk in chunks for _, _, count, _ in chunk.samples) == 50
    assert [chunk.ends for chunk in chunks][-1:] == [True]


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    gatherer, path = Gatherer(), tmp_path / f"hot-1.1{SUFFIX}"
    gatherer.saw((MAIN,), 1.0)
    HandOver(gatherer, path).close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(list(handed_over(path))) == 1


def test_samples_belong_to_the_request_that_is_served(tmp_path: Path) -> None:
    sampling = Sampling(spec(tmp_path), "hot-1")
    request = Request(id=3, operation="search", session=None, arguments={})
    number = sampling.begin(request)
    ends = monotonic() + 0.1
    while monotonic() < ends:
        sum(range(100))
    sampling.end(number, request, Reply(3, None, None, 100_000_000, "hot-1", 0))
    sampling.close()
    [path] = tmp_path.iterdir()
    assert path.name == f"hot-1.{os.getpid()}{SUFFIX}"
    chunks = list(handed_over(path))
    served = [request for chunk in chunks for request in chunk.requests]
    assert served == [ServedRequest(0, "search"), ServedRequest(0, "search", 100_000_000)]
    assert sum(s for chunk in chunks for n, _, _, s in chunk.samples if n == 0) > 0.05


KILLED = """
import sys
from time import monotonic
from tiergate.operation import Request
from tiergate.profiler import ProfileSpec
from tiergate.sampling.in_worker import Sampling
plugin, profiler, folder = sys.argv[1:]
sampling = Sampling(ProfileSpec(plugin=plugin, profiler=profiler, interval_s=0.001, folder=folder), "cold-1")
sampling.begin(Request(id=0, operation="endless", session=None, arguments={}))
print("begun", flush=True)
def endless():
    while True:
        sum(range(100))
endless()
"""


@pytest.mark.parametrize("profiler", ["pyinstrument", "thread"])
def test_a_process_that_is_killed_in_a_request_has_handed_over_what_it_saw(
    tmp_path: Path, profiler: str
) -> None:
    plugin = {"thread": PLUGIN, "pyinstrument": "tiergate_plugins.profiling.pyinstrument"}[profiler]
    words = [sys.executable, "-c", KILLED, plugin, profiler, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ends = monotonic() + 30
        while monotonic() < ends:
            paths = list(tmp_path.iterdir())
            if paths and sum(bool(chunk.samples) for chunk in handed_over(paths[0])) >= 2:
                break
            sleep(0.05)
        process.send_signal(signal.SIGKILL)
    [path] = tmp_path.iterdir()
    chunks = list(handed_over(path))
    assert not any(chunk.ends for chunk in chunks)
    seconds = sum(
        seconds
        for chunk in chunks
        for number, stack, _, seconds in chunk.samples
        if number == 0 and any(chunk.frames[frame].function == "endless" for frame in chunk.stacks[stack])
    )
    assert seconds > 0.2


def test_a_worker_that_cannot_write_its_samples_serves_all_the_same(tmp_path: Path) -> None:
    with open_service(
        f"sqlite:{tmp_path / 'store.db'}",
        ["tiergate_plugins.storage.sqlite"],
        ["tiergate_plugins.operations.sessions"],
        worker="hot-1",
        profiling=spec(tmp_path / "there-is-no-such-folder"),
    ) as service:
        reply = service.handle(Request(id=1, operation="tasks_query", session=None, arguments={}))
    assert reply.failure is None


def test_a_profiler_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="watching_thread declares no profiler 'pyspy'"):
        build_profiler(spec(tmp_path, "pyspy"))
