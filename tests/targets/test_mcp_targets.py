"""MCP servers as targets: one made with the SDK, and ones that misbehave."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.catalogue import bare_facts
from tiergate.errors import RunError, UsageError
from tiergate.load.driver import Timetable, drive_target
from tiergate.load.outcome import Fate, Round
from tiergate.operation import Request
from tiergate.target import Target, TargetSetup
from tiergate_plugins.targets.mcp_events import EventReader
from tiergate_plugins.targets.mcp_http import check_mcp_http, list_mcp_http, open_mcp_http
from tiergate_plugins.targets.mcp_names import called
from tiergate_plugins.targets.mcp_stdio import check_mcp_stdio, list_mcp_stdio, open_mcp_stdio

SDK_SERVER = """
import sys
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

app = MCPServer("probe")

@app.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int = 4) -> int:
    return a + b

@app.tool(annotations=ToolAnnotations(read_only_hint=True))
def fail(text: str) -> str:
    raise ValueError(text)

@app.tool()
def wipe() -> str:
    return "gone"

if len(sys.argv) > 1:
    app.run("streamable-http", port=int(sys.argv[1]))
else:
    app.run("stdio")
"""

OLD_SERVER = """
import json, os, sys, time

def say(number, **what):
    print(json.dumps({"jsonrpc": "2.0", "id": number, **what}), flush=True)

def called(number):
    say(number, result={"content": [], "isError": False})

for line in sys.stdin:
    asked = json.loads(line)
    number, method = asked.get("id"), asked["method"]
    if method == "initialize":
        assert "_meta" not in asked["params"]
        say(number, result={"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}})
    elif method == "tools/list":
        more = {} if asked["params"] else {"nextCursor": "2"}
        name = "second" if asked["params"] else "first"
        say(number, result={"tools": [{"name": name, "inputSchema": {"type": "object"}}], **more})
    elif method == "tools/call":
        answer(number)
    elif method == "notifications/cancelled":
        cancelled(asked["params"]["requestId"])
    elif number is not None and method:
        say(number, error={"code": -32601, "message": "no such method"})
"""


def requests_of(calls: Sequence[tuple[str, dict[str, Any]]]) -> list[Request]:
    return [Request(number, name, None, arguments) for number, (name, arguments) in enumerate(calls)]


def drive(
    target: Target, requests: Sequence[Request], starts: Sequence[float], deadline_s: float = 20.0
) -> Round:
    timetable = Timetable(requests, [bare_facts(one) for one in requests], starts, (), deadline_s)
    return asyncio.run(drive_target(target, timetable, 1))


def sdk_command(tmp_path: Path) -> str:
    script = tmp_path / "sdk_server.py"
    script.write_text(SDK_SERVER)
    return f"{sys.executable} {script}"


def drive_old(tmp_path: Path, answer: str, starts: Sequence[float], deadline_s: float = 20.0) -> Round:
    script = tmp_path / "old_server.py"
    head, _, loop = OLD_SERVER.partition("for line in")
    script.write_text(f"{head}def cancelled(number): pass\n\n{answer}\nfor line in{loop}")
    target = open_mcp_stdio(TargetSetup(argument=f"{sys.executable} {script}"))
    return drive(target, requests_of([("first", {})] * len(starts)), starts, deadline_s)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server of the SDK over HTTP."""
    pytest.importorskip("mcp")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([*sdk_command(tmp_path).split(), str(port)])
    try:
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        server.wait(10)


def require_sdk_answers(done: Round) -> None:
    fates = [one.fate for one in done.outcomes]
    assert fates == [Fate.COMPLETED, Fate.FAILED, Fate.FAILED, Fate.COMPLETED]
    assert done.outcomes[1].reason.startswith("ToolError")


SDK_CALLS = [("add", {"a": 1}), ("fail", {"text": "oops"}), ("nothing", {}), ("add", {"a": 2, "b": 3})]


def test_a_server_of_the_sdk_is_listed_and_called_over_stdio(tmp_path: Path) -> None:
    pytest.importorskip("mcp")
    setup = TargetSetup(argument=sdk_command(tmp_path))
    tools = {tool.name: tool for tool in list_mcp_stdio(setup)}
    assert set(tools) == {"add", "fail", "wipe"}
    assert not tools["add"].writes
    assert tools["wipe"].writes
    assert tools["wipe"].destroys
    assert tools["add"].schema["required"] == ["a"]
    require_sdk_answers(drive(open_mcp_stdio(setup), requests_of(SDK_CALLS), [0, 0, 0, 0.1]))


def test_a_server_of_the_sdk_is_listed_and_called_over_http(url: str) -> None:
    setup = TargetSetup(argument=url, options={"concurrency": "2"})
    assert [tool.name for tool in list_mcp_http(setup)] == ["add", "fail", "wipe"]
    require_sdk_answers(drive(open_mcp_http(setup), requests_of(SDK_CALLS), [0, 0, 0, 0.1]))


def test_a_server_of_the_handshake_lists_page_by_page(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(OLD_SERVER)
    tools = list_mcp_stdio(TargetSetup(argument=f"{sys.executable} {script}"))
    assert [tool.name for tool in tools] == ["first", "second"]


def test_an_error_of_the_protocol_fails_its_call_alone(tmp_path: Path) -> None:
    answer = """
def answer(number):
    if number == 1:
        say(number, error={"code": -32602, "message": "no"})
    else:
        called(number)
"""
    done = drive_old(tmp_path, answer, [0.0, 0.01, 0.02])
    assert [one.fate for one in done.outcomes] == [Fate.COMPLETED, Fate.FAILED, Fate.COMPLETED]
    assert done.outcomes[1].reason == "BadAnswer: error -32602: no"
    assert [event.kind for event in done.events] == ["spawn"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("print('hello', flush=True)", "BadAnswer"),
        ("say(number + 100, result={})", "BadAnswer"),
        ("say(str(number), result={})", "BadAnswer"),
        ("say(number)", "BadAnswer"),
        ("os._exit(3)", "TargetDied"),
    ],
)
def test_a_server_that_breaks_fails_what_it_holds_and_is_started_again(
    tmp_path: Path, said: str, error: str
) -> None:
    answer = f"""
def answer(number):
    if number == 0:
        {said}
    else:
        called(number)
"""
    done = drive_old(tmp_path, answer, [0.0, 1.5])
    assert done.outcomes[0].fate is Fate.FAILED
    assert done.outcomes[0].reason.startswith(error)
    assert [event.kind for event in done.events][:2] == ["spawn", "exit"]


def test_a_call_past_its_deadline_is_cancelled(tmp_path: Path) -> None:
    answer = f"""
def answer(number):
    if number:
        called(number)

def cancelled(number):
    open({str(tmp_path / "cancelled")!r}, "w").write(str(number))
"""
    done = drive_old(tmp_path, answer, [0.0, 0.01], deadline_s=0.5)
    assert [one.fate for one in done.outcomes] == [Fate.TIMED_OUT, Fate.COMPLETED]
    assert (tmp_path / "cancelled").read_text() == "0"


def test_a_stall_shows_in_every_call_that_it_held_up(tmp_path: Path) -> None:
    answer = """
def answer(number):
    if number == 0:
        time.sleep(1)
    called(number)
"""
    done = drive_old(tmp_path, answer, [0.05 * number for number in range(10)])
    assert all(one.fate is Fate.COMPLETED for one in done.outcomes)
    # The tenth was due 0.45 s after the first, and could not be answered before the stall was over.
    assert done.outcomes[9].response_s > 0.5


def test_a_server_that_is_no_mcp_server_is_named() -> None:
    target = open_mcp_stdio(TargetSetup(argument=f"{sys.executable} -c 'print(1)'"))
    with pytest.raises(RunError, match=r"no answer|it ended"):
        drive(target, requests_of([("first", {})]), [0.0])


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = open_mcp_http(TargetSetup(argument=f"http://127.0.0.1:{taken.getsockname()[1]}/mcp"))
        with pytest.raises(RunError, match="cannot connect"):
            drive(target, requests_of([("first", {})]), [0.0])


@pytest.mark.parametrize("argument", ["", "ftp://somewhere", "http://", "http://user@host/mcp"])
def test_a_wrong_url_is_refused(argument: str) -> None:
    with pytest.raises(UsageError):
        check_mcp_http(TargetSetup(argument=argument))


@pytest.mark.parametrize("options", [{"copies": "0"}, {"per": "request"}])
def test_a_wrong_option_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        check_mcp_stdio(TargetSetup(argument=sys.executable, options=options))


def test_operations_become_tools_by_one_table() -> None:
    tools = {
        "task_query": {"properties": {"cursor": {}, "limit": {}}},
        "task_add": {"properties": {"session": {}, "request_key": {}}},
    }
    asked = Request(0, "tasks_query", None, {"limit": 5, "skip": 10})
    assert called(asked, tools) == ("task_query", {"limit": 5, "cursor": "10"})
    write = Request(1, "task_add", "s", {"task": "t"}, "k")
    assert called(write, tools) == ("task_add", {"task": "t", "session": "s", "request_key": "k"})
    assert called(asked, {"tasks_query": {}})[0] == "tasks_query"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_in_pieces_of_any_size(size: int) -> None:
    stream = b": hi\r\n\r\ndata: {\r\ndata: }\r\n\r\nevent: message\ndata:x\n\ndata: cut"
    reader = EventReader()
    pieces = (stream[at : at + size] for at in range(0, len(stream), size))
    assert [event for piece in pieces for event in reader.feed(piece)] == [b"{\n}", b"x"]


def test_a_call_carries_what_a_server_without_a_handshake_wants() -> None:
    from tiergate_plugins.targets.mcp_messages import MODERN, Agreed

    _, _, body = Agreed(MODERN).call(Request(3, "add", None, {"a": 1}))
    params = msgspec.json.decode(body)["params"]
    assert params["_meta"]["io.modelcontextprotocol/protocolVersion"] == MODERN
    assert params["arguments"] == {"a": 1}
