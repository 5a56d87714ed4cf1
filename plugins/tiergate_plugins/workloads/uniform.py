"""Nothing stands out: one operation, sessions of one size, every session as likely as another.

What a store, pool or router gains from popular sessions or from a heavy tail of costs, it cannot gain here:
a run truthfully says that there is nothing to tier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate.model import Session
from tiergate.operation import Request
from tiergate_plugins.workloads.parts import make_request, make_session, with_tasks

SESSION_TASKS = 300
"""Tasks in each session; the last one has what is left. So many that reading one takes longer than sending
the request does, and so few sessions that the first read of each is seldom."""

OPERATION = "critical_path"
"""Reads one session whole. A write would wait for the disk, whose times have a heavy tail of their own."""


def sessions(seed: int, tasks: int) -> list[Session]:
    """Sessions of `SESSION_TASKS` tasks each, `tasks` tasks in all."""
    random = Random(f"uniform sessions {seed}")
    return [
        make_session(random, f"plan-{number:04}", min(SESSION_TASKS, tasks - start))
        for number, start in enumerate(range(0, tasks, SESSION_TASKS), start=1)
    ]


def requests(seed: int, sessions: Sequence[Session], count: int) -> list[Request]:
    """`count` requests on the sessions that have tasks.

    Raises:
        ValueError: no session has a task.
    """
    random = Random(f"uniform requests {seed}")
    filled = with_tasks(sessions)
    return [make_request(random, number, OPERATION, random.choice(filled)) for number in range(count)]


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield WorkloadDeclaration(
        name="uniform",
        summary="reads of sessions of one size, each as likely as another: requests cost alike",
        sessions=sessions,
        requests=requests,
    )
