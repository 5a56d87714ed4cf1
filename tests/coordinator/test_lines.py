"""Lines of a pipe as they come, and when a client that has said all may be left."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import mcp_types as types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.coordinator.lines import LineReader, TooLong, Writer
from tiergate.coordinator.stdio import Unanswered

LIMIT = 8
LONG_S = 600.0
"""Longer than a test may wait: what returns has not waited for it."""


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test that has to end."""

    async def limited() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(limited())


def read_all(chunks: list[bytes]) -> list[bytes | None]:
    """The lines of what is written piece by piece; None for one that was too long."""
    found: list[bytes | None] = []

    async def go() -> None:
        reads, writes = os.pipe()
        reader = LineReader(reads, LIMIT)

        async def write() -> None:
            for chunk in chunks:
                os.write(writes, chunk)
                await asyncio.sleep(0)
            os.close(writes)

        writing = asyncio.create_task(write())
        with suppress(EOFError):
            while True:
                try:
                    found.append(await reader.next())
                except TooLong:
                    found.append(None)
        await writing
        reader.stop()
        os.close(reads)

    run(go)
    return found


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.binary(max_size=12).map(lambda part: part.replace(b"\n", b"x")), max_size=6), st.data())
def test_lines_do_not_depend_on_how_they_come(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    chunks = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    expected = [None if len(line) > LIMIT else line for line in lines if len(line) > LIMIT or line.strip()]
    assert read_all([chunk for chunk in chunks if chunk]) == expected


def request(number: int) -> types.JSONRPCMessage:
    return types.JSONRPCRequest(jsonrpc="2.0", id=number, method="tools/call")


def cancelled(number: int) -> types.JSONRPCMessage:
    params = {"requestId": number}
    return types.JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params=params)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe; a test may close the first."""
    reads, writes = os.pipe()
    yield reads, writes
    for descriptor in (reads, writes):
        with suppress(OSError):
            os.close(descriptor)


async def settles(
    unanswered: Unanswered, writes: int, limit_s: float = LONG_S, *, told: bool = False
) -> bool:
    """Whether it returns soon."""
    asked, closed = os.pipe()
    reader = LineReader(asked, LIMIT)
    if told:
        reader.end()
    try:
        async with asyncio.timeout(0.2):
            await unanswered.settled(reader, Writer(writes), limit_s)
    except TimeoutError:
        return False
    finally:
        reader.stop()
        os.close(asked)
        os.close(closed)
    return True


def test_what_is_not_answered_is_waited_for(pipe: tuple[int, int]) -> None:
    async def go() -> None:
        unanswered = Unanswered()
        assert await settles(unanswered, pipe[1])
        unanswered.came(request(1))
        unanswered.came(request(2))
        unanswered.went(types.JSONRPCResponse(jsonrpc="2.0", id=1, result={}))
        assert not await settles(unanswered, pipe[1])
        unanswered.went(types.JSONRPCError(jsonrpc="2.0", id=2, error=types.ErrorData(code=1, message="no")))
        assert await settles(unanswered, pipe[1])

    run(go)


def test_what_cannot_be_answered_is_not_waited_for(pipe: tuple[int, int]) -> None:
    async def go() -> None:
        unanswered = Unanswered()
        unanswered.came(request(1))
        unanswered.came(cancelled(1))
        assert await settles(unanswered, pipe[1])
        unanswered.came(request(2))
        assert await settles(unanswered, pipe[1], 0.0)
        assert await settles(unanswered, pipe[1], told=True)
        os.close(pipe[0])
        assert await settles(unanswered, pipe[1])

    run(go)
