"""``tiergate bench``: areas, rows, records, and peers that are not installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tiergate.record import BenchRecord, BenchRow, read_record
from tiergate_plugins.benchmarks.rounds import judged, p50_rounds, ratio_row, total_rounds
from tiergate_plugins.benchmarks.texts import make_sessions

PEERS = ("diskcache", "duckdb", "lmdb", "sqlitedict")
MISSING = [name for name in PEERS if importlib.util.find_spec(name) is None]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from tiergate.cli import main; sys.exit(main())"]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.integration
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_a_quick_run_measures_every_row_and_writes_the_record(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    done = run("bench", "storage", "--quick", "--json", "-o", str(output), "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    record = read_record(output)
    assert isinstance(record, BenchRecord)
    assert json.loads(done.stdout)["rows"] == json.loads(output.read_bytes())["rows"]
    assert record.area == "storage"
    assert "quick" in record.remarks[0]
    assert len(record.rows) >= 25
    for row in record.rows:
        assert row.interval[0] <= row.value <= row.interval[1]
        assert row.peer
        assert row.reached == judged(row).reached
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]  # what was measured is cleared away


def test_areas_are_listed_and_an_unknown_one_is_named() -> None:
    listed = run("bench").stdout
    assert "storage" in listed
    assert ("pip install 'tiergate[bench]'" if MISSING else "the stores beside") in listed
    if MISSING:
        done = run("bench", "storage")
        assert (done.returncode, done.stdout, "tiergate[bench]" in done.stderr) == (2, "", True)
    done = run("bench", "storge")
    assert (done.returncode, done.stdout) == (2, "")
    assert "storge" in done.stderr


def test_a_ratio_is_that_of_the_rounds_and_judged_by_its_target() -> None:
    row = ratio_row("x", [2.0, 4.0, 6.0], [1.0, 2.0, 3.0], peer="y", target=">= 2")
    assert (row.value, row.interval, row.reached) == (2.0, (2.0, 2.0), True)
    assert judged(BenchRow(name="x", value=1.1, interval=(1, 2), unit="x", target="<= 1.0")).reached is False
    assert judged(BenchRow(name="x", value=1.0, interval=(1, 2), unit="x", target="<= 1.0")).reached is True


def test_sides_are_called_as_often_as_each_other() -> None:
    calls: list[str] = []
    sides = {name: (lambda name=name: calls.append(name)) for name in "abc"}
    for rounds in (p50_rounds, total_rounds):
        calls.clear()
        took = rounds(sides, rounds=4, each=5)
        assert [len(took[name]) for name in "abc"] == [4, 4, 4]
        assert [calls.count(name) for name in "abc"] == [20, 20, 20]
    assert calls[:15] != sorted(calls[:15]) or calls[15:30] != sorted(calls[15:30])


def test_texts_are_the_same_for_a_seed_and_hardly_repeat() -> None:
    sessions = make_sessions(seed=1, sessions=20, tasks=50)
    assert (
        sessions
        == make_sessions(seed=1, sessions=20, tasks=50)
        != make_sessions(seed=2, sessions=20, tasks=50)
    )
    notes = [task.notes for session in sessions for task in session.tasks]
    assert len(set(notes)) > 0.99 * len(notes)
