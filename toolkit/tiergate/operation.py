"""What the system can do, and one call of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from tiergate.errors import TiergateError


class OperationError(TiergateError):
    """An operation refused its arguments or could not be done."""


class Scope(StrEnum):
    """How much of a store one request reads, as far as that is known before it runs."""

    TASK = "task"
    SESSION = "session"
    STORE = "store"


class Request(msgspec.Struct, frozen=True):
    """One call of an operation.

    Attributes:
        id: unique in its trace.
        operation: name of a declared operation.
        session: id of the session it is about; None when it spans the store.
        arguments: the operation's arguments, as its declared type takes them.
        key: names a write that may be sent again, so that it takes effect once, see `Store.once`.
    """

    id: int
    operation: str
    session: str | None
    arguments: dict[str, Any]
    key: str | None = None


class Failure(msgspec.Struct, frozen=True):
    """Why a request has no result: the class of the error, and its one line."""

    kind: str
    message: str


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request.

    Attributes:
        id: that of the request.
        result: what the operation returned, as plain JSON values; None when it failed.
        failure: None when it succeeded.
        service_ns: time in the worker from having read the request to having its result, nanoseconds.
        worker: name of the worker that answered; empty when none did.
        store_ns: the part of `service_ns` spent in the store and its caches; 0 where nobody measured.
    """

    id: int
    result: Any = None
    failure: Failure | None = None
    service_ns: int = 0
    worker: str = ""
    store_ns: int = 0
