"""What sessions and requests say of themselves: counted, nothing is run."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tiergate.advice_record import AdviceMetric
from tiergate.hooks import OperationDeclaration
from tiergate.load.trace import Trace
from tiergate.model import Session
from tiergate.operation import Request, Scope

CONCURRENT_S = 60.0
"""Sessions with a request in so many seconds count as concurrent."""

GENERATED = "the requests are a workload's, not yours; record your own with `tiergate trace record`"


def count_sessions(sessions: Sequence[Session]) -> Iterator[AdviceMetric]:
    """How much there is."""
    sizes = sorted(len(session.tasks) for session in sessions)
    yield counted("sessions", "the number of sessions", len(sessions))
    yield counted("tasks", "the number of tasks", sum(sizes), "tasks")
    yield counted("tasks_per_session.max", "the largest session", max(sizes, default=0), "tasks")
    encode = msgspec.json.Encoder().encode
    size = sum(len(encode(session)) for session in sessions)
    yield counted("bytes", "the size of all sessions as JSON", size, "bytes")


def count_requests(
    trace: Trace, operations: Mapping[str, OperationDeclaration], *, is_recorded: bool
) -> Iterator[AdviceMetric]:
    """What the requests are like; `is_recorded` where their times are somebody's own."""
    requests = trace.requests
    across = sum(_scope(request, operations) is Scope.STORE for request in requests)
    yield counted(
        "requests.cross_session", "the share of requests across sessions", across / len(requests), "share"
    )
    yield counted(
        "requests.repeated",
        "the share of requests that repeat a read with nothing written between",
        _repeated(requests, operations) / len(requests),
        "share",
    )
    if is_recorded:
        yield counted(
            "sessions.concurrent", "the most sessions with a request in one minute", _concurrent(trace)
        )
    else:
        yield AdviceMetric(
            name="sessions.concurrent", title="the most sessions with a request in one minute", note=GENERATED
        )


def counted(name: str, title: str, value: float, unit: str = "") -> AdviceMetric:
    """A metric that was counted: it has no interval but itself."""
    return AdviceMetric(
        name=name, title=title, value=value, interval=(value, value), unit=unit, source="counted"
    )


def _scope(request: Request, operations: Mapping[str, OperationDeclaration]) -> Scope:
    operation = operations[request.operation]
    return operation.scope(msgspec.convert(request.arguments, operation.arguments))


def _repeated(requests: Sequence[Request], operations: Mapping[str, OperationDeclaration]) -> int:
    """Reads whose answer a cache in front of the store could have kept: the same, and nothing was written."""
    encode = msgspec.json.Encoder(order="sorted").encode
    seen: dict[bytes, tuple[int, int]] = {}
    writes: Counter[str] = Counter()
    repeated = 0
    for request in requests:
        session = request.session or ""
        if operations[request.operation].writes:
            writes[session] += 1
            continue
        is_of_store = _scope(request, operations) is Scope.STORE
        state = (writes.total(), 0) if is_of_store else (-1, writes[session])
        key = encode((request.operation, session, request.arguments))
        repeated += seen.get(key) == state
        seen[key] = state
    return repeated


def _concurrent(trace: Trace) -> int:
    window: deque[tuple[float, str]] = deque()
    live: Counter[str] = Counter()
    most = 0
    for start, request in zip(trace.starts, trace.requests, strict=True):
        if request.session is None:
            continue
        window.append((start, request.session))
        live[request.session] += 1
        while window[0][0] <= start - CONCURRENT_S:
            _, gone = window.popleft()
            live[gone] -= 1
            if not live[gone]:
                del live[gone]
        most = max(most, len(live))
    return most
