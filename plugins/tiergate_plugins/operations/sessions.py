"""Operations on whole sessions: query across them, and the critical path of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.flow.graph import TaskGraph
from tiergate.hooks import OperationDeclaration, hookimpl, whole_store
from tiergate.model import Status
from tiergate.store import Store, TaskQuery


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
    skip: Annotated[int, Meta(ge=0, le=10_000_000, description="leave out so many")] = 0
    limit: Annotated[
        Annotated[int, Meta(ge=0, le=10_000_000)] | None,
        Meta(description="how many tasks are found at most"),
    ] = 20


class FoundTask(msgspec.Struct, frozen=True):
    """One row of a query's result."""

    session: Annotated[str, Meta(description="id of the session")]
    id: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="its title")]
    status: Annotated[Status, Meta(description="what has become of it")]
    weight: Annotated[float, Meta(description="effort or importance")]


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

    Dependencies on tasks that are closed or not there do not count.

    Raises:
        DependencyCycle: open tasks wait for each other.
    """
    return CriticalPath(*TaskGraph(store.load(session).tasks, f"session {session!r}").critical_path())


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
