"""Growth: a store with ten times as many sessions, beside one of the usual size."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import msgspec

from tiergate.bench import BenchSetup
from tiergate.model import Session, Status
from tiergate.record import BenchRow
from tiergate.store import TaskQuery
from tiergate_plugins.benchmarks import opened, peers
from tiergate_plugins.benchmarks.rounds import Sides, p50_rounds, ratio_row
from tiergate_plugins.benchmarks.saves import saver

_TIMES = 10
_BATCH = 500
_PEER = "a tenth as many sessions"
_TARGET = "<= 1.3"


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Saves, loads and queries of `sqlite:` and `json:`, then opening the large `sqlite:`.

    In the large store each session stands ten times, under ten ids: the tasks are held in memory once.
    """
    many = [
        msgspec.structs.replace(session, id=f"{session.id}-{copy}")
        for copy in range(_TIMES)
        for session in sessions
    ]
    queries = _queries(sessions)
    for kind in ("sqlite", "json"):
        setup.progress(f"the growth of {kind}: to {len(many)} sessions")
        small, large = _filled(setup, f"{kind}-small", sessions), _filled(setup, f"{kind}-large", many)
        yield from _compared(setup, kind, (small, sessions), (large, many), queries)
        small.close()
        large.close()
    setup.progress("opening the large store")
    yield from opened.rows(setup, setup.folder / "growth-sqlite-large", many[-1].id)


def _filled(setup: BenchSetup, name: str, sessions: list[Session]) -> peers.Ours:
    kind = name.partition("-")[0]
    peer = peers.Ours(setup.open(f"{kind}:{setup.folder / f'growth-{name}'}"))
    for start in range(0, len(sessions), _BATCH):
        peer.fill(sessions[start : start + _BATCH])
    return peer


def _queries(sessions: list[Session]) -> tuple[TaskQuery, TaskQuery]:
    """Queries that find as many tasks in the small and in the large store.

    Both ask for active tasks of some weight and more. In the large store that weight is the highest one at
    which there are at least as many as have a weight of 5 in the small one; a limit makes them as many.
    """
    weights = sorted(
        (task.weight for one in sessions for task in one.tasks if task.status == Status.ACTIVE), reverse=True
    )
    found = sum(weight >= 5.0 for weight in weights)
    heavier = weights[-(-found // _TIMES) - 1]
    small, large = (
        TaskQuery(statuses=(Status.ACTIVE,), min_weight=weight, limit=found) for weight in (5.0, heavier)
    )
    return small, large


def _compared(
    setup: BenchSetup,
    kind: str,
    small: tuple[peers.Ours, list[Session]],
    large: tuple[peers.Ours, list[Session]],
    queries: tuple[TaskQuery, TaskQuery],
) -> Iterator[BenchRow]:
    each = 5 if setup.quick else 50
    both = {"small": small, "large": large}
    saves = {name: saver(peer, sessions) for name, (peer, sessions) in both.items()}
    yield _row(kind, "save p50", saves, rounds=20, each=each)
    loads = {name: _loader(peer, sessions) for name, (peer, sessions) in both.items()}
    yield _row(kind, "load p50", loads, rounds=20, each=each)
    # `json:` has no index: it reads every session, which takes seconds, and has nothing to reach.
    rounds, each = (15, 3) if kind == "sqlite" else (2 if setup.quick else 5, 1)
    for name, question in (("query", "query"), ("outlines", "query of outlines")):
        asked = {
            side: _asker(getattr(both[side][0].store, name), query)
            for side, query in zip(both, queries, strict=True)
        }
        found = {len(ask()) for ask in asked.values()}
        if found != {queries[0].limit}:
            raise AssertionError(f"the queries do not find as many tasks: {found}")
        row = _row(kind, f"{question} that finds as many", asked, rounds=rounds, each=each)
        row = msgspec.structs.replace(row, details={**row.details, "tasks_found": float(found.pop())})
        if kind == "json":  # has no outlines of its own
            yield msgspec.structs.replace(row, target=None, reached=None)
            return
        yield row


def _row(kind: str, what: str, sides: Sides, *, rounds: int, each: int) -> BenchRow:
    took = p50_rounds(sides, rounds=rounds, each=each)
    return ratio_row(
        f"{kind}: growth tenfold, {what}", took["large"], took["small"], peer=_PEER, target=_TARGET
    )


def _loader(peer: peers.Ours, sessions: list[Session]) -> Callable[[], Session]:
    draw = random.Random(4)
    return lambda: peer.load(draw.choice(sessions).id)


def _asker(ask: Callable[[TaskQuery], list[object]], query: TaskQuery) -> Callable[[], list[object]]:
    return lambda: ask(query)
