"""Operation that expands a task into subtasks."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.flow.expansion import expanded
from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.store import Store, task_not_found
from tiergate_plugins.operations._sessions import moment, retried
from tiergate_plugins.operations.flow_arguments import Expanded, Subtask, TaskExpand


def task_expand(store: Store, session: str, arguments: TaskExpand) -> Expanded:
    """Expand a task into plan, implement, test and document. Durable when it returns.

    Of a request that is sent again under one key the second takes no effect, see `tiergate.store.Store.once`;
    without a key the second is refused.

    Raises:
        OperationError: the task is closed, or was expanded before.
    """
    return retried(session, lambda: _written(store, session, arguments))


def _written(store: Store, session: str, arguments: TaskExpand) -> Expanded:
    loaded = store.load(session)
    tasks = {task.id: task for task in loaded.tasks}
    if arguments.task not in tasks:
        raise task_not_found(session, arguments.task)
    written = expanded(tasks[arguments.task], tasks.keys(), moment(arguments.now))
    return Expanded(
        task=arguments.task,
        subtasks=[
            Subtask(task=one.id, title=one.title, weight=one.weight, dependencies=one.dependencies)
            for one in written[1:]
        ],
        version=store.upsert_tasks(session, written, expected_version=loaded.version),
    )


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operation of this module."""
    yield OperationDeclaration(
        name="task_expand",
        summary="expand a task into plan, implement, test and document, durably",
        arguments=TaskExpand,
        run=task_expand,
        writes=True,
    )
