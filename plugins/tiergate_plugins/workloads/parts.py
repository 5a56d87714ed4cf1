"""What the workloads share: sessions and tasks as agents write them, popularity, requests by operation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from tiergate.model import Session, Status, Task
from tiergate.operation import Request
from tiergate_plugins.workloads.text import NOUNS, sentences, title

_FIRST_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
_STATUS_WEIGHTS = {
    Status.QUEUED: 45,
    Status.ACTIVE: 8,
    Status.BLOCKED: 7,
    Status.COMPLETED: 35,
    Status.ABANDONED: 5,
}


def make_session(random: Random, name: str, size: int) -> Session:
    """A session of `size` tasks that depend on earlier ones only."""
    start = _FIRST_DAY + timedelta(minutes=random.randrange(200_000))
    tasks = tuple(
        _task(random, number, start + timedelta(minutes=7 * number)) for number in range(1, size + 1)
    )
    return Session(id=name, title=title(random), created_at=start.isoformat(), tasks=tasks)


def _task(random: Random, number: int, created: datetime) -> Task:
    before = range(max(1, number - 12), number)
    dependencies = random.sample(before, k=min(len(before), random.choice((0, 0, 1, 1, 2))))
    return Task(
        id=f"t{number}",
        title=title(random),
        notes=sentences(random, int(random.lognormvariate(3.9, 0.8)) + 1),
        status=random.choices(list(_STATUS_WEIGHTS), weights=list(_STATUS_WEIGHTS.values()))[0],
        weight=float(random.choice((1, 1, 2, 3, 5, 8))),
        dependencies=tuple(f"t{other}" for other in sorted(dependencies)),
        labels=tuple(random.sample(NOUNS, k=random.randrange(3))),
        created_at=created.isoformat(),
        updated_at=(created + timedelta(hours=random.randrange(400))).isoformat(),
    )


def with_tasks(sessions: Sequence[Session]) -> list[Session]:
    """The sessions that have tasks, in a list of its own.

    Raises:
        ValueError: no session has a task.
    """
    filled = [session for session in sessions if session.tasks]
    if not filled:
        raise ValueError("no session has a task")
    return filled


def zipf(count: int, exponent: float) -> list[float]:
    """Cumulative weights of `count` ranks, the first the most popular: rank r weighs ``1 / r**exponent``."""
    return list(accumulate(1 / rank**exponent for rank in range(1, count + 1)))


def make_request(random: Random, number: int, operation: str, session: Session) -> Request:
    """A request of one of the operations that agents use, on a session that has tasks or on them all."""
    task = random.choice(session.tasks)
    arguments: dict[str, Any]
    if operation == "task_get":
        arguments = {"task": task.id}
    elif operation == "task_update":
        arguments = {"task": task.id, "append_notes": sentences(random, random.randrange(3, 30))}
        if random.random() < 0.4:
            arguments["status"] = random.choice((Status.ACTIVE, Status.COMPLETED)).value
    elif operation == "critical_path":
        arguments = {}
    elif operation == "tasks_query":
        return Request(number, operation, None, _query(random))
    else:
        return _search(random, number, session)
    return Request(number, operation, session.id, arguments)


def _query(random: Random) -> dict[str, Any]:
    arguments: dict[str, Any] = {"limit": random.choice((10, 20, 50))}
    if random.random() < 0.8:
        arguments["statuses"] = [random.choice((Status.QUEUED, Status.ACTIVE, Status.BLOCKED)).value]
    if random.random() < 0.5:
        arguments["min_weight"] = float(random.choice((2, 3, 5)))
    if random.random() < 0.5:
        arguments["text"] = random.choice(NOUNS)
    return arguments


def _search(random: Random, number: int, session: Session) -> Request:
    text = f"{random.choice(session.tasks).title} {sentences(random, random.randrange(2, 20))}"
    if random.random() < 0.6:
        return Request(number, "search", session.id, {"text": text, "within": "session"})
    return Request(number, "search", None, {"text": text, "within": "store"})
