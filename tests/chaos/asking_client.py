"""A client of the server over HTTP that keeps on asking until it has an answer, as an agent would."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

PROTOCOL = "2025-11-25"
_PAUSE_S = 0.05


class GaveUp(Exception):
    """No answer came in the time that was given."""


@dataclass
class Refused(Exception):
    """The call was answered, and refused."""

    text: str


class Client:
    """One session of the protocol; where the server is gone, a new one is begun with it."""

    def __init__(self, port: int, patience_s: float) -> None:
        self._port = port
        self._patience_s = patience_s
        self._numbers = count(1)
        self._connection: http.client.HTTPConnection | None = None
        self._session = ""
        self.retries = 0

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The structured result of a call, which is sent again with the same arguments while none comes.

        Raises:
            Refused: it was refused for good.
            GaveUp: there was no answer for too long.
        """
        give_up = time.monotonic() + self._patience_s
        while time.monotonic() < give_up:
            try:
                return self._once(tool, arguments)
            except (OSError, http.client.HTTPException, Again):
                self.retries += 1
                self.close()
                time.sleep(_PAUSE_S)
        raise GaveUp(tool)

    def _once(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._connection is None:
            self._begin()
        answer = self._post("tools/call", {"name": tool, "arguments": arguments})
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        result = answer["result"]
        if result.get("isError"):
            text = result["content"][0]["text"]
            if any(word in text for word in PASSING):
                raise Again(text)
            raise Refused(text)
        found: dict[str, Any] = result["structuredContent"]
        return found

    def _begin(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience_s)
        who = {"name": "chaos", "version": "1"}
        self._post("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": who})
        self._post("notifications/initialized", None)

    def _post(self, method: str, params: dict[str, Any] | None) -> dict[str, Any]:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message |= {"id": next(self._numbers), "params": params}
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self._session:
            headers |= {"Mcp-Session-Id": self._session, "Mcp-Protocol-Version": PROTOCOL}
        assert self._connection is not None
        self._connection.request("POST", "/mcp", json.dumps(message), headers)
        response = self._connection.getresponse()
        body = response.read().decode()
        if response.status in {404, 429, 503}:  # another process answers, or too many ask
            raise Again(body)
        if response.status >= 400:
            raise Refused(f"{response.status} {body}")
        self._session = response.getheader("Mcp-Session-Id") or self._session
        data = [line[5:] for line in body.splitlines() if line.startswith("data:")] or [body or "{}"]
        answer: dict[str, Any] = json.loads(data[-1])
        return answer

    def close(self) -> None:
        """Forget the session."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._session = None, ""


PASSING = ("the queue is full", "worker ended", "draining", "is turned away", "has no worker")
"""Words of errors that mean: not now."""


class Again(Exception):
    """Not now."""
