"""A trace file as the judged trace: at its own rate or stretched, on its own sessions or given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tiergate.errors import SourceError
from tiergate.hooks import RouterDeclaration, WorkloadDeclaration
from tiergate.load.effort import Effort
from tiergate.load.experiment import run
from tiergate.load.plan import Plan, Silent
from tiergate.load.prepare import judged_sessions, judged_trace
from tiergate.load.replay import read_replay
from tiergate.load.trace import Trace, generate, make_trace
from tiergate.model import Session, Task
from tiergate.operation import Request
from tiergate.plugins import PluginHost
from tiergate.record import RunRecord
from tiergate.routing import TIERS

TINY = Effort(tasks=200, training=120, requests=60, passes=2, rounds=1)


def made(host: PluginHost, count: int = 60, tasks: int = 200) -> Trace:
    workload = host.get(WorkloadDeclaration, "bursts")
    return generate(workload, 5, workload.sessions(5, tasks), count, tasks)


def saved(path: Path, trace: Trace) -> Path:
    path.write_bytes(trace.encode())
    return path


def plan_of(
    host: PluginHost, path: Path, rate: float | None = None, sessions: Sequence[Session] | None = None
) -> Plan:
    replay = read_replay(path, host, sessions)
    return Plan(
        effort_name="tiny",
        effort=TINY,
        seed=replay.trace.head.seed,
        workload=replay.workload,
        routers=[host.get(RouterDeclaration, "shared-queue"), host.get(RouterDeclaration, "size-heuristic")],
        configured_router="size-heuristic",
        store="sqlite:?durability=normal",
        pool="inline",
        tiers=dict.fromkeys(TIERS, 1),
        offered_load=0.5,
        rate_rps=rate,
        sessions=sessions,
        replay=replay,
    )


def replayed(host: PluginHost, path: Path, rate: float | None = None) -> RunRecord:
    return run(plan_of(host, path, rate), host, Silent())


def test_a_replay_is_judged_on_the_trace_of_the_file_at_its_own_rate(
    inline_host: PluginHost, tmp_path: Path
) -> None:
    trace = made(inline_host)
    path = saved(tmp_path / "trace.jsonl", trace)
    record = replayed(inline_host, path)
    workload = record.workload
    assert (workload.name, workload.seed, workload.sha256) == ("bursts", 5, trace.sha256)
    assert workload.duration_s == pytest.approx(trace.duration_s)
    assert workload.offered_rps == pytest.approx(trace.rate_rps)
    assert workload.parameters["trace"] == str(path)
    assert workload.parameters["rate"] == f"as recorded, {trace.rate_rps:.6g}/s"
    assert record.oracle.training_sha256 != workload.sha256
    assert record.oracle.training_requests == TINY.training
    assert record.sources[0].path == "generated: bursts, seed 5"
    assert {variant.requests.completed for variant in record.variants} == {60}


def test_a_rate_stretches_the_trace_and_the_record_says_so(inline_host: PluginHost, tmp_path: Path) -> None:
    trace = made(inline_host)
    workload = replayed(inline_host, saved(tmp_path / "trace.jsonl", trace), rate=400.0).workload
    assert workload.sha256 == trace.sha256
    assert workload.offered_rps == pytest.approx(400.0)
    assert workload.parameters["rate"] == f"stretched from {trace.rate_rps:.6g}/s to 400/s"


def test_the_sessions_of_a_generated_trace_are_made_again(inline_host: PluginHost, tmp_path: Path) -> None:
    plan = plan_of(inline_host, saved(tmp_path / "trace.jsonl", made(inline_host, tasks=321)))
    assert judged_sessions(plan) == plan.workload.sessions(5, 321)
    assert judged_trace(plan, judged_sessions(plan)) == made(inline_host, tasks=321)


def test_a_run_judges_the_trace_that_would_be_made_for_it(inline_host: PluginHost, tmp_path: Path) -> None:
    plan = plan_of(inline_host, saved(tmp_path / "trace.jsonl", made(inline_host)))
    generated = replace(plan, replay=None)
    assert judged_trace(generated, judged_sessions(generated)).sha256 == made(inline_host).sha256


def own_trace() -> Trace:
    ask = [Request(0, "critical_path", name, {}) for name in ("ours", "theirs")]
    return make_trace("agents", 3, ask, [0.0, 0.1])


def test_given_sessions_take_the_place_of_generated_ones(inline_host: PluginHost, tmp_path: Path) -> None:
    given = [Session(id=name, tasks=(Task(id="t", title="T"),)) for name in ("ours", "theirs")]
    plan = plan_of(inline_host, saved(tmp_path / "trace.jsonl", own_trace()), sessions=given)
    assert judged_sessions(plan) == given


@pytest.mark.parametrize(
    ("trace", "given", "says"),
    [
        (own_trace(), None, ":1: its sessions are somebody's own (name their task store with --from)"),
        (
            own_trace(),
            [Session(id="ours")],
            ":3: session 'theirs' is not in the store"
            " (give the task store that the trace was recorded on with --from)",
        ),
        (
            make_trace("agents", 3, own_trace().requests, [0.0, 0.1], tasks=50),
            None,
            ":2: session 'ours' is not in the store (workload 'agents' makes no such session;"
            " give the task store with --from)",
        ),
        (
            make_trace("agent", 3, own_trace().requests, [0.0, 0.1], tasks=50),
            None,
            ":1: unknown workload 'agent' (did you mean 'agents'?)",
        ),
        (
            make_trace("agents", 3, own_trace().requests, [0.1, 0.1], tasks=50),
            None,
            ": all of its requests start at one moment, so it has no rate"
            " (replay a trace of at least two starts)",
        ),
    ],
    ids=["no sessions", "missing session", "other sessions", "no workload", "no rate"],
)
def test_a_trace_that_cannot_be_replayed_is_refused(
    host: PluginHost, tmp_path: Path, trace: Trace, given: list[Session] | None, says: str
) -> None:
    path = saved(tmp_path / "trace.jsonl", trace)
    with pytest.raises(SourceError) as caught:
        read_replay(path, host, given)
    assert str(caught.value) == f"{path}{says}"
