"""What goes beside a call that is under way: progress for its client, and an end when that client is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import Any, TypeVar

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from tiergate.coordinator.guard import GONE

Context = ServerRequestContext[Any, Any]

PROGRESS_S = 1.0
"""How often a client that asks for progress hears of it."""

_Result = TypeVar("_Result")


async def watched(context: Context, name: str, call: Awaitable[_Result]) -> _Result:
    """Await a call; tell its progress where the client asks for it.

    Where the connection of an HTTP client is gone, the call is cancelled: nobody could take its answer.

    Raises:
        MCPError: the client is gone.
        Exception: what the call raised, as it is.
    """
    gone = context.request.scope.get(GONE) if context.request is not None else None
    wants_progress = context.meta is not None and context.meta.get("progress_token") is not None
    if gone is None and not wants_progress:
        return await call
    done: list[_Result] = []
    failed: Exception | None = None
    async with anyio.create_task_group() as tasks:
        if gone is not None:
            gone.callback = tasks.cancel_scope.cancel
        if wants_progress:
            tasks.start_soon(_tell_progress, context, name)
        try:
            done.append(await call)
        except Exception as error:
            # A group would wrap it, and its code and message would not reach the client.
            failed = error
        tasks.cancel_scope.cancel()
    if gone is not None:
        gone.callback = None
    if failed is not None:
        raise failed
    if not done:
        raise MCPError(types.INTERNAL_ERROR, "the client is gone")
    return done[0]


async def _tell_progress(context: Context, name: str) -> None:
    """How many seconds it has been running. How many it will be, nobody knows."""
    began = monotonic()
    while True:
        await asyncio.sleep(PROGRESS_S)
        elapsed = round(monotonic() - began, 1)
        await context.session.report_progress(elapsed, message=f"{name} has been running for {elapsed:g} s")
