"""Frames: however a stream is cut, the same messages come out of it."""

from __future__ import annotations

from io import BytesIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.operation import Failure, Reply, Request
from tiergate_plugins.pools import frames
from tiergate_plugins.pools.frames import MAX_FRAME, BrokenStream, FrameBuffer, Ready, frame, read_frame
from tiergate_plugins.pools.worker import _encode


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@given(st.lists(st.binary(max_size=400), max_size=12), st.data())
def test_any_split_of_any_frames_gives_the_same_bodies(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(framed, bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    buffer = FrameBuffer()
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [body for piece in pieces for body in buffer.feed(piece)] == bodies


@given(st.lists(st.binary(max_size=50), max_size=5), st.binary(max_size=50))
def test_the_worker_reads_what_the_parent_cuts(bodies: list[bytes], last: bytes) -> None:
    stream = BytesIO(b"".join(map(framed, bodies)) + framed(last)[:-1])
    assert [read_frame(stream) for _ in bodies] == bodies
    with pytest.raises(BrokenStream):
        read_frame(stream)


def test_a_stream_that_ends_between_frames_is_at_its_end() -> None:
    stream = BytesIO(framed(b"one"))
    assert read_frame(stream) == b"one"
    assert read_frame(stream) is None


def test_a_length_out_of_range_is_refused() -> None:
    head = (MAX_FRAME + 1).to_bytes(4, "big")
    with pytest.raises(BrokenStream, match=str(MAX_FRAME + 1)):
        list(FrameBuffer().feed(framed(b"") + head))
    with pytest.raises(BrokenStream, match=str(MAX_FRAME + 1)):
        read_frame(BytesIO(head))


@pytest.mark.parametrize(
    "message",
    [
        Ready(),
        Ready("no"),
        Request(3, "search", None, {"text": "é", "list": [1, None, 2.5]}),
        Reply(3, {"a": [1]}, None, 12, "hot-1"),
        Reply(4, None, Failure("OperationError", "refused"), 12, "hot-1"),
    ],
)
def test_messages_survive_the_way(message: Ready | Request | Reply) -> None:
    (body,) = FrameBuffer().feed(frame(message))
    assert msgspec.msgpack.decode(body, type=type(message)) == message


def test_a_result_too_long_for_a_frame_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME", 200)
    (body,) = FrameBuffer().feed(_encode(Reply(5, "x" * 201, None, 7, "hot-1")))
    reply = msgspec.msgpack.decode(body, type=Reply)
    assert reply.failure is not None
    assert reply.failure.kind == "ResultNotEncodable"
    assert "more than the 200 of a frame" in reply.failure.message
    assert (reply.id, reply.result, reply.service_ns, reply.worker) == (5, None, 7, "hot-1")
