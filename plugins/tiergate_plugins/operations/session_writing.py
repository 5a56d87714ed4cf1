"""Operations that write whole sessions: create one, put one away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.model import Session, Task
from tiergate.operation import OperationError
from tiergate.store import StaleVersion, Store

ARCHIVED_AT = "archived_at"
"""The extra field of a session that was put away: since when, RFC 3339."""

ATTEMPTS = 50
"""How often a write that lost a race is tried before it gives up."""


class NewTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A task that a new session begins with."""

    task: Annotated[str, Meta(min_length=1, description="id of the task, unique in the session")]
    title: Annotated[str, Meta(description="what is to be done, in one line")]
    notes: Annotated[str, Meta(description="whatever helps to do it")] = ""
    weight: Annotated[float, Meta(ge=0, description="effort or importance, without a unit")] = 1.0
    dependencies: Annotated[
        tuple[str, ...], Meta(description="ids of tasks that must be completed before")
    ] = ()
    labels: Annotated[tuple[str, ...], Meta(description="words to find it by")] = ()


class SessionCreate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``session_create``."""

    title: Annotated[str, Meta(description="what the work is about, in one line")] = ""
    tasks: Annotated[tuple[NewTask, ...], Meta(description="the tasks that it begins with")] = ()


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``session_create``."""

    session: Annotated[str, Meta(description="id of the session")]
    version: Annotated[int, Meta(description="the version that it has now")]
    tasks: Annotated[int, Meta(description="how many tasks it has")]


class SessionArchive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``session_archive``."""

    archived: Annotated[bool, Meta(description="true puts it away, false brings it back")] = True


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``session_archive``."""

    session: Annotated[str, Meta(description="id of the session")]
    version: Annotated[int, Meta(description="the version that it has now")]
    archived_at: Annotated[str | None, Meta(description="since when it is archived; null where it is not")]


def session_create(store: Store, session: str, arguments: SessionCreate) -> Created:
    """Save a new session with its tasks. It is durable when this returns.

    Raises:
        OperationError: there is a session of that id, or two tasks have one id.
    """
    if not session:
        raise OperationError("session_create needs the id of the session")
    _require_distinct(arguments.tasks)
    now = _now()
    fresh = Session(
        id=session,
        title=arguments.title,
        tasks=tuple(_task(task, now) for task in arguments.tasks),
        created_at=now,
        updated_at=now,
    )
    try:
        version = store.save(fresh)
    except StaleVersion as error:
        raise OperationError(
            f"there is a session {session!r} already", hint="choose another id, or add to it with task_add"
        ) from error
    return Created(session=session, version=version, tasks=len(fresh.tasks))


def session_archive(store: Store, session: str, arguments: SessionArchive) -> Archived:
    """Put a session away, or bring it back; what is so already is not written again."""
    for _ in range(ATTEMPTS):
        found = store.load(session)
        since = found.extra.get(ARCHIVED_AT)
        if bool(since) == arguments.archived:
            return Archived(session=session, version=found.version, archived_at=str(since) if since else None)
        extra = {name: value for name, value in found.extra.items() if name != ARCHIVED_AT}
        now = _now()
        if arguments.archived:
            extra[ARCHIVED_AT] = now
        try:
            version = store.save(msgspec.structs.replace(found, extra=extra, updated_at=now))
        except StaleVersion:
            continue
        return Archived(session=session, version=version, archived_at=extra.get(ARCHIVED_AT))
    raise OperationError(
        f"session {session!r} changed {ATTEMPTS} times while it was being archived",
        hint="send the request again",
    )


def _task(task: NewTask, now: str) -> Task:
    return Task(
        id=task.task,
        title=task.title,
        notes=task.notes,
        weight=task.weight,
        dependencies=task.dependencies,
        labels=task.labels,
        created_at=now,
        updated_at=now,
    )


def _require_distinct(tasks: tuple[NewTask, ...]) -> None:
    seen: set[str] = set()
    for task in tasks:
        if task.task in seen:
            raise OperationError(f"two tasks have the id {task.task!r}", hint="give each its own")
        seen.add(task.task)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    yield OperationDeclaration(
        name="session_create",
        summary="create a session with its first tasks, durably",
        arguments=SessionCreate,
        run=session_create,
        writes=True,
    )
    yield OperationDeclaration(
        name="session_archive",
        summary="put a session away or bring it back, durably",
        arguments=SessionArchive,
        run=session_archive,
        writes=True,
    )
