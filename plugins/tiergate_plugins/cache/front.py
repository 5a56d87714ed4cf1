"""What one instance of the cache keeps in memory: the sessions and results it met last."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from tiergate.model import Session, Task

_PER_TASK = 700
"""Bytes that a decoded task takes beside its text, by `tracemalloc`."""


class Kept(msgspec.Struct, frozen=True):
    """A value at a state of the store.

    Attributes:
        state: version of the session, or change counter of the store, that it holds for.
        value: a session, or a result as msgpack.
        cost_s: what it cost to load or compute it.
        expires: by `time.time`.
        weight: bytes that it takes, about.
        extras: positions of the tasks whose ``extra`` is not empty.
    """

    state: int
    value: Session | bytes
    cost_s: float
    expires: float
    weight: int
    extras: tuple[int, ...] = ()


class Front:
    """Decoded values by key, those used last, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        """Bytes that are held, about."""
        return self._held

    def get(self, key: bytes) -> Kept | None:
        """What is kept under a key; it counts as used."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: bytes, kept: Kept) -> None:
        """Keep a value, in place of others that were not used for longest."""
        self.drop(key)
        if kept.weight > self._limit:
            return
        self._kept[key] = kept
        self._held += kept.weight
        while self._held > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._held -= oldest.weight

    def drop(self, key: bytes) -> None:
        """Forget a key."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._held -= kept.weight

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._held = 0


def keep_session(session: Session, size: int, cost_s: float, expires: float) -> Kept:
    """A session as the front keeps it; `size` is that of its encoded form, in bytes."""
    extras = tuple(position for position, task in enumerate(session.tasks) if task.extra)
    weight = size + _PER_TASK * (1 + len(session.tasks))
    return Kept(session.version, give(session, extras), cost_s, expires, weight, extras)


def hand_out(kept: Kept) -> Session | None:
    """The kept session for a caller; None when a caller filled an ``extra`` that was empty.

    A session is a value, and its tasks are frozen: they are shared. Only an ``extra`` can be changed in
    place. One that holds something is copied for every caller; an empty one is shared too, as copying
    thousands of tasks for it would cost more than decoding them, and a session whose empty ``extra`` was
    filled is not given to anybody else.
    """
    session = kept.value
    assert isinstance(session, Session)
    filled = [position for position, task in enumerate(session.tasks) if task.extra]
    if len(filled) != len(kept.extras):
        return None
    return give(session, kept.extras)


def give(session: Session, extras: tuple[int, ...]) -> Session:
    """The session with its own copies of what could be changed in place."""
    own = _copy(session.extra)
    if not extras:
        return msgspec.structs.replace(session, extra=own)
    tasks: list[Task] = list(session.tasks)
    for position in extras:
        task = tasks[position]
        tasks[position] = msgspec.structs.replace(task, extra=_copy(task.extra))
    return msgspec.structs.replace(session, tasks=tuple(tasks), extra=own)


def _copy(value: Any) -> Any:
    """A copy of plain JSON values; several times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        return {name: _copy(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copy(part) for part in value]
    return value
