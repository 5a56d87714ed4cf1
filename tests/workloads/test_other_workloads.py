"""What each of the workloads `bursts`, `uniform` and `ycsb-a` to `ycsb-f` promises."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import fmean, pvariance

import pytest

from tiergate.hooks import WorkloadDeclaration
from tiergate.load.trace import generate
from tiergate.operation import Request
from tiergate.plugins import PluginHost
from tiergate_plugins.workloads import uniform, ycsb

HOST = PluginHost()
COUNT = 4000
CORES = {core.letter: core for core in ycsb.CORES}


def drawn(letter: str, seed: int = 3, tasks: int = 1000) -> list[Request]:
    return ycsb.requests(CORES[letter], seed, ycsb.sessions(seed, tasks), COUNT)


def test_bursts_asks_for_what_agents_asks_for_at_other_times() -> None:
    agents, bursts = (HOST.get(WorkloadDeclaration, name) for name in ("agents", "bursts"))
    made = agents.sessions(3, 200)
    assert bursts.sessions(3, 200) == made
    calm, bursty = generate(agents, 3, made, COUNT), generate(bursts, 3, made, COUNT)
    assert calm.requests == bursty.requests
    assert bursty.starts[-1] == pytest.approx(COUNT / 100)
    variation = []
    for trace in (calm, bursty):
        gaps = [later - earlier for earlier, later in pairwise(trace.starts)]
        variation.append(pvariance(gaps) / fmean(gaps) ** 2)
    assert variation[0] < 1.3
    assert variation[1] > 3


def test_in_uniform_nothing_stands_out() -> None:
    made = uniform.sessions(3, 10 * uniform.SESSION_TASKS)
    assert [len(session.tasks) for session in made] == [uniform.SESSION_TASKS] * 10
    found = uniform.requests(3, made, COUNT)
    asked = Counter(request.session for request in found)
    assert {request.operation for request in found} == {uniform.OPERATION}
    assert len(asked) == 10
    assert max(asked.values()) < 1.4 * min(asked.values())


@pytest.mark.parametrize(
    ("letter", "shares"),
    [
        ("a", {"task_get": 0.5, "task_update": 0.5}),
        ("b", {"task_get": 0.95, "task_update": 0.05}),
        ("c", {"task_get": 1.0}),
        ("d", {"task_get": 0.95, "task_add": 0.05}),
        ("e", {"critical_path": 0.95, "task_add": 0.05}),
        ("f", {"task_get": 0.5, "task_update": 0.5}),
    ],
)
def test_the_mixes_are_those_of_ycsb(letter: str, shares: dict[str, float]) -> None:
    found = Counter(request.operation for request in drawn(letter))
    assert set(found) == set(shares)
    for operation, share in shares.items():
        assert found[operation] / COUNT == pytest.approx(share, abs=0.03)


def test_an_update_writes_one_field_and_a_read_modify_write_appends() -> None:
    def fields(letter: str) -> set[frozenset[str]]:
        return {
            frozenset(request.arguments) - {"task"}
            for request in drawn(letter)
            if request.operation == "task_update"
        }

    assert fields("a") == fields("b") == {frozenset({"status"}), frozenset({"weight"})}
    assert fields("f") == {frozenset({"append_notes"})}


@pytest.mark.parametrize("letter", ["a", "b", "c", "f"])
def test_records_are_zipfian_with_the_exponent_of_ycsb(letter: str) -> None:
    counts = Counter((request.session, request.arguments["task"]) for request in drawn(letter))
    total = sum(1 / rank**0.99 for rank in range(1, 1001))
    (_, first), *_ = ranked = counts.most_common()
    assert first / COUNT == pytest.approx(1 / total, rel=0.25)
    assert sum(count for _, count in ranked[:100]) / COUNT == pytest.approx(
        sum(1 / rank**0.99 for rank in range(1, 101)) / total, rel=0.1
    )
    # Popular records lie anywhere: the most popular ten are not of one session.
    assert len({session for (session, _), _ in ranked[:10]}) > 2


def test_what_was_inserted_latest_is_read_most_but_never_before_it_is_settled() -> None:
    inserted: dict[tuple[str | None, str], int] = {}
    ages = []
    for request in drawn("d"):
        item = request.session, request.arguments["task"]
        if request.operation == "task_add":
            inserted[item] = request.id
        elif item in inserted:
            ages.append(request.id - inserted[item])
    assert min(ages) >= ycsb.SETTLED
    # About 200 of 1200 tasks are inserted on the way; without preference an eighth of the reads met them.
    assert len(ages) / COUNT > 0.5
    assert fmean(age < 3 * ycsb.SETTLED for age in ages) > 0.4


@pytest.mark.parametrize("seed", range(3))
def test_scans_are_of_1_to_100_records(seed: int) -> None:
    made = ycsb.sessions(seed, 20_000)
    sizes = [len(session.tasks) for session in made]
    assert (min(sizes), max(sizes)) == (1, ycsb.MAX_SCAN)
    assert fmean(sizes) == pytest.approx(50.5, rel=0.15)
    lengths = {session.id: len(session.tasks) for session in made}
    scans = [
        lengths[str(request.session)]
        for request in drawn("e", seed, 20_000)
        if request.operation != "task_add"
    ]
    assert fmean(scans) == pytest.approx(50.5, rel=0.4)


def test_a_record_has_about_1000_bytes() -> None:
    notes = [len(task.notes) for session in ycsb.sessions(1, 300) for task in session.tasks]
    assert 900 < fmean(notes) < 1100
