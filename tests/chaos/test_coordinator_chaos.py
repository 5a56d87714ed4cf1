"""Agents write while workers and the server itself are killed and the queue is filled: nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from asking_client import Again, Client, Refused
from served import Server, free_port, is_there

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.store import StoreAddress

pytest.importorskip("mcp")
pytestmark = pytest.mark.integration

AGENTS = 4
TASKS = 8
PATIENCE_S = 60.0
SESSION = "work"
QUEUE_LIMIT = 10
"""So few that a flood of callers fills it."""


def open_store(address: str):
    parsed = StoreAddress.parse(address)
    return PluginHost().get(StoreDeclaration, parsed.scheme).open(parsed)


@pytest.mark.parametrize(
    ("address", "seconds"),
    [
        pytest.param("sqlite:{}/work.db", 3.0),
        pytest.param("sqlite:{}/work.db", 120.0, marks=pytest.mark.soak),
        pytest.param("json:{}/work", 120.0, marks=pytest.mark.soak),
    ],
)
def test_every_acknowledged_write_is_there_once(tmp_path: Path, address: str, seconds: float) -> None:
    address = address.format(tmp_path)
    with open_store(address) as store:
        store.save(
            Session(id=SESSION, tasks=tuple(Task(id=f"t{n}", title=f"task {n}") for n in range(TASKS)))
        )
    server = Server(address, free_port(), tmp_path / "errors", "--queue-limit", str(QUEUE_LIMIT))
    agents = [Agent(number, server) for number in range(AGENTS)]
    try:
        kills = _torment(server, agents, seconds)
    finally:
        ended = server.workers()
        assert server.stop() == 0
    assert kills["worker"] >= 2
    assert kills["server"] >= 1
    assert kills["refused"] >= 1
    _all_is_there_once(address, agents)
    assert not [pid for pid in ended if is_there(pid)]


class Agent(threading.Thread):
    """Appends a word of its own to the notes of one task after another, each with a key; reads in between."""

    def __init__(self, number: int, server: Server) -> None:
        super().__init__(daemon=True)
        self._number = number
        self._client = Client(server.port, PATIENCE_S)
        self._done = threading.Event()
        self.acknowledged: list[tuple[str, str]] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        draw = random.Random(self._number)
        try:
            while not self._done.is_set():
                task, word = f"t{draw.randrange(TASKS)}", f"<{self._number}.{len(self.acknowledged)}>"
                change = {"session": SESSION, "task": task, "append_notes": word, "request_key": word}
                self._client.call("task_update", change)
                self.acknowledged.append((task, word))
                if draw.random() < 0.3:
                    self._client.call("session_get", {"session": SESSION})
        except BaseException as error:
            self.error = error
        finally:
            self._client.close()

    def finish(self) -> None:
        """Let it do what it is about, and end."""
        self._done.set()
        self.join(2 * PATIENCE_S)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error


def _torment(server: Server, agents: list[Agent], seconds: float) -> dict[str, int]:
    """Do what can go wrong for so long, while the agents work; how often each thing was done."""
    draw = random.Random(7)
    done = {"worker": 0, "server": 0, "refused": 0}

    def kill_worker() -> None:
        with suppress(IndexError, ProcessLookupError):
            os.kill(draw.choice(server.workers()), signal.SIGKILL)
            done["worker"] += 1

    def kill_server() -> None:
        server.kill_and_start()
        done["server"] += 1

    def flood() -> None:
        done["refused"] += _flood(server.port)

    evils: list[Callable[[], None]] = [kill_worker, kill_worker, kill_server, flood]
    for agent in agents:
        agent.start()
    until = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < until or min(done["worker"] - 1, done["server"], done["refused"]) < 1:
        time.sleep(draw.uniform(0.1, 0.6))
        evils[turn % len(evils)]()
        turn += 1
    for agent in agents:
        agent.finish()
    return done


def _flood(port: int) -> int:
    """Ask for more at once than can wait; how many were refused. Each is answered or refused, none hangs."""
    refused: list[str] = []

    def ask() -> None:
        client = Client(port, 5.0)
        try:
            client._once("search", {"text": "task work", "limit": 5})
        except (Again, Refused) as error:
            refused.append(str(error))
        except (OSError, HTTPException):
            pass  # the server was killed
        finally:
            client.close()

    callers = [threading.Thread(target=ask, daemon=True) for _ in range(40)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE_S)
        assert not caller.is_alive()
    return len(refused)


def _all_is_there_once(address: str, agents: list[Agent]) -> None:
    written = [one for agent in agents for one in agent.acknowledged]
    assert len(written) > 10 * AGENTS
    with open_store(address) as store:
        assert not store.verify()
        notes = {task.id: task.notes.split("\n") for task in store.load(SESSION).tasks}
    counts = [notes[task].count(word) for task, word in written]
    assert counts == [1] * len(written)
    assert sum(len([word for word in lines if word]) for lines in notes.values()) == len(written)


def test_a_refusal_is_not_asked_again(tmp_path: Path) -> None:
    """The client of this test tells what will pass from what will not, else it would hide errors."""
    address = f"sqlite:{tmp_path}/work.db"
    with open_store(address) as store:
        store.save(Session(id=SESSION))
    server = Server(address, free_port(), tmp_path / "errors")
    client = Client(server.port, PATIENCE_S)
    try:
        with pytest.raises(Refused):
            client.call("task_update", {"session": SESSION, "task": "nobody", "weight": 1})
        assert client.retries == 0
    finally:
        client.close()
        assert server.stop() == 0
