"""Where sessions live: the contract of a store. Its addresses and errors are imported from here too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import StrEnum
from types import TracebackType
from typing import Any, NoReturn, Self

import msgspec

from tiergate.errors import UsageError
from tiergate.model import Session, Status, Task
from tiergate.store_address import StoreAddress
from tiergate.store_errors import (
    ReadOnly,
    SessionNotFound,
    StaleBinding,
    StaleVersion,
    StoreDamaged,
    StoreError,
    StoreFailed,
    TaskNotFound,
    Unsupported,
    read_only,
    session_not_found,
    stale,
    task_not_found,
)

__all__ = [
    "ONCE_KEPT",
    "ORDERS",
    "Capability",
    "Damage",
    "Doubt",
    "ReadOnly",
    "SessionNotFound",
    "SessionSize",
    "StaleBinding",
    "StaleVersion",
    "Store",
    "StoreAddress",
    "StoreDamaged",
    "StoreError",
    "StoreFailed",
    "StoreStats",
    "TaskHit",
    "TaskNotFound",
    "TaskOutline",
    "TaskQuery",
    "Unsupported",
    "check_order",
    "read_only",
    "session_not_found",
    "stale",
    "task_not_found",
    "unsupported",
]


class Capability(StrEnum):
    """What not every store can do. A store that lacks one raises `Unsupported` when asked for it.

    ``read-only``: an address with ``?mode=ro`` opens the store without changing or making a file; it must
    be there, and every write raises `ReadOnly`. ``change-counter``: `Store.changes` can be asked.
    ``once``: `Store.once` can be used.
    """

    TRANSACTIONS = "transactions"
    TEXT_SEARCH = "text-search"
    MULTI_PROCESS = "multi-process"
    READ_ONLY = "read-only"
    CHANGE_COUNTER = "change-counter"
    ONCE = "once"


class TaskQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Which tasks to find across sessions; a condition left at its default does not restrict.

    Attributes:
        statuses: any of these.
        min_weight: weight at least this.
        max_weight: weight at most this.
        session: only this session.
        text: tasks whose title or notes contain this text, ignoring ASCII case.
        order: field to sort by, ``-`` in front for descending; ties by session and task id.
        limit: at most that many; None for all.
    """

    statuses: tuple[Status, ...] = ()
    min_weight: float | None = None
    max_weight: float | None = None
    session: str | None = None
    text: str | None = None
    order: str = "id"
    limit: int | None = None


ONCE_KEPT = 10_000
"""How many keys of `Store.once` a store remembers at least; older ones it may forget."""

ORDERS = ("id", "weight", "title", "updated_at")
"""Fields that `TaskQuery.order` may name. Tasks without `updated_at` sort as the empty text."""


class TaskHit(msgspec.Struct, frozen=True):
    """A task that a query found, and the session it is in."""

    session: str
    task: Task


class TaskOutline(msgspec.Struct, frozen=True, gc=False):
    """What lists show of a task, for queries that need no more."""

    session: str
    id: str
    title: str
    status: Status
    weight: float


class SessionSize(msgspec.Struct, frozen=True):
    """How large a session is: its tasks, and the bytes of its body as stored."""

    session: str
    tasks: int
    bytes: int


class StoreStats(msgspec.Struct, kw_only=True, frozen=True):
    """How much a store holds.

    Attributes:
        disk_bytes: of every file that belongs to the store.
        details: what this kind of store can tell beyond that, by name, with the unit in the name.
    """

    sessions: int
    tasks: int
    disk_bytes: int
    details: dict[str, int | float | str] = {}


class Damage(msgspec.Struct, frozen=True):
    """One thing that `Store.verify` found wrong: where, and what."""

    where: str
    what: str


class Doubt(Damage, frozen=True):
    """One thing that `Store.doubts` names.

    Attributes:
        hint: what to do about it.
        accepted: whether the address asks for what is left all the same.
    """

    hint: str = ""
    accepted: bool = False


class Store(ABC):
    """Synchronous, used by worker processes; one instance belongs to one thread.

    A write that returned is durable: it survives SIGKILL and, unless the address says
    ``?durability=normal``, the loss of power. Every session carries a version that each write
    raises, by one unless a write was lost; a write with another version than the stored one raises
    `StaleVersion` and writes nothing. A version is never used twice: a session that was deleted and is
    saved anew goes on after the version of the deletion, which counts as a write. What a store cannot keep
    unchanged (two tasks with one id in a write, a number that is not finite, a lone surrogate) it refuses
    by name with a `StoreError`, and writes nothing.
    """

    capabilities: frozenset[Capability] = frozenset()

    @abstractmethod
    def load(self, session_id: str) -> Session:
        """Read one session with all its tasks, in the order in which they were saved.

        Raises:
            SessionNotFound: there is none of that id.
            StoreDamaged: its bytes cannot be read.
        """

    @abstractmethod
    def save(self, session: Session) -> int:
        """Write a whole session and return its new version.

        ``session.version`` is the version that it was loaded at, 0 for a new one. A new session gets version
        1, unless one of its id was deleted before.

        Raises:
            StaleVersion: the store holds another version, or none while ``session.version`` is above 0.
            ReadOnly: the store was opened with ``?mode=ro``; so for every other write.
        """

    @abstractmethod
    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        """Replace the tasks with these ids, append those that are new; return the new version.

        The version rises even when there are no tasks to write.

        Raises:
            SessionNotFound: there is none of that id.
            StaleVersion: the store holds another version.
        """

    @abstractmethod
    def delete(self, session_id: str, *, expected_version: int) -> None:
        """Remove a session.

        Raises:
            SessionNotFound: there is none of that id.
            StaleVersion: the store holds another version.
        """

    @abstractmethod
    def ids(self) -> list[str]:
        """The ids of all sessions, sorted."""

    @abstractmethod
    def query(self, query: TaskQuery) -> list[TaskHit]:
        """The tasks that meet every condition of `query`, in its order.

        Raises:
            Unsupported: `query.text` is set and the store lacks `Capability.TEXT_SEARCH`.
            UsageError: `query.order` is none of `ORDERS`.
        """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes of a ``with`` block one: all of them durable at its end, or none.

        Raises:
            Unsupported: the store lacks `Capability.TRANSACTIONS`.
        """

    def filling(self) -> AbstractContextManager[None]:
        """Say that many sessions will be saved in a ``with`` block; the store may put work off to its end.

        Nothing else changes: each write is durable when it returns, queries find it, and a process that is
        killed inside leaves a whole store.
        """
        return nullcontext()

    def outlines(self, query: TaskQuery) -> list[TaskOutline]:
        """What `query` finds, in the same order, without notes and other fields; cheaper where it can be.

        Raises:
            As `query`.
        """
        return [
            TaskOutline(hit.session, hit.task.id, hit.task.title, hit.task.status, hit.task.weight)
            for hit in self.query(query)
        ]

    def version(self, session_id: str) -> int:
        """The version of a session now, cheaper than loading it where it can be.

        Raises:
            SessionNotFound: there is none of that id.
        """
        return self.load(session_id).version

    def versions(self) -> dict[str, int]:
        """The version of every session, by id in sorted order."""
        found = {}
        for session_id in self.ids():
            with suppress(SessionNotFound):  # deleted since it was listed
                found[session_id] = self.version(session_id)
        return found

    def changes(self) -> int:
        """A counter of the whole store that every write of any process raises, and nothing lowers.

        Raises:
            Unsupported: the store lacks `Capability.CHANGE_COUNTER`.
        """
        unsupported(self, Capability.CHANGE_COUNTER)

    def remember(self, key: bytes, session_id: str | None, compute: Callable[[], Any]) -> Any:  # noqa: ARG002
        """The result of a pure computation on what the store holds; a cache in front of it may know it.

        Args:
            key: of the computation and its arguments; the caller vouches that it means the same everywhere.
            session_id: the only session it reads, or None when it reads across sessions.
            compute: gives plain JSON values or structs; what a cache remembers comes back as plain values.
        """
        return compute()

    def once(self, key: str, write: Callable[[], Any]) -> Any:
        """Do a write and keep its result under a key, both in one transaction; never do it a second time.

        Where the key was used before, by any process, nothing is written and the kept result comes back.
        So a request whose answer was lost can be sent again. What `write` raises is not kept, and its writes
        are undone. A key is remembered until at least `ONCE_KEPT` others have come after it.

        Args:
            key: names this one write.
            write: writes to this store; gives plain JSON values or structs, which come back as plain values.

        Raises:
            Unsupported: the store lacks `Capability.ONCE`.
            StoreError: the key is not valid Unicode, or the result has no JSON form; nothing was written.
        """
        if Capability.ONCE not in self.capabilities:
            unsupported(self, Capability.ONCE)
        _require_text(key)
        with self.transaction():
            kept = self.kept_result(key)
            if kept is None:
                kept = _json_of(write())
                self.keep_result(key, kept)
        return msgspec.json.decode(kept)

    def kept_result(self, key: str) -> bytes | None:  # noqa: ARG002
        """What `keep_result` was given for a key, None for one that is not known. `once` is what to call."""
        unsupported(self, Capability.ONCE)

    def keep_result(self, key: str, result: bytes) -> None:  # noqa: ARG002
        """Remember a result as a part of the transaction that this is called in. `once` is what to call."""
        unsupported(self, Capability.ONCE)

    @abstractmethod
    def sizes(self) -> list[SessionSize]:
        """The size of every session, sorted by id, without decoding them."""

    @abstractmethod
    def verify(self) -> list[Damage]:
        """Read everything and name what is damaged; an empty list when nothing is."""

    def doubts(self) -> list[Doubt]:
        """What was seen in opening and reading that may be the loss of writes, and may be none.

        Such is the end of a log: what stands there and is no record may be a write that never returned, or
        damage to one that did. Reads go on; who shows or moves what they give says so, or refuses to. Loss
        that is certain raises `StoreDamaged` instead, unless the address accepts it. Cheap, unlike `verify`.
        """
        return []

    @abstractmethod
    def stats(self) -> StoreStats:
        """How much the store holds."""

    def settle(self) -> None:  # noqa: B027 (most do everything at once)
        """Wait for work that goes on after writes have returned. Nothing depends on it but measurements."""

    @abstractmethod
    def close(self) -> None:
        """Give back files and locks. Closing twice does nothing."""

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        """Read one task and the version of its session.

        Raises:
            SessionNotFound: there is no such session.
            TaskNotFound: the session has no such task.
        """
        session = self.load(session_id)
        for task in session.tasks:
            if task.id == task_id:
                return task, session.version
        raise task_not_found(session_id, task_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require_text(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise StoreError(f"the key {key!r} is not valid Unicode", hint="name the write otherwise") from error


def _json_of(result: Any) -> bytes:
    try:
        return msgspec.json.encode(result)
    except (msgspec.MsgspecError, UnicodeError, TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"the result of a write has no JSON form: {error}") from error


def unsupported(store: Store, capability: Capability) -> NoReturn:
    """Raise the error for a capability that a store does not have."""
    raise Unsupported(f"{type(store).__name__} does not support {capability.value}")


def check_order(order: str) -> tuple[str, bool]:
    """Split `TaskQuery.order` into its field and whether it descends.

    Raises:
        UsageError: the field is none of `ORDERS`.
    """
    name = order.removeprefix("-")
    if name not in ORDERS:
        raise UsageError(f"cannot order tasks by {name!r}", hint=f"known: {', '.join(ORDERS)}")
    return name, order.startswith("-")
