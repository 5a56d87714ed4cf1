"""What a browser gets of a server that asks for a token, before it has one."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

pytest.importorskip("starlette", reason="serving needs tiergate[serve]")

from tiergate.coordinator.guard import Guard
from tiergate.coordinator.limits import HttpLimits

TOKEN = "a-token-of-some-length"


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status(path: str, method: str = "GET", *, token: str = "", body: bytes = b"") -> int:
    sent: list[MutableMapping[str, Any]] = []
    headers = [
        (b"host", b"127.0.0.1:8765"),
        *([(b"authorization", f"Bearer {token}".encode())] if token else []),
    ]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    guard = Guard(app, HttpLimits(), ["127.0.0.1"], TOKEN)
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
    asyncio.run(guard(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("path", ["/", "/live.css", "/live.js"])
def test_the_page_that_asks_for_the_token_needs_none(path: str) -> None:
    assert status(path) == 200


@pytest.mark.parametrize("path", ["/events", "/status.json", "/metrics", "/mcp", "/live.css/", "//"])
def test_everything_that_it_shows_needs_the_token(path: str) -> None:
    assert status(path) == 401
    assert status(path, token=TOKEN[:-1]) == 401
    assert status(path, token=TOKEN) == 200


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready"])
def test_what_needs_no_token_takes_no_body(path: str) -> None:
    assert status(path, "POST", body=b"x") == 401
    assert status(path, "GET", body=b"x") == 413
    assert status(path, "PUT", body=b"x") == 401
