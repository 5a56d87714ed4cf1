"""Operations on whole sessions: query across them, and the critical path of one."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, hookimpl, whole_store
from tiergate.model import Status, Task
from tiergate.operation import OperationError
from tiergate.store import Store, TaskQuery

_CLOSED = (Status.COMPLETED, Status.ABANDONED)


class TasksQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``tasks_query``; see `tiergate.store.TaskQuery`."""

    statuses: Annotated[
        tuple[Status, ...], Meta(description="only tasks with one of these statuses; empty for all")
    ] = ()
    min_weight: Annotated[float | None, Meta(description="only tasks of at least this weight")] = None
    text: Annotated[
        str | None, Meta(description="only tasks with this text in title or notes, ignoring case")
    ] = None
    order: Annotated[
        str, Meta(description="id, weight, title or updated_at; with - in front the largest first")
    ] = "-weight"
    skip: Annotated[int, Meta(ge=0, description="leave out so many from the front")] = 0
    limit: Annotated[int | None, Meta(description="how many tasks are found at most")] = 20


class FoundTask(msgspec.Struct, frozen=True):
    """One row of a query's result."""

    session: str
    id: str
    title: str
    status: Status
    weight: float


class CriticalPathArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``critical_path`` takes no arguments."""


class CriticalPath(msgspec.Struct, frozen=True):
    """Result of ``critical_path``: ids from first to last, and the sum of their weights."""

    tasks: list[str]
    weight: float


def tasks_query(store: Store, _session: str, arguments: TasksQuery) -> list[FoundTask]:
    """Find tasks across all sessions."""
    hits = store.query(
        TaskQuery(
            statuses=arguments.statuses,
            min_weight=arguments.min_weight,
            text=arguments.text,
            order=arguments.order,
            limit=None if arguments.limit is None else arguments.skip + arguments.limit,
        )
    )
    return [
        FoundTask(hit.session, hit.task.id, hit.task.title, hit.task.status, hit.task.weight)
        for hit in hits[arguments.skip :]
    ]


def critical_path(store: Store, session: str, _arguments: CriticalPathArguments) -> CriticalPath:
    """The heaviest chain of dependent open tasks of a session.

    The longest path of a weighted directed acyclic graph, in topological order (Sedgewick & Wayne,
    Algorithms, 4th ed., section 4.4). Dependencies on tasks that are closed or not there do not count.
    """
    tasks = {task.id: task for task in store.load(session).tasks if task.status not in _CLOSED}
    waits_for = {task.id: [other for other in task.dependencies if other in tasks] for task in tasks.values()}
    try:
        order = list(TopologicalSorter(waits_for).static_order())
    except CycleError as error:
        cycle = " → ".join(error.args[1])
        raise OperationError(f"dependency cycle {cycle}", where=f"session {session!r}") from error
    return _heaviest(order, waits_for, tasks)


def _heaviest(order: list[str], waits_for: dict[str, list[str]], tasks: dict[str, Task]) -> CriticalPath:
    total: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for task in order:
        previous = max(waits_for[task], key=lambda other: (total[other], other), default=None)
        before[task] = previous
        total[task] = tasks[task].weight + (total[previous] if previous is not None else 0.0)
    last = max(total, key=lambda task: (total[task], task), default=None)
    weight = total[last] if last is not None else 0.0
    path: list[str] = []
    while last is not None:
        path.append(last)
        last = before[last]
    return CriticalPath(path[::-1], weight)


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    yield OperationDeclaration(
        name="tasks_query",
        summary="find tasks across all sessions by status, weight and text",
        arguments=TasksQuery,
        run=tasks_query,
        scope=whole_store,
        needs_session=False,
    )
    yield OperationDeclaration(
        name="critical_path",
        summary="the heaviest chain of dependent open tasks of a session",
        arguments=CriticalPathArguments,
        run=critical_path,
    )
