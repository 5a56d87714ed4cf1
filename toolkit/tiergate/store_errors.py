"""What a store raises, and in which words."""

from __future__ import annotations

from tiergate.errors import EXIT_BROKE, EXIT_FAILED, TiergateError


class StoreError(TiergateError):
    """The store could not do what it was asked."""


class StoreFailed(StoreError):
    """The disk, the system or another process did not let the store do it: the run broke."""

    exit_code = EXIT_BROKE


class StaleVersion(StoreFailed):
    """Somebody else wrote the session first; nothing was written."""


class SessionNotFound(StoreError):
    """The store holds no session of that id."""


class TaskNotFound(StoreError):
    """The session holds no task of that id."""


class StoreDamaged(StoreError):
    """What stands on disk is not what the store wrote."""

    exit_code = EXIT_FAILED


class ReadOnly(StoreError):
    """The store was opened with ``?mode=ro``; nothing was written."""


class StaleBinding(StoreFailed):
    """A name was bound to another store since this one was opened; nothing was written."""


class Unsupported(StoreError):
    """The store says by its capabilities that it cannot do this."""


def stale(session_id: str, *, expected: int, found: int) -> StaleVersion:
    """The error for a write that came too late."""
    return StaleVersion(
        f"session {session_id!r} is at version {found}, not {expected}",
        hint="load it again and repeat the change",
    )


def session_not_found(session_id: str) -> SessionNotFound:
    """The error for a session that is not there."""
    return SessionNotFound(f"no session {session_id!r}")


def task_not_found(session_id: str, task_id: str) -> TaskNotFound:
    """The error for a task that is not there."""
    return TaskNotFound(f"session {session_id!r} has no task {task_id!r}")


def read_only(where: str) -> ReadOnly:
    """The error for a write to a store that was opened with ``?mode=ro``."""
    return ReadOnly("the store was opened read-only", where=where, hint="open it without ?mode=ro to write")
