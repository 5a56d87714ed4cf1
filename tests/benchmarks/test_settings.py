"""The benchmark of SQLite's settings: it measures what the store does, and every other choice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tiergate.bench import BenchSetup
from tiergate.errors import RunError, UsageError
from tiergate.store import Store
from tiergate_plugins.benchmarks import sizes
from tiergate_plugins.benchmarks.settings_choices import SETTINGS, STORE, Choice
from tiergate_plugins.benchmarks.settings_database import Database, clustered, rows_of, tables_of
from tiergate_plugins.benchmarks.texts import make_sessions
from tiergate_plugins.storage.sqlite_store import SqliteStore

CHOICES = {
    "control": {"the same again"},
    "page_size": {"1024", "8192", "16384"},
    "cache_size": {"-500", "-16000", "-64000"},
    "mmap_size": {"67108864", "1073741824"},
    "tasks": {"WITHOUT ROWID"},
    "temp_store": {"MEMORY"},
    "wal_autocheckpoint": {"100", "1000", "10000"},
    "journal_mode": {"DELETE", "TRUNCATE"},
    "synchronous": {"FULL"},
    "locking_mode": {"EXCLUSIVE"},
    "auto_vacuum": {"FULL", "INCREMENTAL"},
    "cached_statements": {"0", "4"},
}
PRAGMAS = (
    "page_size",
    "cache_size",
    "mmap_size",
    "temp_store",
    "wal_autocheckpoint",
    "journal_mode",
    "journal_size_limit",
    "synchronous",
    "locking_mode",
    "auto_vacuum",
)


def tables(folder: Path) -> list[str]:
    SqliteStore(folder / "made.db").close()
    return tables_of(folder / "made.db")


def test_the_quick_run_shows_every_choice_beside_that_of_the_store() -> None:
    command = [sys.executable, "-c", "import sys; from tiergate.cli import main; sys.exit(main())"]
    words = ["bench", "sqlite-settings", "--quick"]
    done = subprocess.run([*command, *words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    wanted = [f"{name} {choice}" for name, choices in CHOICES.items() for choice in choices]
    assert sorted(row["name"].partition(":")[0] for row in rows) == sorted(wanted)
    for row in rows:
        assert (row["target"], row["reached"]) == (None, None)
        assert row["interval"][0] <= row["value"] <= row["interval"][1]
        assert {"over_us", "under_us", "load_x", "bulk_insert_x", "over_bytes"} <= set(row["details"])
        assert "load" in row["note"]
    writers = [row["name"] for row in rows if "4_writers_x" in row["details"]]
    assert writers == ["synchronous FULL: save one task, p50"]


def test_what_is_compared_with_is_set_up_as_the_store_is(tmp_path: Path) -> None:
    bench = Database(tmp_path / "bench.db", STORE, tables(tmp_path))
    store = SqliteStore(tmp_path / "store.db")
    connection = store._connection
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    assert {name: bench.setting(name) for name in PRAGMAS} == found
    assert store._log.syncs is STORE.log_synced
    bench.close()
    store.close()


@pytest.mark.parametrize(
    ("setting", "choice"),
    [(one.name, choice) for one in SETTINGS for choice in one.others if one.name in PRAGMAS],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_choice_is_what_the_database_then_says(tmp_path: Path, setting: str, choice: Choice) -> None:
    words = {"MEMORY": "2", "FULL": {"synchronous": "2", "auto_vacuum": "1"}.get(setting), "INCREMENTAL": "2"}
    database = Database(tmp_path / "one.db", choice, tables(tmp_path))
    expected = words.get(choice.name) or choice.name
    assert str(database.setting(setting)).upper() == expected
    database.close()


def test_all_choices_read_what_was_written(tmp_path: Path) -> None:
    (session,) = make_sessions(seed=1, sessions=1, tasks=5)
    made = tables(tmp_path)
    found = []
    for number, choice in enumerate([STORE, *(choice for one in SETTINGS for choice in one.others)]):
        laid_out = clustered(made) if choice.clustered else made
        database = Database(tmp_path / f"{number}.db", choice, laid_out)
        database.fill([rows_of(session)])
        database.save(session.id, session.tasks[2])
        found.append(database.load(session.id))
        database.close()
    assert len(found) == 23
    assert [name for name, _ in found[0][1]] == [task.id for task in session.tasks]
    assert found.count(found[0]) == len(found)


def test_a_table_that_the_benchmark_does_not_know_is_refused() -> None:
    with pytest.raises(RunError, match="not the one that this benchmark knows"):
        clustered(["CREATE TABLE tasks (id TEXT)"])


def test_a_store_that_cannot_compress_bodies_is_shown_as_that(tmp_path: Path) -> None:
    def refuse(address: str) -> Store:
        raise UsageError("unknown option 'body'", where=address)

    setup = BenchSetup(folder=tmp_path, open=refuse, progress=lambda doing: None)
    (row,) = sizes.rows(setup, [])
    assert (row.reached, row.target, row.note) == (False, "<= 0.31", "not available: unknown option 'body'")
