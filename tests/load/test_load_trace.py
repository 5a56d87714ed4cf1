"""Traces: numbered, reproducible, with the arrivals of their workload."""

from __future__ import annotations

import json
from hashlib import sha256
from math import inf

import pytest

from tiergate.arrivals import poisson
from tiergate.errors import RunError
from tiergate.hooks import WorkloadDeclaration
from tiergate.load.trace import generate, make_trace, without
from tiergate.model import Session
from tiergate.operation import Request

REQUESTS = [
    Request(7, "task_get", "a", {"task": "t1"}),
    Request(7, "tasks_query", None, {}),
    Request(9, "task_get", "b", {"task": "t2"}),
]


def test_a_trace_numbers_its_requests_anew() -> None:
    trace = make_trace("agents", 3, REQUESTS, [0.1, 0.2, 0.5])
    assert [request.id for request in trace.requests] == [0, 1, 2]
    assert trace.head.requests == 3
    assert trace.duration_s == 0.4


def test_an_empty_trace_takes_no_time() -> None:
    assert make_trace("agents", 3, [], []).duration_s == 0.0


def test_the_encoded_trace_is_json_lines_below_a_schema_line() -> None:
    trace = make_trace("agents", 3, REQUESTS, [0.1, 0.2, 0.5])
    head, *lines = map(json.loads, trace.encode().splitlines())
    assert head == {"schema": "tiergate.trace/1", "workload": "agents", "seed": 3, "requests": 3}
    assert lines[0] == {"at": 0.1, "op": "task_get", "session": "a", "args": {"task": "t1"}}
    assert lines[1] == {"at": 0.2, "op": "tasks_query"}
    assert trace.sha256 == sha256(trace.encode()).hexdigest()


def test_any_difference_of_a_request_or_a_time_changes_the_hash() -> None:
    starts = [0.1, 0.2, 0.5]
    trace = make_trace("agents", 3, REQUESTS, starts)
    assert trace.sha256 == make_trace("agents", 3, REQUESTS, starts).sha256
    others = [
        make_trace("agents", 4, REQUESTS, starts),
        make_trace("agents", 3, REQUESTS, [0.1, 0.2, 0.500001]),
        make_trace("agents", 3, [*REQUESTS[:2], Request(9, "task_get", "b", {"task": "t3"})], starts),
        make_trace("agents", 3, [REQUESTS[1], REQUESTS[0], REQUESTS[2]], starts),
    ]
    assert len({trace.sha256, *(other.sha256 for other in others)}) == 5


def test_leaving_out_a_request_keeps_the_times_of_the_others() -> None:
    trace = without(make_trace("agents", 3, REQUESTS, [0.1, 0.2, 0.5]), frozenset({1}))
    assert [(request.id, request.session) for request in trace.requests] == [(0, "a"), (1, "b")]
    assert trace.starts == [0.1, 0.5]
    assert trace.head.requests == 2


def test_what_is_left_of_a_trace_keeps_where_it_came_from() -> None:
    trace = without(make_trace("agents", 3, REQUESTS, [0.1, 0.2, 0.5], tasks=40), frozenset({0}))
    assert (trace.head.workload, trace.head.seed, trace.head.tasks) == ("agents", 3, 40)


def test_a_trace_knows_its_own_rate() -> None:
    assert make_trace("agents", 3, REQUESTS, [0.1, 0.2, 0.5]).rate_rps == pytest.approx(5.0)
    assert make_trace("agents", 3, REQUESTS, [0.1, 0.1, 0.1]).rate_rps is None
    assert make_trace("agents", 3, [], []).rate_rps is None


def workload(arrivals: list[float] | None) -> WorkloadDeclaration:
    return WorkloadDeclaration(
        name="made",
        summary="three requests",
        sessions=lambda seed, tasks: [Session(id="a")],
        requests=lambda seed, sessions, count: REQUESTS[:count],
        arrivals=None if arrivals is None else lambda seed, count: arrivals,
    )


def test_requests_arrive_as_their_workload_says_or_else_by_poisson() -> None:
    assert generate(workload([0.0, 0.5, 0.5]), 3, [], 3).starts == [0.0, 0.5, 0.5]
    assert generate(workload(None), 3, [], 3).starts == [round(start, 6) for start in poisson(3, 3)]


@pytest.mark.parametrize(
    ("arrivals", "says"),
    [
        ([0.1, 0.2], "its arrivals are 2 times for 3 requests"),
        ([0.1, 0.3, 0.2], "its arrivals are no finite times that ascend from 0"),
        ([-0.1, 0.3, 0.4], "its arrivals are no finite times that ascend from 0"),
        ([0.1, 0.3, inf], "its arrivals are no finite times that ascend from 0"),
    ],
)
def test_arrivals_that_are_none_are_blamed_on_the_workload(arrivals: list[float], says: str) -> None:
    with pytest.raises(RunError) as caught:
        generate(workload(arrivals), 3, [], 3)
    assert str(caught.value) == f"workload 'made': {says} (report it to the plugin's author)"
