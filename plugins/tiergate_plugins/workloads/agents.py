"""A coding agent's day: many reads and updates of single tasks, now and then a look across everything.

Sessions are asked for with Zipf-distributed popularity, and their sizes are heavy-tailed. How the mix,
the popularity and the sizes come out is drawn from the seed. Nothing here knows what an operation costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate.operation import Request
from tiergate_plugins.workloads.text import NOUNS, sentences, title

MIX = {"task_get": 52.0, "task_update": 26.0, "tasks_query": 7.0, "critical_path": 9.0, "search": 6.0}
"""Share of each operation, in percent, before the seed varies it."""

_FIRST_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
_STATUS_WEIGHTS = {
    Status.QUEUED: 45,
    Status.ACTIVE: 8,
    Status.BLOCKED: 7,
    Status.COMPLETED: 35,
    Status.ABANDONED: 5,
}


def sessions(seed: int, tasks: int) -> list[Session]:
    """Sessions with heavy-tailed sizes, `tasks` tasks in all (Pareto, shape 1.1 to 1.5, at least 4 each)."""
    random = Random(f"agents sessions {seed}")
    shape = random.uniform(1.1, 1.5)
    made: list[Session] = []
    left = tasks
    while left > 0:
        size = min(left, int(4 * random.paretovariate(shape)), max(4, tasks // 5))
        made.append(_session(random, f"plan-{len(made) + 1:04}", size))
        left -= size
    return made


def _session(random: Random, name: str, size: int) -> Session:
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


def requests(seed: int, sessions: Sequence[Session], count: int) -> list[Request]:
    """`count` requests on the sessions that have tasks.

    Raises:
        ValueError: no session has a task.
    """
    random = Random(f"agents requests {seed}")
    filled = [session for session in sessions if session.tasks]
    if not filled:
        raise ValueError("no session has a task")
    random.shuffle(filled)
    exponent = random.uniform(0.8, 1.2)
    popularity = list(accumulate(1 / rank**exponent for rank in range(1, len(filled) + 1)))
    mix = {name: share * random.uniform(0.8, 1.25) for name, share in MIX.items()}
    operations = random.choices(list(mix), weights=list(mix.values()), k=count)
    chosen = random.choices(filled, cum_weights=popularity, k=count)
    return [
        _request(random, number, operation, session)
        for number, (operation, session) in enumerate(zip(operations, chosen, strict=True))
    ]


def _request(random: Random, number: int, operation: str, session: Session) -> Request:
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


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield WorkloadDeclaration(
        name="agents",
        summary="a coding agent's day: mostly single tasks, now and then everything",
        sessions=sessions,
        requests=requests,
    )
