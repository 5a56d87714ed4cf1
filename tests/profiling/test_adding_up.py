"""What samples are tied to, and what they add up to."""

from __future__ import annotations

from pathlib import Path

import pytest
from profile_desk import (
    CHOOSE,
    COSINE,
    LOOP,
    MAIN,
    RECV,
    SEARCH,
    SERVER,
    SERVICE,
    chunk,
    outcome,
    pair,
)

from tiergate.load.outcome import Fate
from tiergate.operation import Request
from tiergate.profiler import Frame
from tiergate.profiling import components, places
from tiergate.profiling.adding_up import components_of, hot_spots_of, processes_of, stacks_of, tail_of
from tiergate.profiling.components import component_of
from tiergate.profiling.overhead import operations, overhead
from tiergate.profiling.rounds import Handed, Pair
from tiergate.profiling.samples import all_samples, slow_requests
from tiergate.sampling.gathering import ServedRequest


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    places.short_place.cache_clear()
    monkeypatch.setattr("sys.path", ["/x", "/lib", "/"])


REQUESTS = [Request(id=number, operation="search", session=None, arguments={}) for number in range(20)]
FAST = [outcome(number, 1e-3 + number * 1e-6, 2e-3) for number in range(19)]
SLOW = outcome(19, 0.4, 0.5)


@pytest.fixture
def measured() -> Pair:
    """Nineteen fast requests and a slow one on one worker, which has warmed up before and dies at the end."""
    served = [
        ServedRequest(0, "search", 77_000_000),
        *(ServedRequest(1 + one.request, "search", round(one.service_s * 1e9)) for one in (*FAST, SLOW)),
        ServedRequest(21, "balance"),
    ]
    worker = chunk(
        (0, (MAIN, SERVER, SERVICE, SEARCH), 9.0),
        (1, (MAIN, SERVER, SERVICE, SEARCH), 0.01),
        (20, (MAIN, SERVER, SERVICE, SEARCH, COSINE), 0.3),
        (20, (MAIN, SERVER, SERVICE), 0.05),
        (21, (MAIN, SERVER, SERVICE, SEARCH), 0.02),
        (None, (MAIN, SERVER, RECV), 2.0),
        (None, (MAIN, SERVER), 0.1),
        requests=served,
    )
    coordinator = chunk(
        (None, (MAIN, LOOP, CHOOSE), 0.2),
        (None, (MAIN, LOOP), 0.1),
        (None, (MAIN, LOOP, Frame("select", "<built-in>", 0)), 3.0),
    )
    plain = [outcome(one.request, one.service_s / 2, one.response_s / 4) for one in (*FAST, SLOW)]
    return pair([*FAST, SLOW], plain, coordinator, Handed("hot-1", [worker]))


def test_samples_are_tied_to_operations_and_warming_up_is_left_out(measured: Pair) -> None:
    slow = slow_requests([measured])
    assert slow == [[SLOW]]
    found = {(one.worker, one.operation, one.stack[-1].function, one.is_slow): one.seconds
             for one in all_samples([measured], slow)}  # fmt: skip
    assert found == {
        ("hot-1", "search", "search", False): 0.01,
        ("hot-1", "search", "_cosine", True): 0.3,
        ("hot-1", "search", "Service._run", True): 0.05,
        ("hot-1", "balance", "search", False): 0.02,
        ("hot-1", "", "socket.recv", False): 2.0,
        ("hot-1", "", "Server.run", False): 0.1,
        ("coordinator", "", "TieredRouter.choose", False): 0.2,
        ("coordinator", "", "BaseEventLoop._run_once", False): 0.1,
        ("coordinator", "", "select", False): 3.0,
    }


def test_stacks_begin_where_they_differ(measured: Pair) -> None:
    stacks = {one.stack for one in all_samples([measured], slow_requests([measured])) if one.operation}
    assert {stack[0].function for stack in stacks} == {"search", "Service._run"}
    others = [one.stack for one in all_samples([measured], slow_requests([measured])) if not one.operation]
    assert {len(stack) for stack in others} == {1}
    assert all(frame.file.startswith(("asyncio/", "tiergate", "<")) for stack in others for frame in stack)


def test_shares_are_of_all_that_is_not_idle(measured: Pair) -> None:
    slow = slow_requests([measured])
    found = stacks_of(all_samples([measured], slow))
    parts = {one.name: one for one in components_of(found, tail_s=0.5)}
    busy = 0.01 + 0.3 + 0.05 + 0.02 + 0.1 + 0.2 + 0.1
    assert parts["search"].self_s == pytest.approx(0.33)
    assert parts["search"].share == pytest.approx(0.33 / busy)
    assert parts["search"].share_of_p95 == pytest.approx(0.6)
    assert parts["wire"].self_s == pytest.approx(0.15)
    assert parts["routing"].self_s == pytest.approx(0.2)
    assert parts["event loop"].self_s == pytest.approx(0.1)
    assert sum(one.share for one in parts.values()) == pytest.approx(1.0)
    assert "idle" not in parts
    assert list(parts) == sorted(parts, key=lambda name: -parts[name].self_s)


def test_the_tail_is_told_to_the_last_share(measured: Pair) -> None:
    slow = slow_requests([measured])
    found = stacks_of(all_samples([measured], slow))
    tail = tail_of(found, slow)
    assert tail is not None
    assert (tail.p95_ms, tail.requests) == (pytest.approx(500.0), 1)
    assert tail.waiting == pytest.approx(0.2)
    assert tail.unseen == pytest.approx(0.1)
    in_parts = sum(one.share_of_p95 or 0.0 for one in components_of(found, tail_s=0.5))
    assert in_parts + tail.waiting + tail.unseen == pytest.approx(1.0)


def test_a_function_that_calls_itself_counts_once() -> None:
    worker = chunk(
        (1, (SERVICE, SEARCH, SEARCH, SEARCH), 1.0), requests=[ServedRequest(1, "search", 1_000_000)]
    )
    only = pair([outcome(1, 1e-3, 1e-3)], [outcome(1, 1e-3, 1e-3)], chunk(), Handed("hot-1", [worker]))
    found = stacks_of(all_samples([only], [[]]))
    [spot] = hot_spots_of(found, tail_s=0.0)
    assert (spot.self_s, spot.total_s, spot.share_of_p95) == (1.0, 1.0, None)


def test_processes_are_told_apart_and_killed_ones_counted(measured: Pair) -> None:
    found = stacks_of(all_samples([measured], slow_requests([measured])))
    coordinator, worker = processes_of(found, {"hot-1": "hot"}, {"hot-1": 1})
    assert (coordinator.name, coordinator.tier, coordinator.cut_short) == ("coordinator", "", 0)
    assert coordinator.busy_s == pytest.approx(0.3)
    assert coordinator.idle_s == pytest.approx(3.0)
    assert (worker.name, worker.tier, worker.cut_short) == ("hot-1", "hot", 1)
    assert worker.busy_s == pytest.approx(0.48)


def test_overhead_compares_the_same_requests(measured: Pair) -> None:
    found = overhead([measured, measured])
    assert found.service == pytest.approx(2.0)
    assert found.response_p95 == pytest.approx(4.0)
    assert found.service_interval == pytest.approx((2.0, 2.0))
    lost = [outcome(one.request, 9.9, 9.9, Fate.TIMED_OUT) for one in measured.profiled.round.outcomes[:5]]
    worse = pair([*lost, *FAST[5:], SLOW], measured.plain.outcomes, chunk())
    assert overhead([worse]).service == pytest.approx(2.0)
    assert overhead([worse]).service_interval is None
    [search] = operations([worse], REQUESTS)
    assert (search.name, search.requests) == ("search", 15)
    assert search.overhead == pytest.approx(2.0)


_RECEIVE = ("Server._receive", "tiergate_plugins/pools/worker.py")


@pytest.mark.parametrize(
    ("stack", "component"),
    [
        ([("f", "json/decoder.py")], "other"),
        ([("search", "tiergate_plugins/operations/search.py"), ("f", "heapq.py")], "search"),
        ([("a", "tiergate_plugins/operations/balance.py"), ("b", "tiergate/flow/graph.py")], "auto-balance"),
        ([("load", "tiergate/timed_store.py"), ("mine", "somebody/redis_store.py")], "store"),
        ([("load", "tiergate/timed_store.py"), ("Decoder.decode", "<built-in>")], "codec"),
        ([("decode", "tiergate_plugins/pools/frames.py"), ("Decoder.decode", "<built-in>")], "wire"),
        ([("run", "tiergate_plugins/pools/worker.py"), ("socket.recv", "<built-in>")], "idle"),
        ([("load", "tiergate/timed_store.py"), ("f", "redis.py"), ("socket.recv", "<built-in>")], "store"),
        ([("run", "tiergate_plugins/pools/worker.py"), _RECEIVE], "idle"),
        ([("_run_once", "asyncio/base_events.py"), ("SelectSelector.select", "selectors.py")], "idle"),
        ([], "other"),
    ],
)
def test_a_stack_counts_for_the_innermost_known_part(stack: list[tuple[str, str]], component: str) -> None:
    assert component_of(stack) == component


def test_every_known_place_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    files = {
        path.relative_to(root / folder).as_posix()
        for folder in ("toolkit", "plugins", "reports")
        for path in (root / folder).rglob("*.py")
    }
    ours = [place for place, _ in components._BY_PLACE if place.startswith("tiergate")]
    assert [place for place in ours if not any(file.startswith(place) for file in files)] == []


def test_places_are_those_below_what_is_imported_from() -> None:
    assert places.short_place("/x/tiergate/worker.py") == "tiergate/worker.py"
    assert places.short_place("/lib/json/decoder.py") == "json/decoder.py"
    assert places.short_place("<built-in>") == "<built-in>"
    assert places.short_place("<frozen runpy>") == "<frozen runpy>"
    assert places.short_place("relative/file.py") == "file.py"
