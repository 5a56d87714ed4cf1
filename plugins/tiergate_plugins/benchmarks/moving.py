"""Migration with full verification, beside writing the same rows and nothing else."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.model import Session, encode
from tiergate.record import BenchRow, MigrationRecord
from tiergate_plugins.benchmarks import peers
from tiergate_plugins.benchmarks.rounds import ratio_row, seconds

_TABLE = """
    CREATE TABLE tasks (position INTEGER PRIMARY KEY, session INTEGER NOT NULL, id TEXT NOT NULL,
        title TEXT NOT NULL, status TEXT NOT NULL, weight REAL NOT NULL, updated_at TEXT NOT NULL,
        body BLOB NOT NULL)
"""


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """`jsonfile:` to `sqlite:`: the whole command, from the start of its process to its end."""
    setup.progress("a migration beside a bare insert of the same rows")
    source = f"jsonfile:{setup.folder / 'moved.json'}"
    filled = peers.Ours(setup.open(source))
    filled.fill(sessions)
    filled.close()
    inserted = _rows(sessions)
    moved: list[MigrationRecord] = []
    took: dict[str, list[float]] = {"migration": [], "insert": []}
    for number in range(2 if setup.quick else 5):
        place = setup.folder / f"moving-{number}"
        place.mkdir()
        sides = {
            "migration": lambda place=place: moved.append(_migrate(source, place)),
            "insert": lambda place=place: _insert(place / "bare.db", inserted),
        }
        for name in sorted(sides, reverse=bool(number % 2)):
            took[name].append(seconds(sides[name]))
        shutil.rmtree(place)
    if any(record.state != "verified" or record.tasks != len(inserted) for record in moved):
        raise RunError("the migration did not bring over and verify every task", where=source)
    row = ratio_row(
        "migration jsonfile: to sqlite:, verified in full",
        took["migration"],
        took["insert"],
        peer="a bare sqlite3 bulk insert of the same rows",
        target="<= 3",
        unit="s",
    )
    steps = {f"{name}_s": median(one.seconds[name] for one in moved) for name in moved[0].seconds}
    yield msgspec.structs.replace(row, details={**row.details, **steps, "tasks": float(len(inserted))})


def _rows(sessions: list[Session]) -> list[tuple[Any, ...]]:
    """The columns of the store, and its bodies."""
    return [
        (key, task.id, task.title, task.status.value, task.weight, task.updated_at or "", encode(task))
        for key, session in enumerate(sessions)
        for task in session.tasks
    ]


def _migrate(source: str, place: Path) -> MigrationRecord:
    command = [sys.executable, "-m", "tiergate", "migrate", source, f"sqlite:{place / 'new.db'}", "--json"]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=place,
        env={**os.environ, "TIERGATE_STATE": str(place / "state")},
    )
    if done.returncode:
        raise RunError(f"the migration failed: {done.stderr.decode(errors='replace').strip()}", where=source)
    return msgspec.json.decode(done.stdout, type=MigrationRecord)


def _insert(path: Path, inserted: list[tuple[Any, ...]]) -> None:
    """One table without an index, one transaction, synced; closing brings the log into the database."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_TABLE)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO tasks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", inserted)
    connection.execute("COMMIT")
    connection.close()
