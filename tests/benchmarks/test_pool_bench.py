"""``tiergate bench pool``: every row, judged right; and sides that do less than the others are refused."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.hooks import RouterDeclaration
from tiergate.operation import Failure, Reply, Request
from tiergate.plugins import PluginHost
from tiergate.pool import Pool, PoolUsage
from tiergate.record import BenchRecord, BenchRow, Control, Regret, TierAccuracy, read_record
from tiergate.routing import Choice, Cutoffs, PoolView, RouterSetup, WorkerView
from tiergate.testing import make_facts
from tiergate.tracetime import TimedRequest
from tiergate_plugins.benchmarks import (
    pool,
    pool_accuracy,
    pool_affinity,
    pool_arrivals,
    pool_decisions,
    pool_driver,
    pool_found,
    pool_host,
    pool_noops,
    pool_peers,
    pool_processes,
    pool_sides,
    pool_tiers,
    pool_unseen,
    pool_work,
    pool_worth,
)
from tiergate_plugins.benchmarks.pool_facts import agents, all_facts, fill
from tiergate_plugins.benchmarks.rounds import judged

MISSING = [name for name in ("locust", "loky", "pebble") if importlib.util.find_spec(name) is None]
EXECUTOR = "concurrent.futures.ProcessPoolExecutor"
ECHO = "a bare Unix-socket echo of the same frames, 1 in flight"
QUEUE = "one shared queue, as many workers"
BOUNDS = "the oracle (0) and one shared queue (1)"
CPU = "pool: processor time of a no-op"

ROUTERS = [one.name for _, one in pool_found.declared(RouterDeclaration) if one.chooses_tier]
JUDGED = [name for name in ("size-heuristic", "learned") if name in ROUTERS]
CPU_ROWS = [
    (f"{CPU}, 1 in flight", f"{EXECUTOR}, 1 in flight", "<= 0.2"),
    (f"{CPU}, 64 in flight", f"{EXECUTOR}, 64 in flight", "<= 0.2"),
    (f"{CPU}, 1 in flight", ECHO, "<= 1.5"),
    (f"{CPU}, 64 in flight", ECHO, None),
]
ROWS = [
    ("pool: no-op round trip, p50", EXECUTOR, "<= 0.35"),
    ("pool: tasks/s, 64 in flight", EXECUTOR, ">= 6"),
    ("pool: tasks/s, 64 in flight", "multiprocessing.Pool", ">= 3"),
    ("pool: tasks/s, 64 in flight", "loky", ">= 10"),
    ("pool: tasks/s, 64 in flight", "pebble", ">= 5"),
    *(CPU_ROWS if pool_processes.can_be_read() else []),
    ("tiers: short p95, service that waits", QUEUE, "<= 0.125"),
    ("tiers: long p95, service that waits", QUEUE, "<= 2"),
    ("tiers: short p95, service that computes", QUEUE, "<= 0.25"),
    ("tiers: long p95, service that computes", QUEUE, "<= 2 or flagged"),
    *[(f"routing decision of {name}, p95", None, "<= 20") for name in ROUTERS],
    *[
        row
        for name in JUDGED
        for row in (
            (f"agents: balanced accuracy of {name}", None, ">= 0.9"),
            (f"agents: regret of {name}", BOUNDS, "<= 0.2"),
            (f"agents: an operation never seen before, accuracy of {name}", None, None),
        )
    ],
    ("affinity: requests that meet the worker of their session", None, ">= 0.9"),
    ("affinity: busiest worker over the mean", None, "<= 1.25"),
    ("affinity: service p50 of session operations", "a random worker for each request", "<= 0.7"),
    ("load driver: no-op requests/s of one core", "Locust's user loop, each no-op recorded", ">= 10"),
    ("load driver: no-op requests/s of one core", "Locust's user loop, nothing recorded", None),
    *[
        (
            f"load driver: no-op requests/s of one core, {what}",
            "Locust's user loop, each no-op recorded",
            None,
        )
        for what in ("preparation and histogram included", "through router and pool")
    ],
]
"""Every row of the table that the pool is held to: what, beside what, and what it should reach."""


def require_rows(rows: list[BenchRow]) -> None:
    # Which router comes first is the installation's business.
    assert sorted(map(str, ROWS)) == sorted(str((row.name, row.peer, row.target)) for row in rows)
    for row in rows:
        assert (row.reached is None) == (row.target is None)
        assert row.interval[0] <= row.value <= row.interval[1]


@pytest.mark.integration
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_every_row_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The load run, which takes longest, is a made-up one here; the soak has the real one."""
    monkeypatch.setattr(pool_accuracy, "run_experiment", lambda _, names: made_up_run(names))
    said: list[str] = []
    require_rows(list(pool.run_pool(make_setup(tmp_path, said))))
    for name in ("operation-table", "learned", "size-heuristic"):
        assert any(f"nothing of the router '{name}'" in one for one in said) == (name not in ROUTERS)


@pytest.mark.soak
@pytest.mark.integration
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_the_command_measures_every_row(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tiergate", "bench", "pool", "--quick", "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_record(output)
    assert isinstance(record, BenchRecord)
    require_rows(record.rows)


class Lazy(pool_sides.Side):
    """Leaves out the last no-op, and ends like every other."""

    def round_trips(self, count: int) -> list[float]:
        return [0.001] * count

    def window(self, count: int, in_flight: int) -> int:
        return sum(range(count - 1))

    def close(self) -> None:
        """Do nothing."""


class Eager(Lazy):
    """Does every no-op at once."""

    def window(self, count: int, in_flight: int) -> int:
        return sum(range(count))


def test_a_side_that_does_less_is_refused() -> None:
    with pytest.raises(RunError, match="not all of 9 no-ops"):
        pool_sides.do_all(Lazy(), 9, 1)
    assert pool_sides.do_all(Eager(), 9, 1) >= 0
    answers = io.StringIO()
    pool_host.serve(Lazy(), io.StringIO("[10, 1]\n"), answers)
    assert "not all of" in json.loads(answers.getvalue())["problem"]


def test_a_host_answers_what_it_is_asked() -> None:
    answers = io.StringIO()
    pool_host.serve(Eager(), io.StringIO("[10, 64]\n[3, 0]\n"), answers)
    ready, window, trips = map(json.loads, answers.getvalue().splitlines())
    assert ready == {}
    assert window["seconds"] >= 0 <= window["cpu_s"]
    assert trips == {"each_s": [0.001] * 3}


@pytest.mark.integration
def test_the_standard_pools_and_the_echo_give_back_every_number() -> None:
    for name in (pool_peers.EXECUTOR, pool_peers.MULTIPROCESSING, pool_host.ECHO):
        host = pool_host.Host(name, 2, "")
        try:
            assert len(host.round_trips(5)) == 5
            assert host.seconds(50, 1) > 0
            assert host.cpu_s(50, 1) >= 0
        finally:
            host.close()


@pytest.mark.integration
def test_a_host_that_ends_is_an_error_that_names_the_side() -> None:
    with pytest.raises(RunError, match="ended before it had measured") as caught:
        pool_host.Host("nobody", 1, "", module="tiergate_plugins.no_such_module")
    assert "nobody" in str(caught.value)


@pytest.mark.skipif(not pool_processes.can_be_read(), reason="needs Linux's /proc")
@pytest.mark.integration
def test_processor_time_counts_children_and_what_they_started() -> None:
    before = pool_processes.descendants()
    burn = "import sys\nfor _ in range(20_000_000): pass\nprint(flush=True)\nsys.stdin.read()"
    nested = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])"
    child = subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.readline()
    found = pool_processes.descendants() - before
    assert len(found) == 2
    assert pool_processes.cpu_s(found) > pool_processes.cpu_s([]) + 0.05
    child.communicate()


def test_blocks_measure_each_side_once_a_round() -> None:
    calls: list[str] = []
    sides = {name: (lambda name=name: calls.append(name) or float(len(calls))) for name in "abc"}
    took = pool_noops.blocks(sides, rounds=6)
    assert [len(took[name]) for name in "abc"] == [6, 6, 6]
    assert all(sorted(calls[start : start + 3]) == ["a", "b", "c"] for start in range(0, 18, 3))
    assert calls != list("abc") * 6


class Scripted(Pool):
    """Answers as the script says; no process is started."""

    def __init__(self, reply: dict[int, Reply | Exception]) -> None:
        self._reply = reply

    async def start(self) -> None:
        """Do nothing."""

    def view(self) -> PoolView:
        return PoolView([WorkerView("hot-1", "hot", 0, 0.0)])

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        found = self._reply.get(request.id, Reply(request.id, 1, None, 1000, "hot-1"))
        if isinstance(found, Exception):
            raise found
        return found

    def events(self) -> tuple[()]:
        return ()

    async def close(self) -> PoolUsage:
        return PoolUsage(cpu_s=0.0, peak_rss_bytes=0, worker_seconds=0.0)


def drive(script: dict[int, Reply | Exception]) -> list[pool_arrivals.Answered]:
    dues = pool_arrivals.poisson(1, 20, 1e5, lambda number, _: Request(number, "x", None, {}))
    _, declaration = pool_found.named(RouterDeclaration, "shared-queue")
    router = declaration.build(RouterSetup(cutoffs=Cutoffs(1.0, 2.0)))
    return asyncio.run(pool_arrivals.drive(Scripted(script), router, dues))


def test_arrivals_refuse_a_round_with_a_request_that_has_no_result() -> None:
    assert len(drive({})) == 20
    with pytest.raises(RunError, match=r"1 of 20 requests have no result: Slow: it"):
        drive({3: Reply(3, None, Failure("Slow", "it"), 1, "hot-1")})
    with pytest.raises(RunError, match="1 of 20 requests have no result"):
        drive({3: RuntimeError("lost")})


def test_response_time_counts_from_the_intended_start() -> None:
    for one in drive({}):
        assert one.response_s >= one.late_s > 0


def test_arrivals_have_the_rate_that_is_asked_for() -> None:
    dues = pool_arrivals.poisson(5, 20_000, 400.0, lambda number, _: Request(number, "x", None, {}))
    assert dues[-1].at_s == pytest.approx(50.0, rel=0.03)
    gaps = [two.at_s - one.at_s for one, two in pairwise(dues)]
    assert sum(gap > 1 / 400 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.02)


def test_p95_is_a_value_that_occurred() -> None:
    assert pool_arrivals.p95(list(range(1, 101))) == 95
    assert pool_arrivals.p95([3.0, 1.0]) == 3.0


def test_both_kinds_of_work_offer_what_they_say() -> None:
    for case, busy in ((pool_work.WAITS, 2.4), (pool_work.COMPUTES, 0.8)):
        assert case.rate * pool_work.MEAN_S == pytest.approx(busy)
        assert sum(tier.workers for tier in case.tiers()) == sum(tier.workers for tier in case.flat())
    arguments: dict[str, dict[str, Any]] = {"short": {}, "long": {}}
    draw = Random(1)
    made = [pool_work.request_of(pool_work.WAITS, arguments, number, draw) for number in range(20_000)]
    share = sum(one.operation == "bench_wait_long" for one in made) / len(made)
    assert share == pytest.approx(0.05, abs=0.006)


@pytest.mark.parametrize(
    ("ratios", "notices", "reached"),
    [
        ([1.5, 1.6], [[], []], True),
        ([2.5, 2.6], [["full"], ["full"]], True),
        ([2.5, 2.6], [["full"], []], False),
        ([2.5, 1.0], [["full"], []], True),
    ],
)
def test_long_requests_above_twice_must_have_been_flagged_each_time(
    ratios: list[float], notices: list[list[str]], reached: bool
) -> None:
    value = sum(ratios) / len(ratios)
    row = judged(BenchRow(name="x", value=value, interval=(value, value), unit="x", target="<= 2"))
    assert pool_tiers.flagged(row, ratios, notices).reached is reached


def test_decisions_are_timed_for_every_request(tmp_path: Path) -> None:
    _, declaration = pool_found.named(RouterDeclaration, "size-heuristic")
    sessions, requests = agents(3, 60, 40)
    setup = make_setup(tmp_path)
    facts = all_facts(requests, fill(setup, tmp_path / "s.db", sessions)[1])
    assert len(facts) == 40
    assert pool_decisions.decisions_p95(declaration, facts, pool_decisions.views(1)) > 0


def make_setup(folder: Path, said: list[str] | None = None) -> BenchSetup:
    progress = [].append if said is None else said.append
    return BenchSetup(folder=folder, open=PluginHost().opener().open, quick=True, progress=progress)


def served(session: str, worker: str) -> pool_arrivals.Answered:
    request = Request(0, "x", session, {})
    due = pool_arrivals.Due(0.0, request, pool_arrivals.facts_of(request))
    return pool_arrivals.Answered(due, 0.0, 0.001, Reply(0, 1, None, 1, worker))


def test_an_overflow_is_a_miss_and_so_is_the_way_back() -> None:
    answers = [served("a", worker) for worker in ("hot-1", "hot-1", "hot-2", "hot-1", "hot-1")]
    assert pool_affinity.hit_rate(answers) == 0.5
    assert pool_affinity.hit_rate([*answers, served("b", "hot-3"), served("b", "hot-3")]) == 0.6
    assert pool_affinity.largest_load(answers) == 4 * 4 / 5


def test_unequal_results_are_refused_where_affinity_is_weighed() -> None:
    good = Reply(1, {"version": 2}, None, 1, "hot-1")
    pool_worth.require_equal([good], [msgspec.structs.replace(good, worker="hot-2", service_ns=9)])
    with pytest.raises(RunError, match="request 1 has another result"):
        pool_worth.require_equal([good], [msgspec.structs.replace(good, result={"version": 3})])
    with pytest.raises(RunError, match="a session operation failed: gone"):
        pool_worth.require_equal([good], [Reply(1, None, Failure("X", "gone"), 1, "hot-1")])


def test_a_driver_that_records_less_than_it_offers_is_refused() -> None:
    found = {"requests": 1000, "recorded": 1000, "seconds": 2.0}
    assert pool_driver.seconds_each(found, recorded=True) == 0.002
    with pytest.raises(RunError, match="900 of 1000"):
        pool_driver.seconds_each({**found, "recorded": 900}, recorded=True)


@pytest.mark.integration
@pytest.mark.parametrize("through", ["target", "pool"])
def test_our_driver_records_every_request_that_it_offers(through: str) -> None:
    found = pool_driver.run_script("tiergate_plugins.benchmarks.pool_offering", through, "200")
    assert (found["requests"], found["recorded"]) == (200, 200)
    assert found["whole_s"] > found["seconds"] > 0


def test_a_driver_that_ends_badly_is_named() -> None:
    with pytest.raises(RunError, match="pool_offering"):
        pool_driver.run_script("tiergate_plugins.benchmarks.pool_offering", "target", "many")


def found_accuracy(value: float, control: float, ambiguous: float, regret: float | None) -> TierAccuracy:
    interval = None if regret is None else (regret, regret)
    return TierAccuracy(
        accuracy=value,
        balanced_accuracy=value,
        macro_f1=value,
        ambiguous=ambiguous,
        judged=100,
        confusion=[],
        regret=regret,
        regret_detail=Regret(value=regret, interval=interval, reason="the oracle gains nothing"),
        controls=[Control(name="majority", accuracy=0.9, balanced_accuracy=control, macro_f1=0.3)],
    )


def accuracy(value: float, control: float, ambiguous: float, regret: float | None) -> list[BenchRow]:
    """The rows of a load run that found this."""
    found = found_accuracy(value, control, ambiguous, regret)
    row = pool_accuracy.accuracy_row("r", found, (value, value), too_few=())
    return [row, pool_accuracy.regret_row("r", found)]


def made_up_run(names: list[str], completed: tuple[int, ...] = (5, 5, 5)) -> Any:
    """As much of the record of a load run as the rows are made from."""
    variants = [
        SimpleNamespace(
            name=name,
            requests=SimpleNamespace(completed=done),
            tier_accuracy=found_accuracy(0.95, 0.33, 0.02, 0.1),
            intervals={"tier_accuracy.balanced_accuracy": (0.93, 0.97)},
        )
        for name, done in zip((*names, "oracle"), completed, strict=False)
    ]
    oracle = SimpleNamespace(hot_ms=0.5, warm_ms=5.0)
    return SimpleNamespace(variants=variants, too_few=[], oracle=oracle)


def test_an_operation_that_was_never_seen_is_left_out_of_the_training() -> None:
    """A router that knows nothing of it takes it for like the others; one of ten is unlike them."""

    def timed(operation: str, number: int, seconds: float) -> TimedRequest:
        return TimedRequest(number / 10, make_facts(number, operation=operation, session=None), seconds)

    trace = [timed("scan" if n % 10 == 0 else "get", n, 0.2 if n % 10 == 0 else 0.001) for n in range(100)]
    [heuristic] = [one for _, one in pool_found.declared(RouterDeclaration) if one.name == "size-heuristic"]
    row = pool_unseen.row_of(heuristic, Cutoffs(0.01, 0.1), trace, trace)
    assert row.details == {"get": 0.0, "scan": 0.0}
    assert (row.value, row.target, row.reached) == (0.0, None, None)


def test_routers_that_completed_less_than_others_are_refused() -> None:
    assert len(list(pool_accuracy.rows_of(made_up_run(["a", "b"]), ["a", "b"]))) == 4
    with pytest.raises(RunError, match="equally many requests: a 5, b 4, oracle 5"):
        list(pool_accuracy.rows_of(made_up_run(["a", "b"], (5, 4, 5)), ["a", "b"]))


def test_accuracy_needs_its_value_and_to_be_above_every_control() -> None:
    assert [row.reached for row in accuracy(0.95, 0.33, 0.02, 0.1)] == [True, True]
    assert [row.reached for row in accuracy(0.85, 0.33, 0.02, 0.3)] == [False, False]
    row, _ = accuracy(0.95, 0.97, 0.02, 0.1)
    assert (row.reached, row.note) == (False, "no better than the control 'majority'")
    row, regret = accuracy(0.95, 0.33, 0.2, None)
    assert (row.reached, row.note) == (False, "20% of the labels are unsure")
    assert (regret.reached, regret.note) == (False, "undefined: the oracle gains nothing")
