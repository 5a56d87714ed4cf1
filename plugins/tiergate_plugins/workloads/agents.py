"""A coding agent's day: many reads and updates of single tasks, now and then a look across everything.

Sessions are asked for with Zipf-distributed popularity, and their sizes are heavy-tailed. How the mix,
the popularity and the sizes come out is drawn from the seed. Nothing here knows what an operation costs.

The workload `bursts` is the same, arriving in bursts: the same seed gives the same requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tiergate.arrivals import bursts
from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate.model import Session
from tiergate.operation import Request
from tiergate_plugins.workloads.parts import make_request, make_session, with_tasks, zipf

MIX = {"task_get": 52.0, "task_update": 26.0, "tasks_query": 7.0, "critical_path": 9.0, "search": 6.0}
"""Share of each operation, in percent, before the seed varies it."""


def sessions(seed: int, tasks: int) -> list[Session]:
    """Sessions with heavy-tailed sizes, `tasks` tasks in all (Pareto, shape 1.1 to 1.5, at least 4 each)."""
    random = Random(f"agents sessions {seed}")
    shape = random.uniform(1.1, 1.5)
    made: list[Session] = []
    left = tasks
    while left > 0:
        size = min(left, int(4 * random.paretovariate(shape)), max(4, tasks // 5))
        made.append(make_session(random, f"plan-{len(made) + 1:04}", size))
        left -= size
    return made


def requests(seed: int, sessions: Sequence[Session], count: int) -> list[Request]:
    """`count` requests on the sessions that have tasks.

    Raises:
        ValueError: no session has a task.
    """
    random = Random(f"agents requests {seed}")
    filled = with_tasks(sessions)
    random.shuffle(filled)
    popularity = zipf(len(filled), random.uniform(0.8, 1.2))
    mix = {name: share * random.uniform(0.8, 1.25) for name, share in MIX.items()}
    operations = random.choices(list(mix), weights=list(mix.values()), k=count)
    chosen = random.choices(filled, cum_weights=popularity, k=count)
    return [
        make_request(random, number, operation, session)
        for number, (operation, session) in enumerate(zip(operations, chosen, strict=True))
    ]


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workloads of this module."""
    yield WorkloadDeclaration(
        name="agents",
        summary="a coding agent's day: mostly single tasks, now and then everything",
        sessions=sessions,
        requests=requests,
    )
    yield WorkloadDeclaration(
        name="bursts",
        summary="the requests of `agents`, arriving in bursts with calm between them",
        sessions=sessions,
        requests=requests,
        arrivals=bursts,
    )
