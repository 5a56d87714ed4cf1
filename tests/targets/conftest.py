"""Small servers that speak the protocol of the command target, well or badly."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tiergate.load.driver import Timetable, drive_target
from tiergate.load.outcome import Round
from tiergate.operation import Request, Scope
from tiergate.routing import RequestFacts
from tiergate.target import TargetSetup
from tiergate_plugins.targets.command import open_command

SERVER = """
import json, os, sys, time

def serve(answer):
    for line in sys.stdin:
        asked = json.loads(line)
        for said in answer(asked):
            print(said if isinstance(said, str) else json.dumps(said), flush=True)

def echo(asked):
    yield {"id": asked["id"], "result": [os.getpid(), asked.get("args"), os.environ["TIERGATE_STORE"]]}

"""

Drive = Callable[..., Round]


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    """Drive a server whose body is given, after the helpers `serve` and `echo`."""

    def run(
        body: str,
        starts: Sequence[float],
        *,
        copies: int = 1,
        deadline_s: float = 30.0,
        clients: int | None = None,
        warm_up: int = 1,
        per_request: bool = False,
    ) -> Round:
        script = tmp_path / "server.py"
        script.write_text(SERVER + body)
        target = open_command(
            TargetSetup(
                argument=f"{sys.executable} {script}",
                options={"per": "request"} if per_request else {"copies": str(copies)},
                store="sqlite:somewhere",
            )
        )
        requests = [request(number) for number in range(len(starts))]
        timetable = Timetable(
            requests=requests,
            facts=[facts(number) for number in range(len(starts))],
            starts=starts,
            warm_up=[request(-1 - number) for number in range(warm_up)],
            deadline_s=deadline_s,
            clients=clients,
        )
        return asyncio.run(drive_target(target, timetable, 1))

    return run


def request(number: int) -> Request:
    """A request that tells its own number."""
    return Request(number, "task_get", "s", {"task": f"t{number}"})


def facts(number: int) -> RequestFacts:
    """Facts of that request."""
    return RequestFacts(
        request=number,
        operation="task_get",
        session="s",
        arguments={},
        payload_bytes=2,
        scope=Scope.TASK,
        read_tasks=1,
        read_bytes=10,
        writes=False,
    )
