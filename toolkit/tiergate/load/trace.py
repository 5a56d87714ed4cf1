"""Traces: timed requests, as JSON Lines with a schema line in front."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Literal

import msgspec

from tiergate.operation import Request


class TraceHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: where the requests came from."""

    schema: Literal["tiergate.trace/1"] = "tiergate.trace/1"
    workload: str
    seed: int
    requests: int


class TraceLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request: seconds from the start, operation, session, arguments."""

    at: float
    op: str
    session: str | None = None
    args: dict[str, Any] = {}


class Trace(msgspec.Struct, frozen=True):
    """Requests with ids from 0 on, and their intended starts in seconds, ascending.

    The starts are those of a nominal rate; a run stretches them to the rate that it offers.
    """

    head: TraceHead
    requests: Sequence[Request]
    starts: Sequence[float]

    @property
    def duration_s(self) -> float:
        """From the first intended start to the last, at the nominal rate."""
        return self.starts[-1] - self.starts[0] if self.starts else 0.0

    def encode(self) -> bytes:
        """The trace as JSON Lines."""
        encoder = msgspec.json.Encoder()
        lines: list[TraceHead | TraceLine] = [self.head]
        lines += [
            TraceLine(round(at, 6), request.operation, request.session, request.arguments)
            for at, request in zip(self.starts, self.requests, strict=True)
        ]
        return b"".join(encoder.encode(line) + b"\n" for line in lines)

    @property
    def sha256(self) -> str:
        """The hash of the encoded trace: equal hashes, equal requests at equal times."""
        return sha256(self.encode()).hexdigest()


def make_trace(workload: str, seed: int, requests: Sequence[Request], starts: Sequence[float]) -> Trace:
    """A trace of requests that are numbered anew, from 0."""
    numbered = [msgspec.structs.replace(request, id=number) for number, request in enumerate(requests)]
    head = TraceHead(workload=workload, seed=seed, requests=len(numbered))
    return Trace(head, numbered, [round(start, 6) for start in starts])


def without(trace: Trace, refused: frozenset[int]) -> Trace:
    """The trace without the requests of these ids, numbered anew."""
    kept = [index for index, request in enumerate(trace.requests) if request.id not in refused]
    return make_trace(
        trace.head.workload,
        trace.head.seed,
        [trace.requests[index] for index in kept],
        [trace.starts[index] for index in kept],
    )
