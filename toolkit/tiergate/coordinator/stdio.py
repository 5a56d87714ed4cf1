"""The protocol over standard input and output, without threads.

The SDK's transport reads and writes through worker threads: each message waits for two of them, and a signal
cannot end the server while one blocks in a read. It also says nothing to a message that is no JSON.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
import mcp_types as types
import msgspec
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from tiergate.coordinator.lines import LineReader, TooLong, Writer

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Longer messages are refused, as over HTTP."""

_POLL_S = 0.005

Received = MemoryObjectReceiveStream[SessionMessage | Exception]
Sent = MemoryObjectSendStream[SessionMessage]


@contextmanager
def claimed() -> Iterator[tuple[int, int]]:
    """Descriptors of the protocol's input and output, which nothing else in the process can reach.

    Standard input then gives nothing, and what is printed goes to standard error, until both come back.
    """
    sys.stdout.flush()
    reads, writes = (fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3) for descriptor in (0, 1))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    try:
        yield reads, writes
    finally:
        for descriptor, standard in ((reads, 0), (writes, 1)):
            with suppress(OSError):
                os.set_blocking(descriptor, True)
            os.dup2(descriptor, standard)
            os.close(descriptor)


class Unanswered:
    """The requests of one client that have no answer yet."""

    def __init__(self) -> None:
        self._ids: set[types.RequestId] = set()

    def came(self, message: types.JSONRPCMessage) -> None:
        """Note a request; one that its client cancels gets no answer."""
        if isinstance(message, types.JSONRPCRequest):
            self._ids.add(message.id)
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            cancelled = (message.params or {}).get("requestId")
            if isinstance(cancelled, str | int):
                self._ids.discard(cancelled)

    def went(self, message: types.JSONRPCMessage) -> None:
        """Note an answer."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
            self._ids.discard(message.id)

    async def settled(self, reader: LineReader, writer: Writer, limit_s: float) -> None:
        """Return once all are answered, nobody could read an answer, or it took too long."""
        give_up = asyncio.get_running_loop().time() + limit_s
        while self._ids and not reader.was_ended and not writer.is_broken():
            if asyncio.get_running_loop().time() > give_up:
                return
            await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def stdio_streams(
    reader: LineReader, writer: Writer, drain_s: float
) -> AsyncIterator[tuple[Received, Sent]]:
    """The streams that `mcp.server.lowlevel.Server.run` takes; they end with the lines.

    Args:
        drain_s: how long requests may still take once the client has said all, as ``printf ... |`` does.
    """
    unanswered = Unanswered()
    incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, outgoing = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        async with incoming:
            with suppress(EOFError, anyio.BrokenResourceError):
                while True:
                    try:
                        line = await reader.next()
                        message = _message(line)
                    except ValueError as error:
                        await writer.write(_refusal(error, b"" if isinstance(error, TooLong) else line))
                    else:
                        unanswered.came(message)
                        await incoming.send(SessionMessage(message))
            await unanswered.settled(reader, writer, drain_s)

    async def write() -> None:
        async with outgoing:
            async for one in outgoing:
                await writer.write(_encoded(one))
                unanswered.went(one.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, read, tasks.cancel_scope)
        tasks.start_soon(_until_gone, write, tasks.cancel_scope)
        yield received, sent
        tasks.cancel_scope.cancel()


def _message(line: bytes) -> types.JSONRPCMessage:
    """The message of a line.

    Raises:
        ValueError: it is none. An id that is no id would pass for a notification.
    """
    message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    if (
        isinstance(message, types.JSONRPCNotification)
        and b'"id"' in line
        and "id" in msgspec.json.decode(line)
    ):
        raise ValueError("the id is neither a text nor a number")
    return message


async def _until_gone(run: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    """Run one direction; where the client has gone away, end both."""
    try:
        await run()
    except (BrokenPipeError, ConnectionError):
        scope.cancel()


def _encoded(one: SessionMessage) -> bytes:
    return one.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


def _refusal(error: ValueError, line: bytes) -> bytes:
    """What a client is told of a message that is none: no JSON, or no message of the protocol."""
    code, what = types.PARSE_ERROR, str(error) if isinstance(error, TooLong) else "the message is no JSON"
    asked: object = None
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if line:
            found = msgspec.json.decode(line)
            code, what = types.INVALID_REQUEST, "the message is no JSON-RPC request, response or notification"
            asked = found.get("id") if isinstance(found, dict) else None
    # Who can be told which call it was need not wait for an answer to it.
    id = asked if isinstance(asked, str) or type(asked) is int else None  # noqa: A001 (its name in JSON-RPC)
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": what}}) + b"\n"
