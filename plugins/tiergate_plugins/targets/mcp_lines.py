"""The Model Context Protocol as the language of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from tiergate.errors import RunError
from tiergate.operation import Request
from tiergate.target import Tool
from tiergate_plugins.targets.language import Answer, Language
from tiergate_plugins.targets.mcp_greeting import Line, Refused, greet
from tiergate_plugins.targets.mcp_messages import (
    MODERN,
    Agreed,
    Message,
    answer_to_server,
    cancelled,
    message,
    notification,
    read_answer,
    read_message,
)

_WHERE = "target mcp-stdio"


class McpLines(Language, Line):
    """One JSON-RPC message a line. Calls have numbers as ids, and what comes before them has texts.

    Attributes:
        tools: what the server listed, once it was greeted.
    """

    def __init__(self) -> None:
        self.tools: Sequence[Tool] = ()
        self._agreed = Agreed()
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._given_up: set[str] = set()
        self._numbers = count(1)
        self._write: Callable[[bytes], None] = _nowhere

    def request(self, request: Request) -> bytes:
        """A call of the tool that the request asks for."""
        return self._agreed.call(request)[2] + b"\n"

    def cancel(self, request: int) -> bytes:
        """The notification of it."""
        return cancelled(request) + b"\n"

    def read(self, line: bytes) -> Answer | bytes:
        """An answer to a call; what the server asks itself is answered, and what it tells is passed over."""
        found = read_message(line)
        if found.method is not None:
            return b"" if found.id is None else answer_to_server(found) + b"\n"
        if isinstance(found.id, str):
            waiting = self._waiting.pop(found.id, None)
            if waiting is not None:
                if not waiting.done():
                    waiting.set_result(found)
                return b""
            if found.id in self._given_up:
                return b""
        return read_answer(found)

    def lost(self, why: str) -> None:
        """End every wait."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(RunError(why, where=_WHERE))
        self._waiting.clear()

    async def greet(self, write: Callable[[bytes], None]) -> None:
        """Agree on a version of the protocol, and list the tools.

        Raises:
            RunError: the server ended, or does not speak a version that is known here.
        """
        self._write = write
        self._agreed, self.tools = await greet(self, _WHERE)

    async def ask(
        self, method: str, params: dict[str, Any], *, version: str | None, timeout_s: float
    ) -> bytes:
        """Write a request, and wait for its answer; see `Line`."""
        name = f"{method}-{next(self._numbers)}"
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[name] = waiting
        self._write(message(name, method, params, modern=version == MODERN) + b"\n")
        try:
            found = await asyncio.wait_for(waiting, timeout_s)
        except TimeoutError:
            self._waiting.pop(name, None)
            self._given_up.add(name)
            raise
        if found.error is not None:
            raise Refused(found.error)
        if not found.has_result:
            raise RunError(f"no result of {method}", where=_WHERE)
        return bytes(found.result)

    async def tell(self, method: str, version: str) -> None:  # noqa: ARG002 (a line carries none)
        """Write a notification."""
        self._write(notification(method) + b"\n")


def _nowhere(_line: bytes) -> None:
    """Nothing is written before the greeting."""
