"""Workers that cannot start: the error carries their own words, and no process is left."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from tiergate.operation import Request
from tiergate.pool import PoolError, PoolSpec, TierSpec, WorkerFailedToStart
from tiergate.routing import Choice
from tiergate_plugins.pools import process
from tiergate_plugins.pools.local_pool import LocalPool

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]


async def start_and_close(spec: PoolSpec) -> None:
    async with asyncio.timeout(60), LocalPool(spec):
        pass


def test_a_store_that_cannot_be_opened(
    make_spec: SpecMaker, tmp_path: Path, no_children: Callable[[], bool]
) -> None:
    (tmp_path / "notes.txt").write_text("this is no database" * 100)
    spec = make_spec((TierSpec("hot", 2),), store=f"sqlite:{tmp_path / 'notes.txt'}")
    with pytest.raises(WorkerFailedToStart) as caught:
        asyncio.run(start_and_close(spec))
    assert str(caught.value).startswith("worker hot-1: cannot start: ")
    assert str(tmp_path / "notes.txt") in str(caught.value)
    assert no_children()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"store": "jsn:x"}, r"UsageError: jsn:x: unknown store 'jsn'"),
        ({"operations": ["no_such_module"]}, "ModuleNotFoundError: No module named 'no_such_module'"),
        ({"operations": ["faulty_operations:nobody"]}, "AttributeError: .*nobody"),
    ],
)
def test_plugins_that_cannot_be_used(
    make_spec: SpecMaker, no_children: Callable[[], bool], changed: dict[str, str], words: str
) -> None:
    with pytest.raises(WorkerFailedToStart, match=words):
        asyncio.run(start_and_close(make_spec(**changed)))
    assert no_children()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys; sys.exit('no licence found')", "no licence found"),
        ("import os; os._exit(3)", r"it said nothing \(exit code 3\)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"it said nothing \(killed by SIGSEGV\)"),
        ("1/0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_ends_the_worker(
    make_spec: SpecMaker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_children: Callable[[], bool],
    source: str,
    words: str,
) -> None:
    (tmp_path / "ending_operations.py").write_text(source)
    spec = make_spec(operations=["ending_operations"])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorkerFailedToStart, match=f"worker hot-1: cannot start: {words}"):
        asyncio.run(start_and_close(spec))
    assert no_children()


def sleeping_spec(make_spec: SpecMaker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> PoolSpec:
    (folder / "sleeping_operations.py").write_text("import time; time.sleep(600)")
    spec = make_spec((TierSpec("hot", 2),), operations=["sleeping_operations"], start_timeout_s=0.3)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return spec


def test_a_worker_that_is_never_ready(
    make_spec: SpecMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_children: Callable[[], bool]
) -> None:
    with pytest.raises(WorkerFailedToStart, match=r"not ready after 0\.3 s"):
        asyncio.run(start_and_close(sleeping_spec(make_spec, tmp_path, monkeypatch)))
    assert no_children()


@pytest.mark.parametrize("turns", [1, 2, 3, 20])
def test_a_start_that_is_cancelled_leaves_no_process(
    make_spec: SpecMaker, no_children: Callable[[], bool], turns: int
) -> None:
    spec = make_spec((TierSpec("hot", 2),))

    async def run() -> None:
        starting = asyncio.create_task(LocalPool(spec).start())
        for _ in range(turns):
            await asyncio.sleep(0.001 if turns > 3 else 0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert no_children()

    asyncio.run(run())


def test_a_program_that_cannot_be_run(
    make_spec: SpecMaker, monkeypatch: pytest.MonkeyPatch, no_children: Callable[[], bool]
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerFailedToStart, match=r"cannot start: .*No such file"):
        asyncio.run(start_and_close(make_spec()))
    assert no_children()


def test_a_system_without_sockets_left(make_spec: SpecMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec()

    async def run() -> None:
        pool = LocalPool(spec)

        def refuse() -> tuple[socket.socket, socket.socket]:
            raise OSError(24, "Too many open files")

        with monkeypatch.context() as patch:
            patch.setattr(socket, "socketpair", refuse)
            with pytest.raises(WorkerFailedToStart, match="Too many open files"):
                await pool.start()

    asyncio.run(run())


FAKE = """
import socket, sys
def frame(body): return len(body).to_bytes(4, "big") + b"\\x01" + body
connection = socket.socket(fileno=int(sys.argv[1]))
connection.recv(65536)
{then}
"""


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("connection.sendall(frame(b'\\xc1'))", r"it said nothing \(exit code 0\)"),
        ("connection.sendall(frame(b'\\x91\\xa1\\xff')); sys.exit('upset')", "upset"),
        ("connection.sendall(b'\\xff' * 10); connection.recv(1)", "."),
        ("connection.sendall(b'\\0\\0'); connection.close(); sys.exit('half a frame')", "half a frame"),
    ],
)
def test_a_worker_whose_first_words_are_no_frame(
    make_spec: SpecMaker,
    monkeypatch: pytest.MonkeyPatch,
    no_children: Callable[[], bool],
    then: str,
    words: str,
) -> None:
    fake_worker(monkeypatch, then)
    with pytest.raises(WorkerFailedToStart, match=f"worker hot-1: cannot start: {words}"):
        asyncio.run(start_and_close(make_spec()))
    assert no_children()


def test_a_worker_that_ends_as_soon_as_it_is_ready(
    make_spec: SpecMaker, monkeypatch: pytest.MonkeyPatch, no_children: Callable[[], bool]
) -> None:
    fake_worker(monkeypatch, "connection.sendall(frame(b'\\x80')); sys.exit(4)")

    async def run() -> None:
        async with asyncio.timeout(60), LocalPool(make_spec()) as pool:
            with pytest.raises(PoolError, match="exit code 4"):
                await pool.submit(Request(1, "task_get", "s", {"task": "a"}), Choice())

    # Closing can come at any moment of the next worker's short life.
    for _ in range(5):
        asyncio.run(run())
        assert no_children()


def fake_worker(monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    """Run a script in place of the worker."""

    def spawn(descriptor: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        script = FAKE.format(then=then)
        return subprocess.Popen(
            [sys.executable, "-c", script, str(descriptor)], pass_fds=(descriptor,), stderr=errors
        )

    monkeypatch.setattr(process, "_spawn", spawn)
