"""What no client library would send, over HTTP: it is refused in one line, and the server goes on."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import pytest
from mcpsuite.serving import HOST, Served, fill, held, served
from mcpsuite.wire import LEGACY, ask, call, headers_of, message, post

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS = -32700, -32600, -32602

TIME_TO_STOP_S = 1.5
"""The pool lets a cancelled call end by itself for a tenth of a second; then it stops its worker."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("mcp") is None, reason="the server needs tiergate[serve]"),
]

ASKED = message("tools/call", {"name": "session_list", "arguments": {}})
BODY = json.dumps(ASKED).encode()
HEADERS = headers_of(ASKED)
HANDSHAKE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "x", "version": "1"},
        },
    }
).encode()
LEGACY_HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with sessions. At the end it has to be alive, and must have written no traceback."""
    with served(tmp_path_factory.mktemp("http")) as running:
        fill(running)
        yield running
        still_there(running)
    assert "Traceback" not in running.log.read_text()


def still_there(server: Served) -> None:
    """Have a tool called, by a worker."""
    assert call(server.url, "session_list")["sessions"]


def speak(server: Served, *parts: bytes) -> bytes:
    """Write bytes to a connection of its own, and read until the server closes it."""
    said = b""
    with socket.create_connection((HOST, server.port), timeout=60) as connection:
        # It need not read to its end what it has refused.
        with suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        with suppress(ConnectionError):
            while read := connection.recv(1 << 16):
                said += read
    return said


def head(server: Served, *lines: str) -> bytes:
    """The head of a request whose body is still to come."""
    given = [f"{name}: {value}" for name, value in HEADERS.items()]
    first = ["POST /mcp HTTP/1.1", f"Host: {HOST}:{server.port}", "Connection: close"]
    return "\r\n".join([*first, *given, *lines, "", ""]).encode()


def without(name: str) -> dict[str, str]:
    """The headers but one."""
    return {key: value for key, value in HEADERS.items() if key != name}


def in_place_of(old: str, new: str) -> bytes:
    """The body with a part of its text exchanged."""
    assert old.encode() in BODY
    return BODY.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({**HEADERS, "Host": "evil.example.com"}, 421, id="another host"),
        pytest.param({**HEADERS, "Host": "localhost.evil.example.com"}, 421, id="a host that begins well"),
        pytest.param({**HEADERS, "Origin": "http://evil.example.com"}, 403, id="another origin"),
        pytest.param({**HEADERS, "Origin": "null"}, 403, id="no origin to speak of"),
        pytest.param({**HEADERS, "Origin": "file://"}, 403, id="a file"),
        pytest.param({**HEADERS, "Content-Type": "text/plain"}, 400, id="content type of a form"),
        pytest.param(without("Content-Type"), 400, id="no content type"),
        pytest.param(without("Accept"), 406, id="accepts nothing"),
        pytest.param({**HEADERS, "Accept": "text/html"}, 406, id="accepts something else"),
        pytest.param({**HEADERS, "Mcp-Method": "tools/list"}, 400, id="another method"),
        pytest.param({**HEADERS, "Mcp-Name": "session_create"}, 400, id="another name"),
        pytest.param(
            {**HEADERS, "MCP-Protocol-Version": "1999-01-01"}, 400, id="no revision of the protocol"
        ),
        pytest.param(
            {**HEADERS, "Mcp-Session-Id": "nobody's", "MCP-Protocol-Version": LEGACY}, 404, id="session"
        ),
    ],
)
def test_headers_that_do_not_fit_are_refused(server: Served, headers: dict[str, str], status: int) -> None:
    assert post(server.url, BODY, headers).status == status


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"])
def test_a_page_of_this_machine_is_let_in(server: Served, origin: str) -> None:
    assert post(server.url, BODY, {**HEADERS, "Origin": origin}).status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", PARSE_ERROR, id="nothing"),
        pytest.param(BODY[:-1], PARSE_ERROR, id="cut off"),
        pytest.param(b"\xff\xfe", PARSE_ERROR, id="no text"),
        pytest.param(b"[" * 100_000, PARSE_ERROR, id="deep"),
        pytest.param(in_place_of('"id": 1', '"id": ' + "9" * 5_000), PARSE_ERROR, id="huge number"),
        pytest.param(b"[]", INVALID_REQUEST, id="empty batch"),
        pytest.param(b"[" + BODY + b"," + BODY + b"]", INVALID_REQUEST, id="batch"),
        pytest.param(b"null", INVALID_REQUEST, id="null"),
        pytest.param(in_place_of('"id": 1', '"id": null'), INVALID_REQUEST, id="id null"),
        pytest.param(in_place_of('"id": 1', '"id": 1.5'), INVALID_REQUEST, id="id with a fraction"),
        pytest.param(in_place_of('"id": 1', '"id": {}'), INVALID_REQUEST, id="id as object"),
        pytest.param(in_place_of('"2.0"', '"1.0"'), INVALID_REQUEST, id="another version of JSON-RPC"),
        pytest.param(
            in_place_of('"arguments": {}', '"arguments": []'), INVALID_PARAMS, id="arguments as array"
        ),
    ],
)
def test_what_is_no_request_is_refused(server: Served, body: bytes, code: int) -> None:
    answer = post(server.url, body, HEADERS)
    assert (answer.status, answer.last["error"]["code"]) == (400, code)
    assert "\n" not in answer.last["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"[" + HANDSHAKE + b"]", b"42"])
def test_what_is_no_handshake_is_refused(server: Served, body: bytes) -> None:
    answer = post(server.url, body, LEGACY_HEADERS)
    assert (answer.status, answer.last["id"]) == (400, None)


def test_a_client_that_asks_for_an_unknown_revision_is_offered_one(server: Served) -> None:
    answer = post(server.url, HANDSHAKE.replace(LEGACY.encode(), b"1999-01-01"), LEGACY_HEADERS)
    assert answer.last["result"]["protocolVersion"] == LEGACY


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"cursor": "\ud800"}, id="half a character"),
        pytest.param({"limit": 10**30}, id="a number too large"),
        pytest.param({"limit": float("nan")}, id="no number"),
        pytest.param({"limit": True}, id="yes"),
        pytest.param({"unheard": "of"}, id="an unknown argument"),
        pytest.param({"cursor": json.loads("[" * 500 + "]" * 500)}, id="deep"),
    ],
)
def test_arguments_that_a_tool_does_not_take_are_its_error(server: Served, arguments: dict[str, Any]) -> None:
    result = ask(server.url, "tools/call", {"name": "session_list", "arguments": arguments}).last["result"]
    assert result["isError"] is True
    assert "\n" not in result["content"][0]["text"]


@pytest.mark.parametrize("field", ["session", "task", "title", "request_key"])
def test_half_a_character_is_refused_wherever_it_stands(server: Served, field: str) -> None:
    arguments = {"session": "resume", "task": "half", "title": "x", field: "\ud83d"}
    result = ask(server.url, "tools/call", {"name": "task_add", "arguments": arguments}).last["result"]
    assert result["isError"] is True
    assert "\n" not in result["content"][0]["text"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("prompts/get", {"name": "resume_session", "arguments": {"session": "\ud800"}}),
        ("prompts/get", {"name": "resume_session"}),
        ("resources/read", {"uri": "session://..%2F..%2Fetc%2Fpasswd"}),
        ("resources/read", {"uri": "file:///etc/passwd"}),
        ("resources/read", {"uri": "session://%ED%A0%80"}),
        ("tools/list", {"cursor": "none of yours"}),
        (
            "completion/complete",
            {
                "ref": {"type": "ref/prompt", "name": "resume_session"},
                "argument": {"name": "session", "value": "\ud800"},
            },
        ),
    ],
)
def test_what_is_not_there_is_an_error_in_one_line(
    server: Served, method: str, params: dict[str, Any]
) -> None:
    error = ask(server.url, method, params).last["error"]
    assert "\n" not in error["message"]
    assert "Internal server error" not in error["message"]


def test_a_body_in_pieces_is_put_together(server: Served) -> None:
    pieces = [BODY[begin:end] for begin, end in pairwise([0, 1, 7, 50, len(BODY)])]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    said = speak(server, head(server, "Transfer-Encoding: chunked"), *chunks, b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200")
    assert b'"isError":false' in said


@pytest.mark.parametrize(
    ("lines", "parts", "status"),
    [
        pytest.param(["Content-Length: 99999999999"], [b"x"], 413, id="announces too much"),
        pytest.param(
            ["Transfer-Encoding: chunked"], [b"100000\r\n%b\r\n" % (b"x" * 0x100000)] * 6, 413, id="sends it"
        ),
        pytest.param(["Transfer-Encoding: chunked"], [b"ZZ\r\nabc\r\n"], 400, id="chunks of no size"),
        pytest.param(["Content-Length: -5"], [], 400, id="less than nothing"),
        pytest.param(["Content-Length: 5", "Content-Length: 6"], [b"12345"], 400, id="two lengths"),
        pytest.param([f"Content-Length: {len(BODY)}", "Host: evil.example.com"], [BODY], 400, id="two hosts"),
        pytest.param(
            [f"Content-Length: {len(BODY)}", "X: " + "a" * 200_000], [BODY], 400, id="a long header"
        ),
    ],
)
def test_a_request_that_is_wrong_as_such_is_refused(
    server: Served, lines: list[str], parts: list[bytes], status: int
) -> None:
    said = speak(server, head(server, *lines), *parts)
    assert said.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    "said", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 99]
)
def test_what_is_no_http_is_hung_up_on(server: Served, said: bytes) -> None:
    assert speak(server, said).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("part", [20, -1])
def test_a_client_that_leaves_within_its_request_disturbs_nobody(server: Served, part: int) -> None:
    whole = head(server, f"Content-Length: {len(BODY)}") + BODY
    with socket.create_connection((HOST, server.port)) as connection:
        connection.sendall(whole[:part])
    still_there(server)


def test_a_call_whose_client_leaves_is_not_done(server: Served) -> None:
    """It waits for the store when its client goes; once the store is free it must not come to life again."""
    params = {
        "name": "task_add",
        "arguments": {"session": "123", "task": "gone", "title": "x"},
        "_meta": {**ASKED["params"]["_meta"], "progressToken": "p"},
    }
    asked = message("tools/call", params)
    body = json.dumps(asked).encode()
    headers = "".join(f"{name}: {value}\r\n" for name, value in headers_of(asked).items())
    first = f"POST /mcp HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nContent-Length: {len(body)}\r\n"
    with held(server.store, 30):
        with socket.create_connection((HOST, server.port), timeout=60) as connection:
            connection.sendall(f"{first}{headers}\r\n".encode() + body)
            said = b""
            while b"notifications/progress" not in said:
                read = connection.recv(1 << 16)
                assert read, said
                said += read
        time.sleep(TIME_TO_STOP_S)
    tasks = call(server.url, "session_get", session="123")["tasks"]
    assert "gone" not in {task["id"] for task in tasks}
