"""The target `mcp-http` before a server that is slow, wants a token, refuses, dies and comes back."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tiergate.catalogue import bare_facts
from tiergate.errors import RunError
from tiergate.load.driver import Timetable, drive_target
from tiergate.load.outcome import Fate, Round
from tiergate.operation import Request
from tiergate.target import TargetSetup

pytest.importorskip("mcp")

from tiergate_plugins.targets.mcp_http import list_mcp_http, open_mcp_http

TOKEN = "sesame"

Called = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Speaks the handshake of 2025-06-18; a tool call is left to the test."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        method, number = asked["method"], asked.get("id")
        self.server.methods.append(method)
        if self.server.token and self.headers.get("authorization") != f"Bearer {self.server.token}":
            self.answer(401, b"")
        elif method == "initialize":
            self.say(number, {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}})
        elif method == "tools/list":
            self.say(number, {"tools": [{"name": "probe", "inputSchema": {"type": "object"}}]})
        elif method == "tools/call":
            self.server.called(self, asked)
        elif number is None:
            self.answer(202, b"")
        else:
            error = {"code": -32601, "message": "no such method"}
            self.answer(200, json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode())

    def say(self, number: object, result: object) -> None:
        self.answer(200, json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode())

    def called_well(self, asked: dict[str, Any]) -> None:
        self.say(asked["id"], {"content": [], "isError": False})

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing goes to standard error."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    methods: list[str]
    token = ""
    called: Called = staticmethod(Handler.called_well)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that this side closed is no surprise."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as found:
        found.methods = []
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def setup_of(server: Server, **options: str) -> TargetSetup:
    return TargetSetup(argument=f"http://127.0.0.1:{server.server_port}/mcp", options=options)


def drive(setup: TargetSetup, starts: list[float], deadline_s: float = 20.0) -> Round:
    requests = [Request(number, "probe", None, {}) for number in range(len(starts))]
    timetable = Timetable(requests, [bare_facts(one) for one in requests], starts, (), deadline_s)
    return asyncio.run(drive_target(open_mcp_http(setup), timetable, 1))


def fates(done: Round) -> list[Fate]:
    return [one.fate for one in done.outcomes]


def test_a_call_past_its_deadline_is_cancelled(server: Server) -> None:
    answered = threading.Event()

    def called(handler: Handler, asked: dict[str, Any]) -> None:
        if asked["id"] == 0:
            answered.wait(10)
        handler.called_well(asked)

    server.called = called
    done = drive(setup_of(server, concurrency="2"), [0.0, 0.01], deadline_s=0.5)
    answered.set()
    assert fates(done) == [Fate.TIMED_OUT, Fate.COMPLETED]
    give_up = time.monotonic() + 5
    while "notifications/cancelled" not in server.methods and time.monotonic() < give_up:
        time.sleep(0.01)
    assert "notifications/cancelled" in server.methods


def test_a_token_is_borne_and_its_absence_is_named(server: Server, tmp_path: Path) -> None:
    server.token = TOKEN
    with pytest.raises(RunError, match=r"401.*token-file=FILE"):
        list_mcp_http(setup_of(server))
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    setup = setup_of(server, **{"token-file": str(file)})
    assert [tool.name for tool in list_mcp_http(setup)] == ["probe"]
    assert fates(drive(setup, [0.0])) == [Fate.COMPLETED]


def test_a_server_that_hangs_up_fails_that_call_alone(server: Server) -> None:
    def called(handler: Handler, asked: dict[str, Any]) -> None:
        if asked["id"] == 1:
            handler.hang_up()
        else:
            handler.called_well(asked)

    server.called = called
    done = drive(setup_of(server), [0.0, 0.1, 0.2])
    assert fates(done) == [Fate.COMPLETED, Fate.FAILED, Fate.COMPLETED]
    assert done.outcomes[1].reason.startswith("TargetDied")


@pytest.mark.parametrize(("status", "fate"), [(429, Fate.DROPPED), (503, Fate.DROPPED), (500, Fate.FAILED)])
def test_a_busy_server_drops_and_a_broken_one_fails(server: Server, status: int, fate: Fate) -> None:
    server.called = lambda handler, _asked: handler.answer(status, b"")
    assert fates(drive(setup_of(server), [0.0])) == [fate]


def test_a_server_that_dies_fails_the_rest_and_the_run_ends(server: Server) -> None:
    def called(handler: Handler, asked: dict[str, Any]) -> None:
        if asked["id"] == 1:
            server.shutdown()
            server.server_close()
            handler.hang_up()
        else:
            handler.called_well(asked)

    server.called = called
    done = drive(setup_of(server, concurrency="1"), [0.0, 0.1, 0.3, 0.5])
    assert fates(done) == [Fate.COMPLETED, Fate.FAILED, Fate.FAILED, Fate.FAILED]
    assert "cannot connect" in done.outcomes[3].reason


def test_a_server_that_comes_back_is_found_again(server: Server) -> None:
    again: list[Server] = []

    def called(handler: Handler, asked: dict[str, Any]) -> None:
        handler.called_well(asked)
        if asked["id"] == 0:
            handler.hang_up()

            def restart() -> None:
                server.shutdown()
                server.server_close()
                back = Server(("127.0.0.1", server.server_port), Handler)
                back.methods = []
                again.append(back)
                back.serve_forever()

            threading.Thread(target=restart, daemon=True).start()

    server.called = called
    done = drive(setup_of(server, concurrency="1"), [0.0, 1.0])
    for back in again:
        back.shutdown()
        back.server_close()
    assert fates(done) == [Fate.COMPLETED, Fate.COMPLETED]
