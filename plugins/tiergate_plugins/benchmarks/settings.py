"""What each setting of `sqlite:` is worth, beside what the store has chosen."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from tiergate.bench import BenchSetup
from tiergate.model import Session
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks.rounds import interval_of, p50_rounds, ratio_row
from tiergate_plugins.benchmarks.settings_choices import SETTINGS, STORE, Choice, Setting
from tiergate_plugins.benchmarks.settings_database import Database, clustered, rows_of, tables_of

_CHOSEN = ""
"""The side of what the store has chosen; the others go by the names of their choices."""
_WRITERS = 4

Rounds = dict[str, list[float]]
"""Seconds by round, by side."""


@dataclass(frozen=True, slots=True)
class _Work:
    setup: BenchSetup
    sessions: list[Session]
    rows: list[tuple[str, bytes, list[tuple[Any, ...]]]]
    tables: list[str]


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """A row for each choice that was not made: its save of one task, and in the note the rest."""
    schema = setup.folder / "schema.db"
    setup.open(f"sqlite:{schema}").close()
    work = _Work(setup, sessions, [rows_of(session) for session in sessions], tables_of(schema))
    for setting in SETTINGS:
        setup.progress(setting.name)
        yield from _compared(work, setting)


def _compared(work: _Work, setting: Setting) -> Iterator[BenchRow]:
    choices = {_CHOSEN: STORE, **{choice.name: choice for choice in setting.others}}
    paths = {name: work.setup.folder / f"{setting.name}-{number}.db" for number, name in enumerate(choices)}
    quick = work.setup.quick
    took = {"bulk insert": _filled(work, choices, paths)}
    sizes = {name: float(path.stat().st_size) for name, path in paths.items()}
    opened = {name: Database(paths[name], choice) for name, choice in choices.items()}
    for (
        database
    ) in opened.values():  # a cache that is still growing is slower than either a small or a full one
        for session in work.sessions:
            database.load(session.id)
    for what, make in (("save", _saver), ("load", _loader)):
        sides = {name: make(database, work.sessions) for name, database in opened.items()}
        took[what] = p50_rounds(sides, rounds=5 if quick else 20, each=5 if quick else 25)
    for database in opened.values():
        database.close()
    if setting.writers:
        took[f"{_WRITERS} writers"] = _several(work, choices, paths)
    for path in paths.values():
        path.unlink()
    for choice in setting.others:
        yield _row(setting, choice.name, took, sizes)


def _filled(work: _Work, choices: dict[str, Choice], paths: dict[str, Path]) -> Rounds:
    """Seconds from making a database until it is closed with everything in it."""
    found: Rounds = {name: [] for name in choices}
    draw, names = random.Random(6), list(choices)
    tables = {
        name: clustered(work.tables) if choice.clustered else work.tables for name, choice in choices.items()
    }
    for _ in range(2 if work.setup.quick else 5):
        draw.shuffle(names)
        for name in names:
            paths[name].unlink(missing_ok=True)
            start = time.perf_counter()
            database = Database(paths[name], choices[name], tables[name])
            database.fill(work.rows)
            database.close()
            found[name].append(time.perf_counter() - start)
    return found


def _saver(database: Database, sessions: list[Session]) -> Callable[[], object]:
    draw, numbers = random.Random(3), itertools.count()

    def save() -> None:
        session = draw.choice(sessions)
        task = draw.choice(session.tasks)
        database.save(session.id, msgspec.structs.replace(task, title=f"{task.title} {next(numbers)}"))

    return save


def _loader(database: Database, sessions: list[Session]) -> Callable[[], object]:
    draw = random.Random(4)
    return lambda: database.load(draw.choice(sessions).id)


def _several(work: _Work, choices: dict[str, Choice], paths: dict[str, Path]) -> Rounds:
    """Seconds of a save when several write at once, each on its connection and to its own sessions."""
    quick = work.setup.quick
    each = 10 if quick else 100
    found: Rounds = {name: [] for name in choices}
    draw, names = random.Random(5), list(choices)
    for _ in range(5 if quick else 15):
        draw.shuffle(names)
        for name in names:
            writers = [Database(paths[name], choices[name]) for _ in range(_WRITERS)]
            saves = [_saver(writer, work.sessions[number::_WRITERS]) for number, writer in enumerate(writers)]
            with ThreadPoolExecutor(_WRITERS) as threads:
                start = time.perf_counter()
                for done in [threads.submit(_repeat, save, each) for save in saves]:
                    done.result()
                found[name].append((time.perf_counter() - start) / (each * _WRITERS))
            for writer in writers:
                writer.close()
    return found


def _repeat(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()


def _row(setting: Setting, name: str, took: dict[str, Rounds], sizes: dict[str, float]) -> BenchRow:
    saves = took["save"]
    row = ratio_row(
        f"{setting.name} {name}: save one task, p50",
        saves[name],
        saves[_CHOSEN],
        peer=f"{setting.chosen}, as in sqlite:",
        target=None,
    )
    details, notes = dict(row.details), []
    for what, seconds in took.items():
        if what == "save":
            continue
        ratios = [one / other for one, other in zip(seconds[name], seconds[_CHOSEN], strict=True)]
        low, high = interval_of(ratios)
        word = what.replace(" ", "_")
        details |= {
            f"{word}_x": median(ratios),
            f"{word}_low_x": low,
            f"{word}_high_x": high,
            f"{word}_over_us": median(seconds[name]) * 1e6,
            f"{word}_under_us": median(seconds[_CHOSEN]) * 1e6,
        }
        notes.append(f"{what} {median(ratios):.2f} ({low:.2f}..{high:.2f})")
    details |= {"over_bytes": sizes[name], "under_bytes": sizes[_CHOSEN]}
    notes.append(f"bytes {sizes[name] / sizes[_CHOSEN]:.2f}")
    return msgspec.structs.replace(row, details=details, note=", ".join(notes))
