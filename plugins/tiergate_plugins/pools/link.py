"""The parent's end of the socket to a worker: few system calls, whatever the number of requests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from tiergate_plugins.pools.frames import (
    REQUESTS,
    UNDECODABLE,
    BrokenStream,
    FrameCutter,
    frame_of,
)

READ_BYTES = 64 * 1024


class Link:
    """Reads frames as they come, and writes at most once per turn of the loop.

    It uses the socket itself, watched by the loop, instead of a transport: that is half of the cost.

    Args:
        connection: a connected socket; it is closed with the link.
        on_frame: called with kind and body of each frame; what it raises of `UNDECODABLE` breaks the stream.
        on_broken: called with what was wrong when the stream makes no sense.
        on_closed: called once when the peer has closed the socket and everything before that was read.
    """

    def __init__(
        self,
        connection: socket.socket,
        on_frame: Callable[[int, bytes], None],
        on_broken: Callable[[str], None],
        on_closed: Callable[[], None],
    ) -> None:
        connection.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._socket = connection
        self._descriptor = connection.fileno()
        self._on_frame = on_frame
        self._on_broken = on_broken
        self._on_closed = on_closed
        self._cutter = FrameCutter()
        self._requests: list[bytes] = []
        self._unsent = bytearray()
        self._is_open = True
        self._is_broken = False
        self._loop.add_reader(self._descriptor, self._read)

    def add_request(self, body: bytes, *, at_once: bool) -> None:
        """Send an encoded request, together with others of this turn of the loop unless it goes at once."""
        if at_once and not self._requests:
            self.write(frame_of(REQUESTS, [body]))
            return
        if not self._requests:
            self._loop.call_soon(self._flush)
        self._requests.append(body)

    def _flush(self) -> None:
        if self._requests:
            data = frame_of(REQUESTS, self._requests)
            self._requests.clear()
            self.write(data)

    def write(self, data: bytes) -> None:
        """Send a frame after all that was sent before; what does not fit into the socket follows later."""
        if not self._is_open:
            return
        if self._requests:
            self._flush()
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # the peer has gone; that is read as the end of the stream
        if sent < len(data):
            self._unsent += data[sent:]
            self._loop.add_writer(self._descriptor, self._write_more)

    def _write_more(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._descriptor)

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_closed()
            return
        if self._is_broken:
            return
        try:
            for kind, body in self._cutter.feed(data):
                self._on_frame(kind, body)
        except (BrokenStream, *UNDECODABLE) as error:
            self._is_broken = True
            self._on_broken(str(error))

    def close(self) -> None:
        """Close the socket; what was not sent is lost. Closing twice does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._socket.close()
