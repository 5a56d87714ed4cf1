"""How a server is greeted that is slow to start."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tiergate.errors import RunError
from tiergate_plugins.targets.mcp_greeting import UNSUPPORTED_VERSION, Line, Refused, greet
from tiergate_plugins.targets.mcp_messages import MODERN, RpcError


class SlowServer(Line):
    """Answers the first question too late, and then takes no handshake."""

    def __init__(self, *, speaks: list[str]) -> None:
        self.asked: list[str] = []
        self._speaks = str(speaks).replace("'", '"')

    async def ask(
        self, method: str, params: dict[str, Any], *, version: str | None, timeout_s: float
    ) -> bytes:
        self.asked.append(method)
        if method == "server/discover":
            if self.asked.count(method) == 1:
                raise TimeoutError
            return f'{{"supportedVersions":{self._speaks}}}'.encode()
        if method == "initialize":
            raise Refused(RpcError(code=UNSUPPORTED_VERSION, message="serving another version"))
        assert version == MODERN
        return b'{"tools":[]}'

    async def tell(self, method: str, version: str) -> None:
        raise AssertionError((method, version))


def test_a_server_that_answers_late_is_asked_once_more() -> None:
    server = SlowServer(speaks=[MODERN])
    agreed, _ = asyncio.run(greet(server, "here"))
    assert agreed.version == MODERN
    assert server.asked == ["server/discover", "initialize", "server/discover", "tools/list"]


def test_a_server_of_an_unknown_version_is_refused() -> None:
    with pytest.raises(RunError, match="serving another version"):
        asyncio.run(greet(SlowServer(speaks=["2099-01-01"]), "here"))
