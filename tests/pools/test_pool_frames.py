"""Frames survive any cut of the stream, and nonsense is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.operation import Failure, Request
from tiergate_plugins.pools import frames
from tiergate_plugins.pools.frames import (
    ANSWERS,
    BEAT,
    MAX_FRAME,
    REQUESTS,
    BrokenStream,
    FrameCutter,
    WireAnswer,
    WireRequest,
    check_size,
    decode_answers,
    decode_requests,
    encode,
    frame,
    frame_of,
)

BODIES = st.lists(st.integers() | st.text() | st.binary(max_size=300), max_size=6)


@given(
    BODIES.map(
        lambda values: [value for value in values if not isinstance(value, int) or abs(value) < 2**63]
    ),
    st.data(),
)
def test_any_cut_of_the_stream_gives_the_same_frames(values: list[object], data: st.DataObject) -> None:
    stream = b"".join(frame(ANSWERS, value) for value in values)
    cutter, found, at = FrameCutter(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        found += cutter.feed(stream[at : at + step])
        at += step
    assert found == [(ANSWERS, encode(value)) for value in values]
    assert cutter.feed(frame(BEAT, None)) == [(BEAT, encode(None))]


def test_requests_and_answers_travel_in_arrays_of_what_was_encoded_before() -> None:
    requests = [(1, "nap", None, {"a": [1, None]}, None), (2, "get", "s", {}, "k")]
    ((kind, body),) = FrameCutter().feed(frame_of(REQUESTS, [encode(one) for one in requests]))
    assert kind == REQUESTS
    decoded = decode_requests(body)
    assert decoded == [WireRequest(*one) for one in requests]
    assert all(isinstance(one, Request) for one in decoded)
    ((kind, body),) = FrameCutter().feed(
        frame_of(ANSWERS, [encode((7, {"x": 1}, Failure("E", "m"), 5))] * 300)
    )
    assert kind == ANSWERS
    assert len(decode_answers(body)) == 300
    assert decode_answers(body)[299] == WireAnswer(7, {"x": 1}, Failure("E", "m"), 5)


@pytest.mark.parametrize(
    "head", [(MAX_FRAME + 1).to_bytes(4, "big") + b"\x01", b"\0\0\0\1\x63"], ids=["length", "kind"]
)
def test_what_is_no_frame_is_named(head: bytes) -> None:
    with pytest.raises(BrokenStream, match=r"frame of \d+ bytes and kind \d+"):
        FrameCutter().feed(head + b"x")


def test_a_body_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME", 100)
    assert check_size(b"x" * 95) == b"x" * 95
    with pytest.raises(ValueError, match="96 bytes are more than the 100 of a frame"):
        check_size(b"x" * 96)
