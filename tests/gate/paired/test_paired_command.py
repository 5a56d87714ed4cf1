"""The command: exit codes, pure JSON, the record, wrong usage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from duet_desk import ENVIRON, two_trees

from tiergate.record import GateRecord, read_record

pytestmark = pytest.mark.integration

GOOD = """
    def test_sum(benchmark):
        benchmark(sum, range({n}))
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``tiergate gate paired`` with the interpreter of the tests on both sides."""
    command = [sys.executable, "-m", "tiergate", "gate", "paired", "--python", sys.executable, *words]
    environ = {**os.environ, **ENVIRON, "TIERGATE_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environ)


def test_a_slowdown_exits_with_1_and_is_written_down(tmp_path: Path) -> None:
    two_trees(tmp_path, GOOD.format(n=1000), GOOD.format(n=9000))
    done = run(tmp_path, "--base", "base", "--new", "new", "--json", "-o", "gate.json", "test_it.py")
    assert done.returncode == 1, done.stderr
    record = read_record(tmp_path / "gate.json")
    assert isinstance(record, GateRecord)
    assert json.loads(done.stdout)["benchmarks"][0]["verdict"] == "regressed"
    assert record.benchmarks[0].ratio > 2
    assert record.rules is not None
    assert record.base is not None
    assert record.base.label == "base"
    assert "gate paired" in record.command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--base", "base", "--new", "new", "nothing.py"], "the base side has no nothing.py"),
        (["--base", "base", "--new", "new", "-k", "nothing", "test_it.py"], "the base side has no benchmark"),
        (["--base", "nowhere", "--new", "new", "test_it.py"], "'nowhere' is no folder"),
        (["--base", "base", "--new", "nowhere", "test_it.py"], "nowhere"),
        (["--base", "base", "--new", "new", "-o", "no/gate.json", "test_it.py"], "no"),
        (["--base", "base", "--new", "new", "--tolerance", "0", "test_it.py"], "--tolerance"),
    ],
)
def test_wrong_usage_is_one_line_and_exits_with_2(tmp_path: Path, words: list[str], said: str) -> None:
    two_trees(tmp_path, GOOD.format(n=10), GOOD.format(n=10))
    done = run(tmp_path, "-q", *words) if words[0] == "-q" else run(tmp_path, *words)
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert said in last
    assert last.startswith("tiergate: error: ")
    assert done.stdout == ""


def test_a_benchmark_that_breaks_exits_with_3(tmp_path: Path) -> None:
    bad = "    def test_bad(benchmark):\n        benchmark(int, 'x')\n"
    two_trees(tmp_path, GOOD.format(n=10) + bad, GOOD.format(n=10) + bad)
    done = run(tmp_path, "--base", "base", "--new", "new", "-k", "bad", "test_it.py")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "test_it.py::test_bad fails on the" in done.stdout
