"""Lines of a descriptor, and writing to one, in the loop itself: no thread stands between."""

from __future__ import annotations

import asyncio
import os
import select
import stat
from collections import deque

CHUNK = 256 * 1024
"""Bytes that are read at once."""

LINES_AHEAD = 64
"""Lines that wait to be taken before no more are read."""


class TooLong(ValueError):
    """A line is longer than it may be; it was passed over."""


class LineReader:
    """Reads lines from a descriptor as they come. Belongs to one loop.

    Args:
        descriptor: of a pipe, socket, terminal or file; it stays open.
        limit: bytes that a line may have; a longer one is passed over.

    Attributes:
        was_ended: whether `end` was called, which leaves nobody to wait for.
    """

    def __init__(self, descriptor: int, limit: int) -> None:
        self.was_ended = False
        self._descriptor = descriptor
        self._limit = limit
        self._lines: deque[bytes | TooLong] = deque()
        self._rest = bytearray()
        self._skips = False
        self._ended = False
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._listens = False
        self._resume()

    async def next(self) -> bytes:
        """The next line without its end; empty lines are left out.

        Raises:
            EOFError: there are no more.
            TooLong: it was longer than it may be.
        """
        while not self._lines:
            if self._ended:
                raise EOFError
            self._more.clear()
            self._resume()
            await self._more.wait()
        line = self._lines.popleft()
        if isinstance(line, TooLong):
            raise line
        return line

    def end(self) -> None:
        """Read no more, and let the lines end after those that wait."""
        self.stop()
        self.was_ended = self._ended = True
        self._more.set()

    def stop(self) -> None:
        """Let go of the descriptor."""
        if self._listens:
            self._loop.remove_reader(self._descriptor)
            self._listens = False

    def _resume(self) -> None:
        if self._listens or self._ended or len(self._lines) >= LINES_AHEAD:
            return
        try:
            self._loop.add_reader(self._descriptor, self._read)
        except PermissionError:
            # A file is always ready, which the system says by refusing to watch it.
            while not self._ended:
                self._read()
        else:
            self._listens = True

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # the other end is gone
            data = b""
        if data:
            self._feed(data)
            if len(self._lines) >= LINES_AHEAD:
                self.stop()
        else:
            self._ended = True
            self.stop()
            if self._rest.strip() and not self._skips:
                self._lines.append(bytes(self._rest))
        self._more.set()

    def _feed(self, data: bytes) -> None:
        first, *others = data.split(b"\n")
        self._rest += first
        for part in others:
            self._end_line()
            self._rest += part
        if len(self._rest) > self._limit and not self._skips:
            self._skips = True
            self._lines.append(TooLong(f"a message of more than {self._limit} bytes"))
        if self._skips:
            self._rest.clear()

    def _end_line(self) -> None:
        if len(self._rest) > self._limit and not self._skips:
            self._lines.append(TooLong(f"a message of more than {self._limit} bytes"))
        elif self._rest.strip() and not self._skips:
            self._lines.append(bytes(self._rest))
        self._skips = False
        self._rest.clear()


class Writer:
    """Writes to a descriptor without blocking the loop. Belongs to one loop, and to one task at a time.

    Args:
        descriptor: of a pipe, socket, terminal or file. A pipe or socket is left unable to block.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        mode = os.fstat(descriptor).st_mode
        # The flag is shared by whoever has the file; a terminal is shared with the shell.
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            os.set_blocking(descriptor, False)

    async def write(self, data: bytes) -> None:
        """Write it all.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                await self._writable()

    def is_broken(self) -> bool:
        """Whether nobody can read any more; a write would find out too, and would have to write."""
        look = select.poll()
        look.register(self._descriptor, 0)
        return any(found & (select.POLLERR | select.POLLHUP) for _, found in look.poll(0))

    async def _writable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_writer(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_writer(self._descriptor)
