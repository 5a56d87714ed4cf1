"""Traces and arrivals: numbered, reproducible, and as random as they should be."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import pairwise
from statistics import fmean, pvariance

from hypothesis import given
from hypothesis import strategies as st

from tiergate.load.arrivals import poisson
from tiergate.load.trace import make_trace, without
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


def test_poisson_arrivals_have_the_mean_and_the_variance_of_their_rate() -> None:
    starts = poisson(11, 200_000, 50.0)
    gaps = [later - earlier for earlier, later in zip([0.0, *starts], starts, strict=False)]
    assert abs(fmean(gaps) * 50 - 1) < 0.01
    assert abs(pvariance(gaps) * 50**2 - 1) < 0.03
    # Memoryless: the share of gaps beyond the mean is 1/e, and neighbours know nothing of each other.
    assert abs(sum(gap > 1 / 50 for gap in gaps) / len(gaps) - 0.3679) < 0.005
    product = fmean(one * other for one, other in pairwise(gaps))
    assert abs(product * 50**2 - 1) < 0.02


@given(st.integers(0, 2**48), st.integers(0, 200))
def test_arrivals_ascend_and_depend_on_the_seed_alone(seed: int, count: int) -> None:
    starts = poisson(seed, count)
    assert len(starts) == count
    assert starts == sorted(starts)
    assert starts == poisson(seed, count)
    assert not count or starts != poisson(seed + 1, count)
