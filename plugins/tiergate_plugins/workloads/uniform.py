"""No skew to make use of: every operation and every task is asked for equally often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate.model import Session
from tiergate.operation import Request
from tiergate_plugins.workloads.records import equal_sessions, keys_of
from tiergate_plugins.workloads.text import NOUNS, sentences

OPERATIONS = ("task_get", "task_update", "tasks_query", "critical_path", "search")


def requests(seed: int, sessions: Sequence[Session], count: int) -> list[Request]:
    """`count` requests on the sessions.

    Raises:
        ValueError: no session has a task.
    """
    random = Random(f"uniform requests {seed}")
    keys = keys_of(sessions)
    return [_request(random, number, *random.choice(keys)) for number in range(count)]


def _request(random: Random, number: int, session: str, task: str) -> Request:
    operation = random.choice(OPERATIONS)
    arguments: dict[str, Any] = {}
    if operation == "task_get":
        arguments = {"task": task}
    elif operation == "task_update":
        arguments = {"task": task, "weight": float(random.randrange(1, 9))}
    elif operation == "tasks_query":
        return Request(number, operation, None, {"text": random.choice(NOUNS), "limit": 20})
    elif operation == "search":
        arguments = {"text": sentences(random, 8), "within": "session"}
    return Request(number, operation, session, arguments)


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield WorkloadDeclaration(
        name="uniform",
        summary="every operation and every task equally often, in sessions of equal size",
        sessions=equal_sessions,
        requests=requests,
    )
