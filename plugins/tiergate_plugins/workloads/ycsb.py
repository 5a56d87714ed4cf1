"""The core workloads A to F of YCSB (Cooper et al., Benchmarking cloud serving systems with YCSB, 2010).

YCSB's records are tasks here. The mixes and distributions are those of its table 2 and do not vary with the
seed: Zipfian with the exponent 0.99 over all records, for D over those that were inserted latest.

| YCSB | here |
|---|---|
| record, about 1 kB | task with notes of about `NOTES_WORDS` words |
| read | ``task_get`` |
| update of one field | ``task_update`` of status or weight |
| read-modify-write | ``task_update`` that appends to the notes |
| insert | ``task_add`` to a session chosen uniformly |
| scan of 1 to 100 records | ``critical_path``, which reads a session; they have 1 to 100 tasks, uniformly |

Two things differ. YCSB has one table and no sessions, so scans begin at the beginning of a session, and it
is sessions that are Zipfian for them. And YCSB reads what was inserted as soon as the insert was
acknowledged; a trace is made before anything is, so D reads no task that was inserted less than `SETTLED`
requests before, and none fails for an insert that still waits in a queue.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from msgspec.structs import replace

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate.model import Session, Status
from tiergate.operation import Request
from tiergate_plugins.workloads.parts import make_session, with_tasks, zipf
from tiergate_plugins.workloads.text import sentences, title

EXPONENT = 0.99
"""Of the Zipfian distributions: YCSB's constant."""

MAX_SCAN = 100
"""Most tasks of a session, and so most records of a scan."""

NOTES_WORDS = 210
"""Words of a task's notes: about 1 kB, the ten fields of 100 bytes that a record of YCSB has."""

SETTLED = 100
"""Requests after which an inserted task counts as there."""

Item = tuple[str, str]
"""A record: ids of session and task."""


@dataclass(frozen=True, slots=True)
class Core:
    """One of the core workloads.

    Attributes:
        mix: share of each kind of access, in percent.
        latest: whether reads prefer what was inserted latest.
    """

    letter: str
    summary: str
    mix: dict[str, int]
    latest: bool = False


CORES = (
    Core("a", "YCSB A, update heavy: half reads, half updates", {"read": 50, "update": 50}),
    Core("b", "YCSB B, read mostly: one update in twenty", {"read": 95, "update": 5}),
    Core("c", "YCSB C: reads only", {"read": 100}),
    Core("d", "YCSB D, read latest: new tasks are read most", {"read": 95, "insert": 5}, latest=True),
    Core("e", "YCSB E, short ranges: scans of sessions, one insert in twenty", {"scan": 95, "insert": 5}),
    Core("f", "YCSB F: half reads, half read-modify-writes", {"read": 50, "modify": 50}),
)


def sessions(seed: int, tasks: int) -> list[Session]:
    """Sessions of 1 to `MAX_SCAN` tasks, uniformly, `tasks` tasks in all."""
    random = Random(f"ycsb sessions {seed}")
    made: list[Session] = []
    left = tasks
    while left > 0:
        size = min(left, random.randint(1, MAX_SCAN))
        made.append(_with_records(random, make_session(random, f"table-{len(made) + 1:04}", size)))
        left -= size
    return made


def _with_records(random: Random, session: Session) -> Session:
    tasks = tuple(replace(task, notes=sentences(random, NOTES_WORDS)) for task in session.tasks)
    return replace(session, tasks=tasks)


def requests(core: Core, seed: int, sessions: Sequence[Session], count: int) -> list[Request]:
    """`count` requests on the sessions that have tasks.

    Raises:
        ValueError: no session has a task.
    """
    accesses = _Accesses(core, Random(f"ycsb {core.letter} requests {seed}"), with_tasks(sessions))
    kinds = accesses.random.choices(list(core.mix), weights=list(core.mix.values()), k=count)
    return [accesses.request(number, kind) for number, kind in enumerate(kinds)]


class _Accesses:
    """Draws one access after another, and remembers what it has inserted."""

    def __init__(self, core: Core, random: Random, sessions: list[Session]) -> None:
        self.random = random
        self._latest = core.latest
        self._by_popularity = random.sample(sessions, k=len(sessions))
        self._items: list[Item] = [(session.id, task.id) for session in sessions for task in session.tasks]
        # As YCSB scrambles its keys: what is popular lies anywhere. Latest is by order, so that stays.
        if not core.latest:
            random.shuffle(self._items)
        self._taken = {session.id: {task.id for task in session.tasks} for session in sessions}
        self._inserted_at: list[int] = []
        self._first_inserted = len(self._items)
        self._item_weights = zipf(len(self._items), EXPONENT)
        self._session_weights = zipf(len(sessions), EXPONENT)

    def request(self, number: int, kind: str) -> Request:
        if kind == "insert":
            return self._insert(number)
        if kind == "scan":
            (session,) = self.random.choices(self._by_popularity, cum_weights=self._session_weights)
            return Request(number, "critical_path", session.id, {})
        session_id, task = self._item(number)
        if kind == "read":
            return Request(number, "task_get", session_id, {"task": task})
        change = self._update() if kind == "update" else {"append_notes": sentences(self.random, 15)}
        return Request(number, "task_update", session_id, {"task": task, **change})

    def _item(self, number: int) -> Item:
        (rank,) = self.random.choices(range(len(self._item_weights)), cum_weights=self._item_weights)
        if not self._latest:
            return self._items[rank]
        settled = self._first_inserted + bisect_right(self._inserted_at, number - SETTLED)
        return self._items[settled - 1 - rank]

    def _update(self) -> dict[str, Any]:
        if self.random.random() < 0.5:
            return {"status": self.random.choice(list(Status)).value}
        return {"weight": float(self.random.choice((1, 2, 3, 5, 8)))}

    def _insert(self, number: int) -> Request:
        session = self.random.choice(self._by_popularity)
        taken = self._taken[session.id]
        name = f"added-{number}"
        while name in taken:  # somebody's own session may hold any id
            name += "x"
        taken.add(name)
        if self._latest:
            self._items.append((session.id, name))
            self._inserted_at.append(number)
        arguments = {"task": name, "title": title(self.random), "notes": sentences(self.random, NOTES_WORDS)}
        return Request(number, "task_add", session.id, arguments)


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The six workloads, ``ycsb-a`` to ``ycsb-f``."""
    for core in CORES:
        yield WorkloadDeclaration(
            name=f"ycsb-{core.letter}",
            summary=core.summary,
            sessions=sessions,
            requests=partial(requests, core),
        )
