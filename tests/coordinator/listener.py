"""A server over HTTP as a process of its own, and one exchange with it without any library."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

PATIENCE_S = 30.0


class Answer(msgspec.Struct, frozen=True):
    """What came back; the names of the headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The line that says why it was refused."""
        error = json.loads(self.body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)


def exchange(
    port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request; of an endless answer only the head is read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        endless = found.get("content-type", "").startswith("text/event-stream") and method == "GET"
        return Answer(answer.status, found, b"" if endless else answer.read())
    finally:
        connection.close()


def call_body(tool: str, arguments: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a tool call by the newest revision, which needs no handshake."""
    prefix = "io.modelcontextprotocol/"
    meta = {f"{prefix}protocolVersion": "2026-07-28", f"{prefix}clientCapabilities": {}}
    params = {"_meta": meta, "name": tool, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    return json.dumps(message).encode(), headers


class Listener:
    """A server on a free port.

    Raises:
        RuntimeError: it ended before it listened.
    """

    def __init__(self, words: list[str], environment: Mapping[str, str], errors: Path) -> None:
        self.errors = errors
        with errors.open("wb") as written:
            self.process = subprocess.Popen(
                [*words, "--http", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=written,
                env=dict(environment),
                start_new_session=True,
            )
        self.port = self._port()
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def _port(self) -> int:
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up and self.process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/mcp\n", self.errors.read_text())
            if found:
                return int(found[1])
            time.sleep(0.02)
        self.process.kill()
        self.process.wait()
        raise RuntimeError(self.errors.read_text())

    def call(self, tool: str, **arguments: Any) -> Any:
        """The result of a tool."""
        body, headers = call_body(tool, arguments)
        answer = exchange(self.port, "POST", "/mcp", body, headers)
        text = answer.body.decode()
        if answer.headers["content-type"].startswith("text/event-stream"):
            text = [line[5:] for line in text.splitlines() if line.startswith("data:")][-1]
        return json.loads(text)["result"]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
