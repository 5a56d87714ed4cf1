"""What is no request, or a wrong one, gets an error that says so; the server goes on."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tiergate.coordinator.stdio import MAX_MESSAGE_BYTES

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


def is_well(server: Any) -> bool:
    return server.call("health")["structuredContent"]["state"] in {"ready", "degraded"}


@pytest.mark.integration
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", PARSE_ERROR),
        (b"\xff\xfe", PARSE_ERROR),
        (b"[" * 100_000, PARSE_ERROR),
        (b"[]", INVALID_REQUEST),
        (b'{"jsonrpc":"1.0","id":null,"method":"ping"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID_REQUEST),
        (b"7", INVALID_REQUEST),
        (b'"' + b"x" * (MAX_MESSAGE_BYTES + 1) + b'"', PARSE_ERROR),
    ],
    ids=["cut", "no text", "deep", "batch", "other version", "id is object", "number", "too long"],
)
def test_a_line_that_is_no_message_is_answered(server: Any, line: bytes, code: int) -> None:
    server.send(line)
    answer = server.read()
    assert answer["id"] is None
    assert answer["error"]["code"] == code
    assert "Traceback" not in answer["error"]["message"]
    assert is_well(server)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tools/call", {"name": "no_such_tool", "arguments": {}}, INVALID_PARAMS),
        ("tools/call", {"arguments": {}}, INVALID_PARAMS),
        ("tools/call", {"name": "health", "arguments": []}, INVALID_PARAMS),
        ("tools/list", {"cursor": "elsewhere"}, INVALID_PARAMS),
        ("prompts/get", {"name": "other"}, INVALID_PARAMS),
        ("prompts/get", {"name": "resume_session"}, INVALID_PARAMS),
        ("resources/read", {"uri": "session://nobody"}, INVALID_PARAMS),
        ("resources/read", {"uri": "file:///etc/passwd"}, INVALID_PARAMS),
        ("resources/read", {"uri": "session://a/../b"}, INVALID_PARAMS),
        ("no/such/method", {}, METHOD_NOT_FOUND),
    ],
)
def test_a_wrong_request_is_a_protocol_error(server: Any, method: str, params: Any, code: int) -> None:
    error = server.ask(method, params)["error"]
    assert error["code"] == code
    assert "\n" not in error["message"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("session_get", {"session": "nobody"}, "no session 'nobody'"),
        ("session_get", {}, "session is missing"),
        ("session_get", {"session": 7}, "must be the id of a session"),
        ("session_get", {"session": "a", "limit": "many"}, "Expected `int`"),
        ("task_add", {"session": "a", "task": "t", "title": "x", "titel": "y"}, "unknown field `titel`"),
        ("task_add", {"session": "a", "task": "t", "title": "x", "request_key": 1}, "request_key"),
        ("task_query", {"cursor": "elsewhere"}, "cursor"),
        ("task_query", {"limit": 0}, "limit"),
        ("task_query", {"order": "colour"}, "cannot order"),
        ("health", {"deep": True}, "takes no arguments"),
        ("search", {"text": "x", "within": "session"}, "needs a session"),
    ],
)
def test_what_a_tool_refuses_is_a_result_that_says_why(
    server: Any, tool: str, arguments: dict[str, Any], says: str
) -> None:
    result = server.call(tool, **arguments)
    assert result["isError"]
    (content,) = result["content"]
    assert says in content["text"]
    assert "\n" not in content["text"]


@pytest.mark.integration
def test_ids_that_look_like_paths_stay_in_the_store(server: Any, tmp_path: Path) -> None:
    evil = "../../../etc/passwd; touch x $(id)"
    assert not server.call("session_create", session=evil, title="$(reboot)")["isError"]
    listed = server.call("session_list", prefix="..")["structuredContent"]["sessions"]
    assert [row["session"] for row in listed] == [evil]


@pytest.mark.integration
def test_what_is_said_before_the_handshake_is_refused(start: Any, tmp_path: Path) -> None:
    server = start()
    assert "error" in server.ask("initialize", {"protocolVersion": 7})
    assert is_well(server)
    assert server.end(signal.SIGTERM) == 0
