"""What the operations on flow share: the moment, a session's name in errors, writes that are retried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from tiergate.flow.moments import moment_of
from tiergate.operation import OperationError
from tiergate.store import StaleVersion
from tiergate_plugins.operations.tasks import ATTEMPTS

_Result = TypeVar("_Result")


def moment(now: datetime | None) -> float:
    """The moment that a request is about, in seconds since 1970: its own, or the present."""
    return moment_of(datetime.now(UTC) if now is None else now)


def named(session: str) -> str:
    """How errors name a session."""
    return f"session {session!r}"


def retried(session: str, attempt: Callable[[], _Result]) -> _Result:
    """Read, decide and write; all of it again where somebody else wrote in between.

    Raises:
        OperationError: somebody always did.
    """
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except StaleVersion:
            continue
    raise OperationError(
        f"{named(session)} changed {ATTEMPTS} times while it was being changed", hint="send the request again"
    )
