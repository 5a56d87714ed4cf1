"""What no client library would send, over standard input: refused or passed over, and the server goes on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from mcpsuite.reading import LineSource
from mcpsuite.serving import command, held
from mcpsuite.wire import LEGACY

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602

TIME_TO_STOP_S = 1.5
"""The pool lets a cancelled call end by itself for a tenth of a second; then it stops its worker."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("mcp") is None, reason="the server needs tiergate[serve]"),
]


class Talk:
    """A client that writes bytes to a server's input and reads the messages that it sends."""

    def __init__(self, process: subprocess.Popen[bytes], store: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.store = store
        self._writes = process.stdin
        self._lines = LineSource(process.stdout)
        self._numbers = count(1_000)

    def send(self, *lines: bytes) -> None:
        """Write lines at once."""
        self._writes.write(b"".join(line + b"\n" for line in lines))
        self._writes.flush()

    def next(self) -> Any:
        """The next message."""
        return json.loads(self._lines.next())

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The answer to a request, where nothing else is on its way."""
        number = next(self._numbers)
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode())
        answer = self.next()
        assert answer["id"] == number, answer
        return answer


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    """A server that has shaken hands.

    At the end it has to be alive, to end with its input, within a message, and to have written no traceback.
    """
    folder = tmp_path_factory.mktemp("wire")
    log = folder / "serve.log"
    store = folder / "sessions.db"
    with (
        log.open("wb") as said,
        subprocess.Popen(
            command(store), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        client = Talk(process, store)
        about = {
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "hand", "version": "1"},
        }
        assert "result" in client.ask("initialize", about)
        client.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        yield client
        still_there(client)
        assert process.stdin is not None
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"meth')
        process.stdin.close()
        assert process.wait() == 0
    assert "Traceback" not in log.read_text()


def still_there(talk: Talk) -> None:
    """Have a tool called, by a worker: whatever was sent before has left nothing to be read."""
    answer = talk.ask("tools/call", {"name": "session_list", "arguments": {}})
    assert answer["result"]["isError"] is False


def request(number: str, rest: str = '"method":"ping"') -> bytes:
    """A request whose id is the text of a JSON value."""
    return f'{{"jsonrpc":"2.0","id":{number},{rest}}}'.encode()


def tool(arguments: str, rest: str = "") -> bytes:
    """A call of a tool whose arguments are the text of a JSON value."""
    return request(
        "8", f'"method":"tools/call","params":{{"name":"session_list","arguments":{arguments}{rest}}}'
    )


@pytest.mark.parametrize(
    ("line", "code", "number"),
    [
        pytest.param(b"{", PARSE_ERROR, None, id="cut off"),
        pytest.param(b"\xff\xfe\x00", PARSE_ERROR, None, id="no text"),
        pytest.param(b"[" * 100_000, PARSE_ERROR, None, id="deep"),
        pytest.param(b'{"a":' * 5_000, PARSE_ERROR, None, id="deep objects"),
        pytest.param(b"x" * 4_300_000, PARSE_ERROR, None, id="too long"),
        pytest.param(tool('{"limit":' + "9" * 5_000 + "}"), PARSE_ERROR, None, id="huge number"),
        pytest.param(b"null", INVALID_REQUEST, None, id="null"),
        pytest.param(b"42", INVALID_REQUEST, None, id="a number"),
        pytest.param(b"[]", INVALID_REQUEST, None, id="empty batch"),
        pytest.param(b"[" + request("3") + b"," + request("4") + b"]", INVALID_REQUEST, None, id="batch"),
        pytest.param(b'{"id":5,"method":"ping"}', INVALID_REQUEST, 5, id="no version"),
        pytest.param(b'{"jsonrpc":"1.0","id":5,"method":"ping"}', INVALID_REQUEST, 5, id="another version"),
        pytest.param(
            request('"a"', '"method":"ping","params":[1]'), INVALID_REQUEST, "a", id="params as array"
        ),
        pytest.param(request("6", '"method":7'), INVALID_REQUEST, 6, id="method as number"),
        pytest.param(request("null"), INVALID_REQUEST, None, id="id null"),
        pytest.param(request("1.5"), INVALID_REQUEST, None, id="id with a fraction"),
        pytest.param(request("true"), INVALID_REQUEST, None, id="id true"),
        pytest.param(request('{"a":1}'), INVALID_REQUEST, None, id="id as object"),
        pytest.param(request("6", '"method":"no/such"'), METHOD_NOT_FOUND, 6, id="unknown method"),
        pytest.param(
            request("7", '"method":"notifications/cancelled","params":{"requestId":1}'),
            METHOD_NOT_FOUND,
            7,
            id="notification as request",
        ),
        pytest.param(request("8", '"method":"tools/call"'), INVALID_PARAMS, 8, id="no params"),
        pytest.param(request("8", '"method":"tools/call","params":{"name":5}'), INVALID_PARAMS, 8, id="name"),
        pytest.param(
            request("8", '"method":"tools/call","params":{"name":"../sh"}'),
            INVALID_PARAMS,
            8,
            id="unknown tool",
        ),
        pytest.param(tool("[]"), INVALID_PARAMS, 8, id="arguments as array"),
        pytest.param(tool("{}", ',"_meta":5'), INVALID_PARAMS, 8, id="meta"),
        pytest.param(tool("{}", ',"_meta":{"progressToken":[1]}'), INVALID_PARAMS, 8, id="progress token"),
        pytest.param(
            request("9", '"method":"tools/list","params":{"cursor":"none of yours"}'),
            INVALID_PARAMS,
            9,
            id="cursor",
        ),
    ],
)
def test_what_is_no_request_is_refused(talk: Talk, line: bytes, code: int, number: object) -> None:
    talk.send(line)
    answer = talk.next()
    assert (answer["error"]["code"], answer["id"]) == (code, number)
    assert "\n" not in answer["error"]["message"]
    still_there(talk)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="empty line"),
        pytest.param(b"  \r", id="blank line"),
        pytest.param(b'{"jsonrpc":"2.0","method":"notifications/nothing"}', id="unknown notification"),
        pytest.param(
            b'{"jsonrpc":"2.0","method":"notifications/nothing","params":{"of":NaN}}',
            id="a notification of nothing",
        ),
        pytest.param(b'{"jsonrpc":"2.0","method":"tools/list"}', id="request as notification"),
        pytest.param(
            b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
            id="cancel what is not there",
        ),
        pytest.param(
            b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[1]}}',
            id="cancel with an odd id",
        ),
        pytest.param(b'{"jsonrpc":"2.0","id":77,"result":{}}', id="a result nobody asked for"),
        pytest.param(b'{"jsonrpc":"2.0","id":77,"error":{"code":1,"message":"x"}}', id="an error likewise"),
    ],
)
def test_what_wants_no_answer_gets_none(talk: Talk, line: bytes) -> None:
    talk.send(line)
    still_there(talk)


@pytest.mark.parametrize("number", [10**400, -1, "", "x" * 100_000, "a\u0000b\u2028c", "\U0001f600"])
def test_an_id_comes_back_as_it_was(talk: Talk, number: object) -> None:
    talk.send(request(json.dumps(number)))
    assert talk.next() == {"jsonrpc": "2.0", "id": number, "result": {}}


@pytest.mark.parametrize(
    "arguments", ['{"limit":1e400}', '{"limit":NaN}', '{"limit":"5"}', '{"limit":-1}', '{"of":1}']
)
def test_arguments_that_a_tool_does_not_take_are_its_error(talk: Talk, arguments: str) -> None:
    talk.send(tool(arguments))
    result = talk.next()["result"]
    assert result["isError"] is True
    assert "\n" not in result["content"][0]["text"]


def test_an_id_that_is_used_twice_is_answered_twice(talk: Talk) -> None:
    talk.send(request("20"), request("20"))
    assert [talk.next()["id"], talk.next()["id"]] == [20, 20]


def test_many_requests_in_one_write_are_all_answered(talk: Talk) -> None:
    numbers = range(2_000, 2_200)
    talk.send(*(request(str(number)) for number in numbers))
    assert sorted(talk.next()["id"] for _ in numbers) == list(numbers)


def test_a_call_that_is_cancelled_is_neither_done_nor_answered(talk: Talk) -> None:
    created = talk.ask("tools/call", {"name": "session_create", "arguments": {"session": "cancelled"}})
    assert created["result"]["isError"] is False
    arguments = '{"session":"cancelled","task":"t","title":"x"}'
    added = f'"name":"task_add","arguments":{arguments},"_meta":{{"progressToken":"p"}}'
    with held(talk.store, 30):
        talk.send(request("30", f'"method":"tools/call","params":{{{added}}}'))
        # It runs once its progress is told, and it waits for the store.
        assert talk.next()["params"]["progressToken"] == "p"
        talk.send(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":30}}')
        still_there(talk)
        time.sleep(TIME_TO_STOP_S)
    found = talk.ask("tools/call", {"name": "session_get", "arguments": {"session": "cancelled"}})
    assert found["result"]["structuredContent"]["tasks"] == []
