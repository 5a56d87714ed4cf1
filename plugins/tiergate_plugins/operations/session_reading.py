"""Operations that read sessions: one of them page by page, and the list of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, hookimpl, whole_store
from tiergate.model import Session, Status, Task
from tiergate.operation import OperationError
from tiergate.store import SessionNotFound, Store

ARCHIVED_AT = "archived_at"
"""The extra field of a session that was put away: since when, RFC 3339."""

Cursor = Annotated[
    str | None, Meta(description="next_cursor of the page before; null or left out for the first page")
]
NextCursor = Annotated[
    str | None, Meta(description="give it as cursor for the next page; null where this is the last one")
]


class SessionGet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``session_get``."""

    statuses: Annotated[
        tuple[Status, ...], Meta(description="only tasks with one of these statuses; empty for all")
    ] = ()
    cursor: Cursor = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="how many tasks a page has at most")] = 100


class SessionTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task of a session, with every field, also where it is at its default."""

    id: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="what is to be done")]
    notes: Annotated[str, Meta(description="whatever helps to do it")]
    status: Annotated[Status, Meta(description="what has become of it")]
    weight: Annotated[float, Meta(description="effort or importance, without a unit")]
    dependencies: Annotated[tuple[str, ...], Meta(description="ids of tasks that must be completed before")]
    momentum: Annotated[float, Meta(description="0 to 1, measure of recent progress")]
    labels: Annotated[tuple[str, ...], Meta(description="words to find it by")]
    created_at: Annotated[str | None, Meta(description="when it was created, RFC 3339; null if unknown")]
    updated_at: Annotated[str | None, Meta(description="when it was last changed, likewise")]


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``session_get``."""

    session: Annotated[str, Meta(description="id of the session")]
    title: Annotated[str, Meta(description="its title")]
    version: Annotated[int, Meta(description="how often it was written")]
    created_at: Annotated[str | None, Meta(description="when it was created, RFC 3339; null if unknown")]
    updated_at: Annotated[str | None, Meta(description="when it was last changed, likewise")]
    archived_at: Annotated[str | None, Meta(description="when it was archived, likewise; null if it is not")]
    by_status: Annotated[dict[Status, int], Meta(description="how many of its tasks have each status")]
    tasks: Annotated[list[SessionTask], Meta(description="the tasks of this page, in the session's order")]
    next_cursor: NextCursor


class SessionList(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``session_list``."""

    archived: Annotated[bool, Meta(description="whether archived sessions are listed too")] = False
    prefix: Annotated[str, Meta(description="only sessions whose id begins with this")] = ""
    cursor: Cursor = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="how many sessions a page has at most")] = 50


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a list."""

    session: Annotated[str, Meta(description="id of the session")]
    title: Annotated[str, Meta(description="its title")]
    tasks: Annotated[int, Meta(description="how many tasks it has")]
    open: Annotated[int, Meta(description="how many of them are neither completed nor abandoned")]
    updated_at: Annotated[str | None, Meta(description="when it was last changed, RFC 3339; null if unknown")]
    archived_at: Annotated[str | None, Meta(description="when it was archived; null if it is not")]


class SessionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``session_list``."""

    sessions: Annotated[list[SessionRow], Meta(description="the sessions of this page, sorted by id")]
    next_cursor: NextCursor


def session_get(store: Store, session: str, arguments: SessionGet) -> SessionView:
    """One page of a session."""
    found = store.load(session)
    tasks = [task for task in found.tasks if not arguments.statuses or task.status in arguments.statuses]
    begin = _position(arguments.cursor)
    end = begin + arguments.limit
    by_status = dict.fromkeys(Status, 0)
    for task in found.tasks:
        by_status[task.status] += 1
    return SessionView(
        session=found.id,
        title=found.title,
        version=found.version,
        created_at=found.created_at,
        updated_at=found.updated_at,
        archived_at=archived_at(found),
        by_status=by_status,
        tasks=[_shown(task) for task in tasks[begin:end]],
        next_cursor=str(end) if end < len(tasks) else None,
    )


def session_list(store: Store, _session: str, arguments: SessionList) -> SessionPage:
    """One page of the sessions, sorted by id. The cursor is the last id of the page before."""
    after = arguments.cursor or ""
    rows: list[SessionRow] = []
    for identity in store.ids():
        if identity <= after or not identity.startswith(arguments.prefix):
            continue
        try:
            session = store.load(identity)
        except SessionNotFound:  # deleted since it was listed
            continue
        if archived_at(session) is not None and not arguments.archived:
            continue
        if len(rows) == arguments.limit:
            return SessionPage(sessions=rows, next_cursor=rows[-1].session)
        rows.append(_row(session))
    return SessionPage(sessions=rows, next_cursor=None)


def archived_at(session: Session) -> str | None:
    """When a session was archived; None where it is not."""
    when = session.extra.get(ARCHIVED_AT)
    return str(when) if when else None


def _shown(task: Task) -> SessionTask:
    return SessionTask(**{name: getattr(task, name) for name in SessionTask.__struct_fields__})


def _row(session: Session) -> SessionRow:
    closed = (Status.COMPLETED, Status.ABANDONED)
    return SessionRow(
        session=session.id,
        title=session.title,
        tasks=len(session.tasks),
        open=sum(task.status not in closed for task in session.tasks),
        updated_at=session.updated_at,
        archived_at=archived_at(session),
    )


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal()) or len(cursor) > 12:
        raise OperationError(f"the cursor {cursor!r} is none that a page gave", hint="leave it out")
    return int(cursor)


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    yield OperationDeclaration(
        name="session_get",
        summary="read a session and its tasks, page by page",
        arguments=SessionGet,
        run=session_get,
    )
    yield OperationDeclaration(
        name="session_list",
        summary="list the sessions, page by page",
        arguments=SessionList,
        run=session_list,
        scope=whole_store,
        needs_session=False,
    )
