"""A whole run with real workers, and what it leaves behind: a record, and nothing else."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from tiergate.errors import RunError, UsageError
from tiergate.hooks import RouterDeclaration, WorkloadDeclaration
from tiergate.load.effort import Effort
from tiergate.load.experiment import run
from tiergate.load.plan import Plan, Silent
from tiergate.load.prepare import judged_sessions, judged_trace, training_seed
from tiergate.plugins import PluginHost
from tiergate.record import RunRecord, Variant, encode_record, read_record
from tiergate.routing import TIERS

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "run.schema.json"
ROUTERS = ("shared-queue", "least-work-left", "size-heuristic", "oracle")
TINY = Effort(tasks=300, training=150, requests=120, passes=3, rounds=2)

DEPARTED = """
from tiergate.hooks import OperationDeclaration, hookimpl
import msgspec


class Nothing(msgspec.Struct):
    pass


@hookimpl
def tiergate_operations():
    yield OperationDeclaration(name="departed", summary="gone", arguments=Nothing, run=print)
"""


@dataclass(frozen=True)
class Left:
    """A record, and what the run left: files of its temporary folder, and child processes."""

    record: RunRecord
    files: list[str]
    children: set[int]
    stages: list[tuple[str, int]]


class Counting:
    """Remembers the stages and counts their steps."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.steps: list[int] = []
        self.expected: list[int] = []

    def begin(self, stage: str, steps: int) -> None:
        self.stages.append(stage)
        self.expected.append(steps)
        self.steps.append(0)

    def step(self) -> None:
        self.steps[-1] += 1


def children() -> set[int]:
    """The processes whose parent is this one; none where there is no /proc."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.add(int(stat.parent.name))
    return found


def plan(host: PluginHost, seed: int = 7) -> Plan:
    return Plan(
        effort_name="tiny",
        effort=TINY,
        seed=seed,
        workload=host.get(WorkloadDeclaration, "agents"),
        routers=[host.get(RouterDeclaration, name) for name in ROUTERS],
        configured_router="size-heuristic",
        store="sqlite:",
        pool="local",
        tiers=dict.fromkeys(TIERS, 1),
        offered_load=0.5,
        command=["tiergate", "load"],
    )


@pytest.fixture(scope="module")
def left(host: PluginHost, tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("temporary")
    progress = Counting()
    before = children()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        record = run(plan(host), host, progress)
    assert progress.steps == progress.expected
    stages = list(zip(progress.stages, progress.steps, strict=True))
    return Left(record, [path.name for path in folder.iterdir()], children() - before, stages)


@pytest.fixture(scope="module")
def variants(left: Left) -> dict[str, Variant]:
    return {variant.name: variant for variant in left.record.variants}


@pytest.mark.integration
def test_every_variant_completes_the_same_requests(left: Left, variants: dict[str, Variant]) -> None:
    assert tuple(variants) == ROUTERS
    offered = left.record.workload.requests * TINY.rounds
    assert left.record.workload.requests == TINY.requests
    for variant in variants.values():
        assert variant.requests.offered == offered
        # All of what was offered is done, so the sets are equal.
        assert (variant.requests.completed, variant.requests.lost) == (offered, 0)
    assert not any("same requests" in remark for remark in left.record.remarks)


@pytest.mark.integration
def test_the_record_keeps_its_schema(left: Left, tmp_path: Path) -> None:
    data = encode_record(left.record)
    problems = list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(json.loads(data)))
    assert problems == []
    (tmp_path / "run.json").write_bytes(data)
    assert read_record(tmp_path / "run.json") == left.record


@pytest.mark.integration
def test_nothing_is_left_behind(left: Left) -> None:
    assert left.files == []
    assert left.children == set()


@pytest.mark.integration
def test_progress_covers_every_stage(left: Left) -> None:
    assert left.stages == [
        ("measure the training trace alone", TINY.passes),
        ("measure the judged trace alone", TINY.passes),
        ("drive the routers", TINY.rounds * len(ROUTERS)),
    ]


@pytest.mark.integration
def test_nothing_judged_was_used_for_training(host: PluginHost, left: Left) -> None:
    oracle, workload = left.record.oracle, left.record.workload
    assert oracle.training_sha256 != workload.sha256
    assert oracle.training_requests == TINY.training
    made = plan(host)
    assert workload.sha256 == judged_trace(made, judged_sessions(made)).sha256
    assert training_seed(made.seed) != made.seed
    tuned = made.workload.sessions(training_seed(made.seed), TINY.tasks)
    judged = {session.title + str(session.tasks) for session in judged_sessions(made)}
    assert judged.isdisjoint(session.title + str(session.tasks) for session in tuned)


@pytest.mark.integration
def test_only_routers_that_choose_a_tier_have_tier_accuracy(variants: dict[str, Variant]) -> None:
    assert variants["shared-queue"].tier_accuracy is None
    assert variants["least-work-left"].tier_accuracy is None
    assert variants["shared-queue"].pool == "local: 3 shared"
    assert variants["size-heuristic"].pool == "local: 1 hot, 1 warm, 1 cold"
    oracle = variants["oracle"].tier_accuracy
    assert oracle is not None
    assert oracle.balanced_accuracy == 1.0
    assert oracle.errors == []


@pytest.mark.integration
def test_accuracy_stands_beside_its_controls(left: Left, variants: dict[str, Variant]) -> None:
    found = variants["size-heuristic"].tier_accuracy
    assert found is not None
    occurring = sum(count > 0 for count in left.record.oracle.classes.values())
    assert sum(map(sum, found.confusion)) == found.judged == sum(left.record.oracle.classes.values())
    assert found.ambiguous == pytest.approx(1 - found.judged / TINY.requests)
    by_name = {one.name: one for one in found.controls}
    assert by_name["shuffled features"].balanced_accuracy == pytest.approx(1 / occurring, abs=0.12)
    assert found.balanced_accuracy > by_name["shuffled features"].balanced_accuracy
    low, high = variants["size-heuristic"].intervals["tier_accuracy.balanced_accuracy"]
    assert low <= found.balanced_accuracy <= high


@pytest.mark.integration
def test_times_fit_together(left: Left, variants: dict[str, Variant]) -> None:
    assert left.record.oracle.hot_ms < left.record.oracle.warm_ms
    assert left.record.oracle.repeats == TINY.passes
    for variant in variants.values():
        shown = msgspec.structs.astuple(variant.response_ms)
        assert list(shown) == sorted(shown)
        assert variant.lateness_ms.p50 >= 0
        assert variant.service_ms.max <= variant.response_ms.max
        assert variant.resources.cpu_s > 0
        for metric, (low, high) in variant.intervals.items():
            assert low <= high, metric
        low, high = variant.intervals["response_ms.p95"]
        assert low <= variant.response_ms.p95 <= high


@pytest.mark.integration
def test_comparisons_are_ratios_to_the_shared_queue(left: Left) -> None:
    assert {one.variant for one in left.record.comparisons} == set(ROUTERS[1:])
    for one in left.record.comparisons:
        assert one.against == "shared-queue"
        assert one.interval[0] <= one.ratio <= one.interval[1]


@pytest.mark.integration
def test_a_run_this_small_says_that_it_is(left: Left) -> None:
    assert "2 rounds; an interval needs 3" in left.record.too_few
    assert any("95th percentile needs 200" in reason for reason in left.record.too_few)


def test_the_same_seed_gives_the_same_trace_and_another_does_not(host: PluginHost) -> None:
    first, second, other = plan(host), plan(host), plan(host, seed=8)
    hashes = [judged_trace(one, judged_sessions(one)).sha256 for one in (first, second, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_whole_run_needs_no_process_of_its_own_where_the_pool_needs_none(inline_host: PluginHost) -> None:
    made = replace(plan(inline_host), pool="inline", rate_rps=2000.0)
    record = run(made, inline_host, Silent())
    assert record.workload.offered_rps == pytest.approx(2000.0 * (TINY.requests - 1) / TINY.requests, rel=0.3)
    assert {variant.requests.completed for variant in record.variants} == {240}
    assert record.workload.sha256 == judged_trace(made, judged_sessions(made)).sha256


def test_a_plan_that_cannot_be_judged_is_refused(host: PluginHost) -> None:
    with pytest.raises(UsageError, match="'nobody' is not among those that run"):
        replace(plan(host), configured_router="nobody")
    with pytest.raises(UsageError, match="tier 'cold' has no worker"):
        replace(plan(host), tiers={"hot": 1, "warm": 1})


@pytest.mark.integration
def test_a_worker_that_cannot_start_breaks_the_run_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, folder = tmp_path / "site", tmp_path / "temporary"
    site.mkdir()
    folder.mkdir()
    (site / "tiergate_tests_departed.py").write_text(DEPARTED)
    # This process can import the plugin; a worker, which inherits no sys.path, cannot.
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    point = EntryPoint("departed", "tiergate_tests_departed", "tiergate")
    broken = PluginHost(found=[*entry_points(group="tiergate"), point])
    before = children()
    with pytest.raises(RunError) as caught:
        run(plan(broken), broken, Silent())
    assert "worker reference-1: cannot start: " in str(caught.value)
    assert "tiergate_tests_departed" in str(caught.value)
    assert caught.value.exit_code == 3
    assert list(folder.iterdir()) == []
    assert children() <= before
