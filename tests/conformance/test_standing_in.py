"""How what we have stands in for the names of the conformance suite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mcpsuite.standing_in import StandIn, in_front_of, read_stand_ins, rewritten
from mcpsuite.wire import ask, message

NAMES = {
    "test_tool": StandIn("session_get", {"session": "s"}),
    "test://text": StandIn("session://s"),
}


def sent(method: str, **params: Any) -> Any:
    """The parameters of a request as they are passed on."""
    return rewritten({"method": method, "params": params}, NAMES)["params"]


def test_a_tool_gets_our_name_and_our_arguments() -> None:
    got = sent("tools/call", name="test_tool", arguments={"x": 1}, _meta={"progressToken": 1})
    assert got == {"name": "session_get", "arguments": {"session": "s"}, "_meta": {"progressToken": 1}}


def test_a_resource_gets_our_address() -> None:
    assert sent("resources/read", uri="test://text") == {"uri": "session://s"}


def test_a_completion_is_of_our_argument() -> None:
    asked = {"ref": {"type": "ref/prompt", "name": "test_tool"}, "argument": {"name": "a", "value": "te"}}
    assert sent("completion/complete", **asked) == {
        "ref": {"type": "ref/prompt", "name": "session_get"},
        "argument": {"name": "session", "value": ""},
    }


@pytest.mark.parametrize(
    "other", [[], 5, {"method": "ping"}, {"method": "tools/call", "params": {"name": "flow"}}]
)
def test_everything_else_is_left_as_it_is(other: Any) -> None:
    assert rewritten(other, NAMES) is other


def test_the_file_of_the_project_is_well_formed() -> None:
    found = read_stand_ins(Path(__file__).with_name("stand-ins.yaml"))
    assert found.scenarios
    assert not set(found.scenarios) & set(found.slow)


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, as a stream of one event."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = {"name": self.headers["Mcp-Name"], "body": msgspec.json.decode(body)}
        self.send_response(201)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: " + msgspec.json.encode(event) + b"\n\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in http.server)
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/mcp"
        server.shutdown()
        thread.join()


def test_the_proxy_changes_body_and_header_and_passes_the_rest(echo: str) -> None:
    with in_front_of(echo, NAMES) as url:
        answer = ask(url, "tools/call", {"name": "test_tool", "arguments": {}})
    assert answer.status == 201
    assert answer.last["name"] == "session_get"
    expected = message("tools/call", {"name": "session_get", "arguments": {"session": "s"}})
    assert answer.last["body"] == expected
