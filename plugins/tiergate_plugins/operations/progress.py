"""Operation that reports progress on a task."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tiergate.flow.momentum import momentum_of, progressed
from tiergate.flow.notes import notes_of
from tiergate.hooks import OperationDeclaration, hookimpl, one_task
from tiergate.model import Status, Task
from tiergate.operation import OperationError
from tiergate.store import Store
from tiergate_plugins.operations._sessions import moment, named, retried
from tiergate_plugins.operations.flow_arguments import Progressed, TaskProgress


def task_progress(store: Store, session: str, arguments: TaskProgress) -> Progressed:
    """Report progress: the task becomes active or completed, and its momentum rises. Durable when it returns.

    Reporting a completed task as done changes nothing. Of a request that is sent again under one key the
    second takes no effect, see `tiergate.store.Store.once`.

    Raises:
        OperationError: nothing was reported, or the task is closed.
    """
    if arguments.amount is None and not arguments.done:
        raise OperationError("no progress is reported", hint="give `amount`, or `done`")
    return retried(session, lambda: _written(store, session, arguments))


def _written(store: Store, session: str, arguments: TaskProgress) -> Progressed:
    task, version = store.load_task(session, arguments.task)
    now = moment(arguments.now)
    if not (arguments.done and task.status is Status.COMPLETED):
        task = _moved(task, session, arguments, now)
        version = store.upsert_tasks(session, [task], expected_version=version)
    return Progressed(
        task=task.id,
        status=task.status,
        done=notes_of(task).done,
        momentum=momentum_of(task, now, arguments.half_life_s),
        version=version,
    )


def _moved(task: Task, session: str, arguments: TaskProgress, now: float) -> Task:
    if task.status in (Status.COMPLETED, Status.ABANDONED):
        raise OperationError(
            f"task {task.id!r} is {task.status.value}",
            where=named(session),
            hint="set its status to queued with task_update to go on with it",
        )
    moved = progressed(
        task, arguments.amount or 0.0, now, done=arguments.done, half_life_s=arguments.half_life_s
    )
    if arguments.note is None:
        return moved
    return msgspec.structs.replace(moved, notes="\n".join(filter(None, (task.notes, arguments.note))))


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operation of this module."""
    yield OperationDeclaration(
        name="task_progress",
        summary="report progress on a task or its completion, durably",
        arguments=TaskProgress,
        run=task_progress,
        scope=one_task,
        writes=True,
    )
