"""Servers as clients start them, with an operation that takes as long as it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import pytest

from tiergate.cli import main

pytest.importorskip("mcp", reason="serving needs tiergate[serve]")

# The server over HTTP is a module beside this file.
sys.path.insert(0, str(Path(__file__).parent))

SLOW = """
import time
from pathlib import Path

import msgspec

from tiergate.hooks import OperationDeclaration, hookimpl, whole_store


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    seconds: float = 0.0
    folder: str = ""


class Slept(msgspec.Struct, frozen=True):
    seconds: float


def run(store, session, arguments):
    folder = Path(arguments.folder) if arguments.folder else None
    if folder:
        (folder / "begun").touch()
    time.sleep(arguments.seconds)
    if folder:
        (folder / "done").touch()
    return Slept(arguments.seconds)


run.__annotations__["return"] = Slept


@hookimpl
def tiergate_operations():
    yield OperationDeclaration(
        name="reconcile",
        summary="sleep",
        arguments=Arguments,
        run=run,
        scope=whole_store,
        needs_session=False,
    )
"""

PATIENCE_S = 30.0
"""How long a test waits for what will come; a healthy machine needs a fraction of it."""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true.

    Raises:
        AssertionError: it did not.
    """
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, what
        time.sleep(0.02)


class Server:
    """A server on standard input and output, spoken to without any library."""

    def __init__(self, words: list[str], environment: dict[str, str], folder: Path) -> None:
        self.errors = (folder / f"errors-{time.monotonic_ns()}").open("w+b")
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            bufsize=0,
            env=environment,
            start_new_session=True,
        )
        self.output = BufferedReader(cast(Any, self.process.stdout))
        self._number = 0

    def send(self, line: bytes) -> None:
        """Write one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")

    def read(self) -> Any:
        """Read one message; notifications are passed over."""
        while True:
            message = json.loads(self.output.readline())
            if "method" not in message:
                return message

    def begin(self, method: str, params: Any) -> int:
        """Send a request and return its id."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.send(json.dumps(message).encode())
        return self._number

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and return the whole answer to it."""
        number = self.begin(method, params)
        answer = self.read()
        assert answer["id"] == number
        return answer

    def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool and return its result."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})["result"]

    def shake_hands(self) -> Server:
        """Open the connection as clients of the handshake era do."""
        client = {"name": "test", "version": "1"}
        answer = self.ask(
            "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        )
        assert answer["result"]["serverInfo"]["name"] == "tiergate"
        self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return self

    def said(self) -> str:
        """What it wrote to standard error so far."""
        self.errors.seek(0)
        return self.errors.read().decode()

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(word) for word in found.stdout.split()]

    def end(self, number: signal.Signals | None = None) -> int:
        """End it with a signal, or else with the end of its input; its exit code."""
        if number is not None and self.process.poll() is None:
            self.process.send_signal(number)
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.output.close()
            self.errors.close()


Start = Callable[..., Server]
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which a server finds the slow operation."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "slow_operation.py").write_text(SLOW)
    info = folder / "slow-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tiergate]\nslow = slow_operation\n")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TIERGATE_")}
    paths = (str(folder), os.environ.get("PYTHONPATH"))
    # The slow operation stands where the built-in one of its name would.
    disabled = {"TIERGATE_DISABLE_PLUGINS": "operations-reconcile"}
    return {**kept, **disabled, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def words(store: Path, *more: str) -> list[str]:
    """The command line of a server with few workers."""
    few = ["--tier", "hot=1", "--tier", "warm=1", "--tier", "cold=1"]
    return [sys.executable, "-m", "tiergate", "serve", "--store", f"sqlite:{store}", *few, *more]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts servers on a store, and ends those that are left."""
    started: list[Server] = []

    def call(store: Path = tmp_path / "work.db", line: list[str] | None = None) -> Server:
        started.append(Server(line or words(store), environment, tmp_path))
        return started[-1].shake_hands()

    yield call
    for server in started:
        if not server.errors.closed:
            server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for a whole module."""
    folder = tmp_path_factory.mktemp("server")
    found = Server(words(folder / "work.db"), environment, folder).shake_hands()
    yield found
    assert found.end() == 0


@pytest.fixture(scope="session")
def command_line() -> Callable[..., list[str]]:
    """Makes the command line of a server."""
    return words


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], bool], str], None]:
    """Waits for something to become true."""
    return until


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run ``tiergate WORDS`` in an empty folder: its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIERGATE_DEBUG", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call
