"""What goes over the socket between parent and worker.

A frame is a length of four bytes, one byte that says what it is, and a body of msgpack. Requests and answers
travel several to a frame: an array whose elements were encoded one by one, each at its moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct as Packing
from typing import Any

import msgspec

from tiergate.operation import Failure, Request
from tiergate.profiler import ProfileSpec

MAX_FRAME = 256 * 1024 * 1024
"""Bytes. A longer frame means that the stream is out of step."""

OPEN, READY, REQUESTS, ANSWERS, DROP, BEAT, RETIRE = range(7)
"""What a frame is. To the worker: how to open, requests, ids of requests to drop. From it: that it is ready,
answers, that it lives, and that it should be replaced."""

_HEAD = Packing(">IB")
# An array of msgpack whose length has four bytes.
_ARRAY_HEAD = Packing(">IBBI")
_ARRAY32 = 0xDD
_ARRAY_HEAD_EXTRA = 5

_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode

UNDECODABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding raises for bytes that are no message, or one nested too deeply."""

UNENCODABLE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What encoding raises for values that msgpack cannot carry."""


class Open(msgspec.Struct, frozen=True):
    """First frame to a worker: what it is, and what it serves; see `PoolSpec` and `TierSpec`."""

    worker: str
    nice: int
    store: str
    store_plugins: Sequence[str]
    operation_plugins: Sequence[str]
    heartbeat_s: float
    memory_limit_bytes: int | None
    resident_tasks: int
    profiling: ProfileSpec | None = None


class Ready(msgspec.Struct, frozen=True):
    """First frame of a worker.

    Attributes:
        problem: empty when it can take requests.
        writing: operations that change the store.
        knows_keys: whether a write with a key may be sent again.
    """

    problem: str = ""
    writing: Sequence[str] = ()
    knows_keys: bool = False


class WireRequest(Request, frozen=True, array_like=True, gc=False):
    """A request with the number that the parent gave it for its `id`."""


class WireAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An answer to the request of that number."""

    id: int
    result: Any
    failure: Failure | None
    service_ns: int
    store_ns: int = 0


decode_requests = msgspec.msgpack.Decoder(list[WireRequest]).decode
decode_answers = msgspec.msgpack.Decoder(list[WireAnswer]).decode
decode_ids = msgspec.msgpack.Decoder(list[int]).decode
decode_text = msgspec.msgpack.Decoder(str).decode
decode_ready = msgspec.msgpack.Decoder(Ready).decode
decode_open = msgspec.msgpack.Decoder(Open).decode


class BrokenStream(Exception):
    """The peer closed the socket inside a frame, or sent what is no frame."""


def frame(kind: int, message: Any) -> bytes:
    """One message as it goes over the socket."""
    body = encode(message)
    return _HEAD.pack(len(body), kind) + body


def frame_of(kind: int, bodies: list[bytes]) -> bytes:
    """Messages that are encoded already, as one frame that holds an array of them."""
    joined = b"".join(bodies)
    return _ARRAY_HEAD.pack(len(joined) + _ARRAY_HEAD_EXTRA, kind, _ARRAY32, len(bodies)) + joined


def check_size(body: bytes) -> bytes:
    """A body again.

    Raises:
        ValueError: it is too long for a frame.
    """
    if len(body) > MAX_FRAME - _ARRAY_HEAD_EXTRA:
        raise ValueError(f"{len(body)} bytes are more than the {MAX_FRAME} of a frame")
    return body


class FrameCutter:
    """Cuts a stream that arrives in pieces into frames."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self._needed = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Kind and body of all frames that are complete now.

        Raises:
            BrokenStream: a length is out of range.
        """
        if self._parts:
            self._parts.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return []
            data = b"".join(self._parts)
            self._parts.clear()
        frames = []
        at, end, needed = 0, len(data), _HEAD.size
        while end - at >= _HEAD.size:
            length, kind = _HEAD.unpack_from(data, at)
            if length > MAX_FRAME or kind > RETIRE:
                raise BrokenStream(f"frame of {length} bytes and kind {kind}")
            body = at + _HEAD.size
            if body + length > end:
                needed = _HEAD.size + length
                break
            frames.append((kind, data[body : body + length]))
            at = body + length
        if at < end:
            self._parts.append(data[at:])
            self._held, self._needed = end - at, needed
        return frames

    @property
    def is_between(self) -> bool:
        """Whether nothing of a next frame has come yet."""
        return not self._parts
