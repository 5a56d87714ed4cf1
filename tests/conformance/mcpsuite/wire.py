"""The protocol by hand, byte for byte: what a client library would never send can be sent."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
_META = "io.modelcontextprotocol/"
_TIMEOUT_S = 30.0


class Answer(msgspec.Struct, frozen=True):
    """What came back.

    Attributes:
        headers: names in lower case.
        body: as it came.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def messages(self) -> list[Any]:
        """The JSON-RPC messages in it, whether it is one or a stream of events."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            return list(_events(self.body))
        return [json.loads(self.body)] if self.body else []

    @property
    def last(self) -> Any:
        """The last message: the response, where there were notifications before."""
        return self.messages[-1]


def message(method: str, params: Mapping[str, Any] | None = None, number: Any = 1) -> dict[str, Any]:
    """A request with all that the newest revision wants in it."""
    meta = {f"{_META}protocolVersion": MODERN, f"{_META}clientCapabilities": {}}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": meta, **(params or {})}}


def headers_of(asked: Mapping[str, Any]) -> dict[str, str]:
    """The headers that belong to a request of the newest revision."""
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": asked["method"],
    }
    params = asked["params"]
    named = params.get("name", params.get("uri"))
    return headers if named is None else {**headers, "Mcp-Name": named}


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send bytes and read the answer to its end."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(split.netloc, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", split.path, body, dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


def ask(url: str, method: str, params: Mapping[str, Any] | None = None, **headers: str) -> Answer:
    """Ask by the newest revision, in one exchange."""
    asked = message(method, params)
    return post(url, json.dumps(asked).encode(), {**headers_of(asked), **headers})


def call(url: str, tool: str, **arguments: Any) -> Any:
    """The structured result of a tool.

    Raises:
        RuntimeError: it failed.
    """
    answer = ask(url, "tools/call", {"name": tool, "arguments": arguments})
    result = answer.last.get("result", {})
    if result.get("isError", True) is True:
        raise RuntimeError(
            f"{tool} failed: HTTP {answer.status}: {answer.body.decode(errors='replace')[:300]}"
        )
    return result["structuredContent"]


def _events(body: bytes) -> Iterator[Any]:
    for line in body.decode().splitlines():
        if line.startswith("data:") and line[5:].strip():
            yield json.loads(line[5:])
