"""Reads: one session, and a question about all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tiergate.bench import BenchSetup
from tiergate.model import Session, Status
from tiergate.record import BenchRow
from tiergate.store import TaskQuery
from tiergate_plugins.benchmarks import peers, peers_installed
from tiergate_plugins.benchmarks.rounds import p50_rounds, ratio_row, total_rounds

_HEAVY = TaskQuery(statuses=(Status.ACTIVE,), min_weight=5.0)


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Every row about reads."""
    ours = peers.Ours(setup.open(f"sqlite:{setup.folder / 'reads.db'}"))
    ours.fill(sessions)
    yield from _loads(setup, sessions, ours)
    yield from _questions(setup, sessions, ours)
    ours.close()


def _loads(setup: BenchSetup, sessions: list[Session], ours: peers.Ours) -> Iterator[BenchRow]:
    setup.progress("loading one session")
    normalised = peers.Normalised(setup.folder / "reads-normalised.db")
    lmdb = peers_installed.Lmdb(setup.folder / "reads-lmdb")
    for peer in (normalised, lmdb):
        peer.fill(sessions)
    _require_equal(sessions, ours, normalised, lmdb)
    sides = {
        "sqlite:": _loader(ours, sessions),
        "a normalised SQLite schema": _loader(normalised, sessions),
        "LMDB, a key a task": _loader(lmdb, sessions),
    }
    took = total_rounds(sides, rounds=20, each=10 if setup.quick else 100)
    for name, target in (("a normalised SQLite schema", ">= 2"), ("LMDB, a key a task", ">= 0.75")):
        yield ratio_row(
            "sqlite: load one session, speed", took[name], took["sqlite:"], peer=name, target=target
        )
    normalised.close()
    lmdb.close()


def _loader(peer: peers.Loads, sessions: list[Session]) -> Callable[[], object]:
    draw = random.Random(4)
    return lambda: peer.load(draw.choice(sessions).id)


def _require_equal(sessions: list[Session], ours: peers.Ours, *others: peers.Loads) -> None:
    """A side that reads less would look fast."""
    expected = list(sessions[7].tasks)
    for found in (list(ours.load(sessions[7].id).tasks), *(peer.load(sessions[7].id) for peer in others)):
        if found != expected:
            raise AssertionError("the stores do not give back equal tasks")


def _questions(setup: BenchSetup, sessions: list[Session], ours: peers.Ours) -> Iterator[BenchRow]:
    setup.progress("active tasks of weight 5 and more in all sessions")
    files = peers.JsonFiles(setup.folder / "reads-files")
    duckdb = peers_installed.DuckDb(setup.folder / "reads.duckdb")
    files.fill(sessions)
    duckdb.fill(sessions)

    def ask() -> list[peers.Row]:
        return [(hit.id, hit.session, hit.title) for hit in ours.store.outlines(_HEAVY)]

    if not ask() == files.active(5.0) == duckdb.active(5.0):
        raise AssertionError("the stores do not give equal answers")
    quick = p50_rounds(
        {"ours": ask, "duckdb": lambda: duckdb.active(5.0)}, rounds=20, each=3 if setup.quick else 20
    )
    slow = p50_rounds({"ours": ask, "files": lambda: files.active(5.0)}, rounds=7, each=1)
    question = "sqlite: active tasks of weight >= 5 in all sessions"
    yield ratio_row(
        f"{question}, speed",
        slow["files"],
        slow["ours"],
        peer="a scan of stdlib JSON files",
        target=">= 10",
        unit="ms",
    )
    yield ratio_row(
        f"{question}, time", quick["ours"], quick["duckdb"], peer="DuckDB", target="<= 1.0", unit="ms"
    )
    duckdb.close()
