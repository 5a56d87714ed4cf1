"""Operations on one task: read it, update or add it durably."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, hookimpl, one_task
from tiergate.model import Status, Task
from tiergate.operation import OperationError
from tiergate.store import StaleVersion, Store, TaskNotFound

ATTEMPTS = 50
"""How often a write that lost a race is tried before it gives up."""


Dependencies = Annotated[tuple[str, ...], Meta(description="ids of tasks that must be completed before")]
Labels = Annotated[tuple[str, ...], Meta(description="words to find it by")]
Weight = Annotated[float, Meta(ge=0, description="effort or importance, at least 0, without a unit")]


class TaskGet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of ``task_get``: the task's id."""

    task: Annotated[str, Meta(description="id of the task")]


class TaskUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``task_update``: the task's id, and what to change; None leaves a field as it is.

    `append_notes` is added to the notes, or to what `notes` replaces them by, on a line of its own.
    """

    task: Annotated[str, Meta(description="id of the task")]
    status: Annotated[Status | None, Meta(description="its new status; null leaves it")] = None
    title: Annotated[str | None, Meta(description="its new title; null leaves it")] = None
    weight: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="its new weight, at least 0; null leaves it")
    ] = None
    notes: Annotated[str | None, Meta(description="replaces its notes; null leaves them")] = None
    append_notes: Annotated[
        str | None, Meta(description="added to its notes on a line of its own; null adds nothing")
    ] = None
    labels: Annotated[
        tuple[str, ...] | None, Meta(description="replaces all its labels; null leaves them")
    ] = None
    dependencies: Annotated[
        tuple[str, ...] | None,
        Meta(description="replaces the ids of the tasks that it waits for; null leaves them"),
    ] = None


class TaskAdd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``task_add``: the new task's id, and the fields it begins with."""

    task: Annotated[str, Meta(min_length=1, description="id of the new task, unique in the session")]
    title: Annotated[str, Meta(description="what is to be done, in one line")]
    notes: Annotated[str, Meta(description="whatever helps to do it")] = ""
    weight: Weight = 1.0
    dependencies: Dependencies = ()
    labels: Labels = ()


class Updated(msgspec.Struct, frozen=True):
    """Result of ``task_update`` and ``task_add``: the version that the session has now."""

    version: Annotated[int, Meta(description="the version that the session has now")]


def task_get(store: Store, session: str, arguments: TaskGet) -> Task:
    """Read one task."""
    return store.load_task(session, arguments.task)[0]


def task_update(store: Store, session: str, arguments: TaskUpdate) -> Updated:
    """Change one task. It is durable when this returns; a race that was lost is run again."""
    for _ in range(ATTEMPTS):
        task, version = store.load_task(session, arguments.task)
        changed = msgspec.structs.replace(task, **_changes(task, arguments))
        try:
            return Updated(store.upsert_tasks(session, [changed], expected_version=version))
        except StaleVersion:
            continue
    raise _always_lost(session, arguments.task, "updated")


def task_add(store: Store, session: str, arguments: TaskAdd) -> Updated:
    """Add one task at the end. It is durable when this returns; a race that was lost is run again.

    Raises:
        OperationError: the session has a task of that id.
    """
    task = Task(
        id=arguments.task,
        title=arguments.title,
        notes=arguments.notes,
        weight=arguments.weight,
        dependencies=arguments.dependencies,
        labels=arguments.labels,
    )
    for _ in range(ATTEMPTS):
        # The version is read first: what is added after this look makes the write below a stale one.
        version = store.version(session)
        _require_absent(store, session, task.id)
        try:
            return Updated(store.upsert_tasks(session, [task], expected_version=version))
        except StaleVersion:
            continue
    raise _always_lost(session, task.id, "added")


def _require_absent(store: Store, session: str, task: str) -> None:
    try:
        store.load_task(session, task)
    except TaskNotFound:
        return
    raise OperationError(
        f"session {session!r} has a task {task!r} already", hint="choose another id, or send task_update"
    )


def _always_lost(session: str, task: str, done: str) -> OperationError:
    return OperationError(
        f"session {session!r} changed {ATTEMPTS} times while task {task!r} of it was being {done}",
        hint="send the request again",
    )


def _changes(task: Task, arguments: TaskUpdate) -> dict[str, Any]:
    named = ("status", "title", "weight", "notes", "labels", "dependencies")
    changes = {name: getattr(arguments, name) for name in named if getattr(arguments, name) is not None}
    if arguments.append_notes is not None:
        notes = changes.get("notes", task.notes)
        changes["notes"] = "\n".join(filter(None, (notes, arguments.append_notes)))
    return changes


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    yield OperationDeclaration(
        name="task_get", summary="read one task", arguments=TaskGet, run=task_get, scope=one_task
    )
    yield OperationDeclaration(
        name="task_update",
        summary="change one task, durably",
        arguments=TaskUpdate,
        run=task_update,
        scope=one_task,
        writes=True,
    )
    yield OperationDeclaration(
        name="task_add",
        summary="add one task, durably",
        arguments=TaskAdd,
        run=task_add,
        scope=one_task,
        writes=True,
    )
