"""Traces: timed requests, as JSON Lines with a schema line in front."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from math import isfinite
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tiergate.arrivals import poisson
from tiergate.errors import RunError
from tiergate.hooks import WorkloadDeclaration
from tiergate.model import Session
from tiergate.operation import Request

TRACE_SCHEMA: Final[Literal["tiergate.trace/1"]] = "tiergate.trace/1"


TOOLS: Final = "tools"
"""The workload of a trace whose operations are tools of a target that defines them itself."""


class TraceHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: where the requests came from.

    Attributes:
        tasks: of the generated sessions, which the workload makes again from this number and the seed; not
            set where the sessions are somebody's own.
    """

    schema: Literal["tiergate.trace/1"] = TRACE_SCHEMA
    workload: str
    seed: int
    requests: int
    tasks: int | UnsetType = UNSET


class TraceLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request: seconds from the start, operation, session, arguments, key of a write."""

    at: float
    op: str
    session: str | None = None
    args: dict[str, Any] = {}
    key: str | None = None


class Trace(msgspec.Struct, frozen=True):
    """Requests with ids from 0 on, and their intended starts in seconds, ascending.

    The starts of a generated trace are those of a nominal rate; a run stretches them to the rate that it
    offers. Those of a recorded one are as they were.
    """

    head: TraceHead
    requests: Sequence[Request]
    starts: Sequence[float]

    @property
    def duration_s(self) -> float:
        """From the first intended start to the last."""
        return self.starts[-1] - self.starts[0] if self.starts else 0.0

    @property
    def rate_rps(self) -> float | None:
        """Its own mean rate in requests a second; None where all start at one moment."""
        duration = self.duration_s
        return (len(self.starts) - 1) / duration if duration else None

    def encode(self) -> bytes:
        """The trace as JSON Lines."""
        encoder = msgspec.json.Encoder()
        lines: list[TraceHead | TraceLine] = [self.head]
        lines += [
            TraceLine(round(at, 6), request.operation, request.session, request.arguments, request.key)
            for at, request in zip(self.starts, self.requests, strict=True)
        ]
        return b"".join(encoder.encode(line) + b"\n" for line in lines)

    @property
    def sha256(self) -> str:
        """The hash of the encoded trace: equal hashes, equal requests at equal times."""
        return sha256(self.encode()).hexdigest()


def make_trace(
    workload: str,
    seed: int,
    requests: Sequence[Request],
    starts: Sequence[float],
    tasks: int | None = None,
) -> Trace:
    """A trace of requests that are numbered anew, from 0; `tasks` as in `TraceHead`, None for not set."""
    numbered = [msgspec.structs.replace(request, id=number) for number, request in enumerate(requests)]
    head = TraceHead(
        workload=workload, seed=seed, requests=len(numbered), tasks=UNSET if tasks is None else tasks
    )
    return Trace(head, numbered, [round(start, 6) for start in starts])


def generate(
    workload: WorkloadDeclaration,
    seed: int,
    sessions: Sequence[Session],
    count: int,
    tasks: int | None = None,
) -> Trace:
    """A trace of `count` requests of a workload, at the workload's own arrivals.

    Args:
        tasks: what the workload was asked for when it made the sessions; None where it did not make them.

    Raises:
        RunError: the arrivals of the workload are not that many, or no ascending times.
    """
    requests = workload.requests(seed, sessions, count)
    starts = (workload.arrivals or poisson)(seed, len(requests))
    if len(starts) != len(requests):
        raise RunError(
            f"its arrivals are {len(starts)} times for {len(requests)} requests",
            where=f"workload {workload.name!r}",
            hint="report it to the plugin's author",
        )
    if not all(map(isfinite, starts)) or any(later < earlier for earlier, later in pairwise([0.0, *starts])):
        raise RunError(
            "its arrivals are no finite times that ascend from 0",
            where=f"workload {workload.name!r}",
            hint="report it to the plugin's author",
        )
    return make_trace(workload.name, seed, requests, starts, tasks)


def without(trace: Trace, refused: frozenset[int]) -> Trace:
    """The trace without the requests of these ids, numbered anew."""
    kept = [index for index, request in enumerate(trace.requests) if request.id not in refused]
    requests = [
        msgspec.structs.replace(trace.requests[index], id=number) for number, index in enumerate(kept)
    ]
    head = msgspec.structs.replace(trace.head, requests=len(kept))
    return Trace(head, requests, [trace.starts[index] for index in kept])
