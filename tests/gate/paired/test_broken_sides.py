"""Benchmarks that fail, are missing, hang or kill their process: named, and the rest is judged."""

from __future__ import annotations

import pytest
from duet_desk import GateBenchmark, Outcome, Play, played, two_trees

from tiergate.errors import UsageError
from tiergate.gate.paired.processes import SideGone
from tiergate.gate.sequential import Rules
from tiergate.gate.verdict import verdict_of

pytestmark = pytest.mark.integration

GOOD = """
    def test_good(benchmark):
        benchmark(sorted, range(200))
"""
OTHERS = """
    import pytest
    @pytest.mark.parametrize("number", range(4))
    def test_other(benchmark, number):
        benchmark(sorted, range(200))
"""
SKIP = "__import__('pytest').skip('no such device')"

BAD = {
    "raises_before": ("raise ValueError('in the setup')", "ValueError: in the setup"),
    "raises_within": ("benchmark(lambda: 1 / 0)", "ZeroDivisionError"),
    "asserts_after": ("benchmark(len, ()); assert 1 == 2", "assert 1 == 2"),
    "runs_dry": ("benchmark(next, iter(range(30)))", "StopIteration"),
    "measures_twice": ("benchmark(len, ()); benchmark(len, ())", "FixtureAlreadyUsed"),
    "never_calls": ("pass", "it did not call its benchmark"),
}
"""What goes wrong on the new side, and what is said of it."""

EVERYWHERE = "    def test_everywhere(benchmark):\n        benchmark(int, 'x')\n"


def _suite(bodies: dict[str, str]) -> str:
    tests = (f"    def test_{name}(benchmark):\n        {body}\n" for name, body in bodies.items())
    return GOOD + OTHERS + "".join(tests) + EVERYWHERE


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Each of them works on the base side and fails on the new one; one fails on both."""
    works = "benchmark(len, ())"
    base = {**dict.fromkeys(BAD, works), "skipped_new": works, "skipped_base": SKIP, "skipped_both": SKIP}
    new = {name: body for name, (body, _) in BAD.items()}
    new |= {"skipped_new": SKIP, "skipped_base": works, "skipped_both": SKIP}
    return played(two_trees(tmp_path_factory.mktemp("trees"), _suite(base), _suite(new)))


@pytest.mark.parametrize("name", BAD)
def test_a_benchmark_that_fails_on_one_side_is_named(outcome: Outcome, name: str) -> None:
    (lost,) = [one for one in outcome.unpaired if one.name == f"test_it.py::test_{name}"]
    assert (lost.side, lost.problem) == ("new", "failed")
    assert BAD[name][1] in lost.detail


def test_one_that_fails_on_both_sides_is_named_and_the_others_are_judged(outcome: Outcome) -> None:
    (lost,) = [one for one in outcome.unpaired if one.name.endswith("test_everywhere")]
    assert "invalid literal" in lost.detail
    good = ["test_good", *(f"test_other[{number}]" for number in range(4))]
    assert [one.name.partition("::")[2] for one in outcome.benchmarks] == good
    assert all(all(one.samples) for one in outcome.benchmarks), "whatever came before them"
    assert outcome.verdict != "pass"


@pytest.mark.parametrize(("where", "side"), [("new", "new"), ("base", "base"), ("both", "base")])
def test_a_skip_is_no_failure_and_is_laid_to_the_new_side_only_where_the_base_ran(
    outcome: Outcome, where: str, side: str
) -> None:
    (lost,) = [one for one in outcome.unpaired if one.name.endswith(f"skipped_{where}")]
    assert (lost.side, lost.problem) == (side, "skipped")
    assert "no such device" in lost.detail
    assert verdict_of(outcome.benchmarks[:0], [lost]) == "inconclusive", "where nothing else was judged"
    passing = [GateBenchmark(name="a", ratio=1.0, interval=(1.0, 1.0), verdict="same", seconds=1.0)]
    assert verdict_of(passing, [lost]) == ("inconclusive" if where == "new" else "pass")


def test_missing_and_renamed_ones_are_named_with_the_name_they_may_have_now(play: Play) -> None:
    old = GOOD + "    def test_parse_small_file(benchmark):\n        benchmark(len, ())\n"
    new = GOOD + "    def test_parse_small_files(benchmark):\n        benchmark(len, ())\n"
    outcome = play(old, new)
    found = {(one.name.partition("::")[2], one.side, one.problem): one.detail for one in outcome.unpaired}
    assert found == {
        ("test_parse_small_file", "new", "missing"): "renamed to test_it.py::test_parse_small_files?",
        ("test_parse_small_files", "base", "missing"): "",
    }
    assert outcome.verdict == "inconclusive", "what the base promises was not judged"


def test_a_benchmark_that_is_new_does_not_keep_the_gate_from_passing(play: Play) -> None:
    easy = Rules(tolerance=0.5, same_within=0.9, looks=(3, 5))
    outcome = play(GOOD, GOOD + "    def test_new(benchmark):\n        benchmark(len, ())\n", easy)
    assert [one.side for one in outcome.unpaired] == ["base"]
    assert outcome.verdict == "pass"


def test_zero_benchmarks_are_an_error(play: Play) -> None:
    with pytest.raises(UsageError, match=r"the new side has no benchmark.*the other side has 1"):
        play(GOOD, "def test_plain(): pass")


def test_a_file_that_cannot_be_imported_is_named(play: Play) -> None:
    with pytest.raises(
        UsageError, match=r"the new side has no benchmark.*No module named 'nowhere_to_be_found'"
    ):
        play(
            GOOD, "import nowhere_to_be_found" + GOOD.replace("    def", "def").replace("        b", "    b")
        )


def test_no_common_name_is_an_error(play: Play) -> None:
    with pytest.raises(UsageError, match=r"no benchmark is on both sides.*test_good.*test_other"):
        play(GOOD, GOOD.replace("test_good", "test_other"))


def test_a_side_that_is_killed_is_named_with_the_signal(play: Play) -> None:
    bad = """
    import os, signal
    def test_good(benchmark):
        benchmark(lambda: os.kill(os.getpid(), signal.SIGKILL))
    """
    with pytest.raises(SideGone, match=r"the new side .*ended by signal 9"):
        play(GOOD, bad)


def test_a_side_that_hangs_is_given_up(play: Play) -> None:
    bad = """
    import time
    def test_good(benchmark):
        benchmark(time.sleep, 600)
    """
    with pytest.raises(SideGone, match=r"the new side .*said nothing for 6 s.*--timeout"):
        play(GOOD, bad, patience_s=6.0)
