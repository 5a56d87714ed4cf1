"""Two real processes in one benchmark: what is timed, how often it is called, and what happens around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from duet_desk import GateBenchmark, Outcome, Trees, played, two_trees

from tiergate.gate.sequential import Rules

pytestmark = pytest.mark.integration

SUITE = """
    import time
    import pytest

    def spin(n):
        x = 0
        for i in range(n):
            x += i
        return x

    def test_slower(benchmark):
        assert benchmark(spin, {slower}) == sum(range({slower}))

    def test_faster(benchmark):
        benchmark(spin, {faster})

    def test_long(benchmark):
        benchmark(spin, {long})

    def test_sleep(benchmark):
        benchmark(time.sleep, {sleep})

    seen = []
    def setup():
        time.sleep(0.002)
        return ([3, 1, 2],), {{}}
    def target(words):
        assert words == [3, 1, 2]  # every round is given new ones
        words.sort()
        seen.append(words)
    def test_with_setup(benchmark):
        benchmark.pedantic(target, setup=setup, rounds=3)
        assert len(seen) > 3
        assert benchmark.stats.stats.rounds > 0

    left = list(range(7))
    def test_limited(benchmark):
        benchmark.pedantic(left.pop, rounds=5, warmup_rounds=2)
        assert left == []

    calls = []
    def test_once(benchmark):
        benchmark.pedantic(calls.append, args=(1,))
        assert calls == [1]

    torn_down = []
    def test_teardown(benchmark):
        benchmark.pedantic(len, args=((1, 2),), teardown=torn_down.append, rounds=4)
        assert torn_down == [(1, 2)] * 4
"""
BASE = {"slower": 1000, "faster": 2000, "long": 1_000_000, "sleep": 0.01}
NEW = {"slower": 4000, "faster": 500, "long": 2_000_000, "sleep": 0.02}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One comparison, of which every test looks at a part."""
    folder = tmp_path_factory.mktemp("trees")
    return played(two_trees(folder, SUITE.format(**BASE), SUITE.format(**NEW)), Rules(looks=(4, 5)))


@pytest.fixture
def found(outcome: Outcome, request: pytest.FixtureRequest) -> GateBenchmark:
    """The benchmark that the test asks for."""
    by_name = {one.name.partition("::test_")[2]: one for one in outcome.benchmarks}
    return by_name[request.param]


of = pytest.mark.parametrize


def test_every_benchmark_passed(outcome: Outcome) -> None:
    assert outcome.unpaired == []
    assert len(outcome.benchmarks) == 8
    assert outcome.verdict == "fail"


@of("found", ["slower"], indirect=True)
def test_one_that_takes_four_times_as_long_is_called_regressed(found: GateBenchmark) -> None:
    assert found.verdict == "regressed"
    assert 2.5 < found.ratio < 6
    assert found.interval[0] < found.ratio < found.interval[1]
    assert found.decision_interval is not None
    assert found.decision_interval[0] > 1.01
    assert "slower" in found.reason


@of("found", ["faster"], indirect=True)
def test_one_that_takes_a_quarter_as_long_is_called_improved(found: GateBenchmark) -> None:
    assert found.verdict == "improved"
    assert 1 / 6 < found.ratio < 1 / 2.5


@of("found", ["long"], indirect=True)
def test_long_calls_overlap_on_one_core_and_are_timed_without_each_other(found: GateBenchmark) -> None:
    assert 1.5 < found.ratio < 2.6


@of("found", ["sleep"], indirect=True)
def test_waiting_that_is_no_waiting_for_a_core_counts(found: GateBenchmark) -> None:
    assert found.base_s is not None
    assert found.base_s >= 0.01
    assert 1.6 < found.ratio < 2.2


@of("found", ["with_setup"], indirect=True)
def test_a_setup_comes_before_each_round_and_is_not_timed(found: GateBenchmark) -> None:
    assert found.base_s is not None
    assert found.base_s < 0.002


@of("found", ["limited"], indirect=True)
def test_without_a_setup_there_are_no_more_rounds_than_the_author_allows(found: GateBenchmark) -> None:
    assert {len(generation) for generation in found.samples} == {5}


@of("found", ["once"], indirect=True)
def test_a_target_that_may_be_called_once_gives_one_pair_a_process(found: GateBenchmark) -> None:
    assert {len(generation) for generation in found.samples} == {1}
    assert found.verdict != "inconclusive" or "more rounds, or a setup" in found.reason


def test_each_side_has_its_own_place_ports_and_temporary_files_and_both_one_hash_seed(
    trees: Trees, tmp_path: Path
) -> None:
    text = """
        import os, pathlib, tempfile
        def test_place(benchmark, tmp_path):
            benchmark(len, ())
            names = ["TIERGATE_DUET_PORTS", "PYTHONHASHSEED"]
            place = [os.getcwd(), tempfile.gettempdir(), str(tmp_path), *(os.environ[name] for name in names)]
            with open(pathlib.Path.cwd().parent / "seen", "a") as file:
                file.write("|".join(place) + chr(10))
    """
    roots = trees(text, text)
    for root in roots:
        options = "--benchmark-disable --benchmark-autosave --benchmark-json=out.json --maxfail=1"
        (root / "pytest.ini").write_text(f"[pytest]\naddopts = {options}\n")
    outcome = played(roots, Rules(looks=(2, 3)))
    assert len(outcome.benchmarks) == 1
    left = {path.name for root in roots for path in root.iterdir()}
    assert left == {"pytest.ini", "test_it.py"}, "nothing is written into a tree"

    lines = [line.split("|") for line in (tmp_path / "seen").read_text().splitlines()]
    base = [line for line in lines if line[0].endswith("base")]
    new = [line for line in lines if line[0].endswith("new")]
    assert len(base) == len(new) >= 2
    for one, other in zip(base, new, strict=True):
        assert not {*one[:4]} & {*other[:4]}
        assert one[4] == other[4]
    assert len({line[4] for line in base}) == len(base), "each generation has a hash seed of its own"
