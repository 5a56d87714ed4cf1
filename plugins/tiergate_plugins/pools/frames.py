"""Frames on the socket between parent and worker: a length of four bytes, then msgpack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, TypeVar

import msgspec

from tiergate.operation import Reply, Request

MAX_FRAME = 256 * 1024 * 1024
"""Bytes. A longer frame means that the stream is out of step."""

_encoder = msgspec.msgpack.Encoder()
_Message = TypeVar("_Message")


class Open(msgspec.Struct, frozen=True, tag=True):
    """First frame to a worker: what it is, and what it serves."""

    worker: str
    nice: int
    store: str
    store_plugins: Sequence[str]
    operation_plugins: Sequence[str]


class Ready(msgspec.Struct, frozen=True):
    """First frame of a worker: empty `problem` when it can take requests."""

    problem: str = ""


class BrokenStream(Exception):
    """The peer closed the socket inside a frame, or sent what is no frame."""


def frame(message: Open | Ready | Request | Reply) -> bytes:
    """A message as it goes over the socket.

    Raises:
        TypeError, ValueError, OverflowError, RecursionError: it cannot be encoded, or is too long.
    """
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise ValueError(f"{len(body)} bytes are more than the {MAX_FRAME} of a frame")
    return len(body).to_bytes(4, "big") + body


def read_frame(stream: BinaryIO) -> bytes | None:
    """The body of the next frame; None when the peer closed the socket between frames.

    Raises:
        BrokenStream: it closed inside one, or the length is out of range.
    """
    head = stream.read(4)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > MAX_FRAME:
        raise BrokenStream(f"frame of {length} bytes")
    body = stream.read(length)
    if len(body) < length:
        raise BrokenStream(f"{len(body)} of {length} bytes")
    return body


class FrameBuffer:
    """Cuts a stream that arrives in pieces into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies of all frames that are complete now.

        Raises:
            BrokenStream: a length is out of range.
        """
        self._bytes += data
        while len(self._bytes) >= 4:
            length = int.from_bytes(self._bytes[:4], "big")
            if length > MAX_FRAME:
                raise BrokenStream(f"frame of {length} bytes")
            if len(self._bytes) < 4 + length:
                return
            body = bytes(self._bytes[4 : 4 + length])
            del self._bytes[: 4 + length]
            yield body
