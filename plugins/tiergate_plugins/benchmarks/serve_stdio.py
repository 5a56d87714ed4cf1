"""A client of a server over standard streams that does as little as one can, so that it hides nothing.

Requests are made before they are timed; an answer is searched for an error, and decoded only on demand.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from itertools import count
from time import perf_counter
from typing import Any

import msgspec

from tiergate.errors import RunError

PROTOCOL = "2025-11-25"
_PATIENCE_S = 20.0


def initialize_params() -> dict[str, Any]:
    """What a client says of itself first."""
    return {
        "protocolVersion": PROTOCOL,
        "capabilities": {},
        "clientInfo": {"name": "tiergate-bench", "version": "1"},
    }


def message(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    """One request of JSON-RPC, as a line."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + b"\n"


def call_message(number: int, tool: str, arguments: Mapping[str, Any]) -> bytes:
    """One call of a tool, as a line."""
    return message(number, "tools/call", {"name": tool, "arguments": arguments})


class StdioServer:
    """A server process, and the calls that are sent to it.

    Args:
        name: of the side, for what goes wrong.
        words: the command.

    Raises:
        RunError: it ends before it answers the first request.
    """

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self._name = name
        self._numbers = count(1)
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._send(message(0, "initialize", initialize_params()))
        self._line()
        self._send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def result(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The structured result of one call.

        Raises:
            RunError: the call failed.
        """
        self._send(call_message(next(self._numbers), tool, arguments))
        answer = msgspec.json.decode(self._line())
        found = answer.get("result", {})
        if "error" in answer or found.get("isError"):
            raise RunError(f"{tool} failed: {answer}", where=self._name)
        structured: dict[str, Any] = found.get("structuredContent", {})
        return structured

    def seconds(self, tool: str, arguments: Mapping[str, Any]) -> float:
        """Seconds of one call, from writing it to having read its answer.

        Raises:
            RunError: the call failed.
        """
        line = call_message(next(self._numbers), tool, arguments)
        start = perf_counter()
        self._send(line)
        answer = self._out.readline()
        took = perf_counter() - start
        self._check(answer)
        return took

    def window(self, tool: str, each: Sequence[Mapping[str, Any]], in_flight: int) -> float:
        """Seconds of all of these calls, so many in flight.

        Raises:
            RunError: one of them failed.
        """
        lines = [call_message(next(self._numbers), tool, arguments) for arguments in each]
        start = perf_counter()
        self._send(b"".join(lines[:in_flight]))
        answers = []
        for line in lines[in_flight:]:
            answers.append(self._out.readline())
            self._send(line)
        answers += [self._out.readline() for _ in range(min(in_flight, len(lines)))]
        took = perf_counter() - start
        for answer in answers:
            self._check(answer)
        return took

    def close(self) -> None:
        """End the process, gently at first."""
        self._in.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    def _send(self, line: bytes) -> None:
        self._in.write(line)
        self._in.flush()

    def _line(self) -> bytes:
        line = self._out.readline()
        if not line:
            raise RunError("ended before it answered", where=self._name)
        return line

    def _check(self, answer: bytes) -> None:
        if not answer or b'"isError":true' in answer or b'"error":{' in answer:
            said = answer.decode(errors="replace").strip() or "the process ended"
            raise RunError(f"a call failed: {said[:200]}", where=self._name)
