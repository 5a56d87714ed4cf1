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

FILES, NORMALISED, LMDB = (
    "one JSON file a session, stdlib",
    "sqlite3 defaults, normalised",
    "LMDB, a key a task",
)
FLOOR, SINGLE, TENTH = "append and fdatasync of 4 KiB", "single saves", "a tenth as many sessions"
ZSTD, HEAVY = "with dictionary on session bodies", "sqlite: active tasks of weight >= 5 in all sessions"
OTHERS = [
    (FILES, ">= 2.5"),
    (NORMALISED, ">= 4"),
    ("diskcache FULL", ">= 2"),
    ("sqlitedict FULL", ">= 1.5"),
    (LMDB, ">= 1.2"),
]
STORAGE = [
    ("json: save one changed task, p50", FLOOR, "<= 1.0"),
    ("sqlite: save one changed task, p50", FLOOR, "<= 1.0"),
    ("json: save one changed task, p50", "overwriting 4 KiB and fdatasync", None),
    ("json: save one changed task, p50", "json:?durability=normal", None),
    ("sqlite: save one changed task, p50", "overwriting 16 KiB and fdatasync", None),
    ("sqlite: save one changed task, p50", "sqlite:?durability=normal", None),
    *[("sqlite: saves/s, one writer", *other) for other in OTHERS],
    ("jsonfile: saves/s, one writer", None, None),
    ("json: batches of 100", SINGLE, ">= 5"),
    ("sqlite: batches of 100", SINGLE, ">= 5"),
    ("json: save one changed task, by step", None, None),
    ("sqlite: save one changed task, by step", None, None),
    *[("sqlite: saves/s, 4 writers", *other) for other in OTHERS],
    ("sqlite: load one session, speed", "a normalised SQLite schema", ">= 2"),
    ("sqlite: load one session, speed", LMDB, ">= 0.75"),
    (f"{HEAVY}, speed", "a scan of stdlib JSON files", ">= 10"),
    (f"{HEAVY}, time", "DuckDB", "<= 1.0"),
    ("codec: decode sessions, speed", "json.loads", ">= 3"),
    ("codec: encode sessions, speed", "json.dumps", ">= 3"),
    (f"zstd -3 {ZSTD}, fast level: ratio", "gzip -6", ">= 1.1"),
    (f"zstd -19 {ZSTD}, dense level: ratio", "gzip -6", ">= 1.25"),
    (f"zstd -3 {ZSTD}: speed", "gzip -6", ">= 2.5"),
    ("zstd+sqlite: read a large session again, speed", "sqlite:", ">= 5"),
    ("zstd+sqlite: a result that spans sessions, speed", "computing it again on sqlite:", ">= 5"),
    ("sqlite:?body=zstd: disk", FILES, "<= 0.31"),
    (
        "migration jsonfile: to sqlite:, verified in full",
        "a bare sqlite3 bulk insert of the same rows",
        "<= 3",
    ),
    ("sqlite: growth tenfold, save p50", TENTH, "<= 1.3"),
    ("sqlite: growth tenfold, load p50", TENTH, "<= 1.3"),
    ("sqlite: growth tenfold, query that finds as many", TENTH, "<= 1.3"),
    ("sqlite: growth tenfold, query of outlines that finds as many", TENTH, "<= 1.3"),
    ("json: growth tenfold, save p50", TENTH, "<= 1.3"),
    ("json: growth tenfold, load p50", TENTH, "<= 1.3"),
    ("json: growth tenfold, query that finds as many", TENTH, None),
    ("sqlite: open the large store, time", None, "<= 1"),
    ("sqlite: open the large store, peak memory", None, "<= 100"),
]
"""Every row of the table that the stores are held to: what, beside what, and what it should reach."""


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
    assert [(row.name, row.peer, row.target) for row in record.rows] == STORAGE
    assert [row.name for row in record.rows if row.note] == []  # nothing was unavailable
    for row in record.rows:
        assert row.interval[0] <= row.value <= row.interval[1]
        assert row.value > 0
        assert row.reached == judged(row).reached
    steps = {row.name: row.details for row in record.rows if row.name.endswith("by step")}
    assert all(0 < parts["disk_us"] < sum(parts.values()) for parts in steps.values())
    assert {"begin_us", "put the task_us", "commit_us"} <= set(
        steps["sqlite: save one changed task, by step"]
    )
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
