"""A store that answers from a cache where the store behind it says that nothing has changed since."""

from __future__ import annotations

import time
from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec

from tiergate.model import Session
from tiergate.store import (
    Capability,
    Damage,
    SessionNotFound,
    Store,
    StoreStats,
)
from tiergate.store_front import StoreFront
from tiergate_plugins.cache.front import Kept, hand_out, keep_session
from tiergate_plugins.cache.keeping import Keeping
from tiergate_plugins.cache.options import CacheOptions

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_decode_session = msgspec.msgpack.Decoder(Session).decode

_NOT_KEPT = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What the encoder raises for values that it cannot carry; they are not cached."""


class CachedStore(StoreFront):
    """A cache in front of a store.

    A session is kept under its id with the version that it was loaded at, and given only after the store was
    asked for the version now. As a version is never used twice, what is given is what the store holds at that
    moment. A result of one session is kept in the same way, a result across sessions with the change counter
    of the store; a store without one keeps no such results. Writes go to the store and nowhere else. Inside a
    transaction the cache is neither read nor written.

    Args:
        store: what it stands in front of; it is closed with the cache.
        options: where and how much to keep.
    """

    def __init__(self, store: Store, options: CacheOptions) -> None:
        super().__init__(store)
        self._counts_changes = Capability.CHANGE_COUNTER in store.capabilities
        self._keeping = Keeping(options, self._changes)
        self._closed = False

    def load(self, session_id: str) -> Session:
        if self._inside:
            return self._store.load(session_id)
        start = perf_counter()
        key = self._keeping.key(b"session", session_id)
        found = self._known_session(key, self._store.version(session_id), start)
        if found is not None:
            return found
        start = perf_counter()
        session = self._store.load(session_id)
        cost = perf_counter() - start
        self._keeping.counters.misses += 1
        try:
            data = _encode(session)
        except _NOT_KEPT:
            return session
        kept = keep_session(session, len(data), cost, time.time() + self._keeping.ttl_s)
        self._keeping.put(key, kept, data)
        return session

    def remember(self, key: bytes, session_id: str | None, compute: Callable[[], Any]) -> Any:
        if self._inside or (session_id is None and not self._counts_changes):
            return self._store.remember(key, session_id, compute)
        start = perf_counter()
        state = self._state(session_id)
        if state is None:
            return compute()
        name = self._keeping.key(b"result", session_id or "", key)
        kept = self._known_result(name, state, start)
        if kept is not None:
            return kept
        start = perf_counter()
        result = self._store.remember(key, session_id, compute)
        cost = perf_counter() - start
        self._keeping.counters.misses += 1
        # What changed while it was computed may be in the result or not.
        if self._state(session_id) == state:
            self._keep_result(name, state, result, cost)
        return result

    def _known_session(self, key: bytes, version: int, start: float) -> Session | None:
        kept = self._keeping.front(key, version)
        if kept is not None:
            session = hand_out(kept)
            if session is not None:
                self._keeping.hit(kept.cost_s, start, front=True)
                return session
            self._keeping.forget(key)
        found = self._keeping.shelved(key, version)
        if found is None:
            return None
        entry, data = found
        try:
            session = _decode_session(data)
        except msgspec.MsgspecError:
            self._keeping.spoilt(key)
            return None
        if session.version != version:
            self._keeping.spoilt(key)
            return None
        expires = entry.made + self._keeping.ttl_s
        self._keeping.put(key, keep_session(session, len(data), entry.cost_s, expires), None)
        self._keeping.hit(entry.cost_s, start, front=False)
        return session

    def _known_result(self, key: bytes, state: int, start: float) -> Any:
        kept = self._keeping.front(key, state)
        if kept is not None and isinstance(kept.value, bytes):
            self._keeping.hit(kept.cost_s, start, front=True)
            return _decode(kept.value)
        found = self._keeping.shelved(key, state)
        if found is None:
            return None
        entry, data = found
        try:
            result = _decode(data)
        except msgspec.MsgspecError:
            self._keeping.spoilt(key)
            return None
        expires = entry.made + self._keeping.ttl_s
        self._keeping.put(key, Kept(state, data, entry.cost_s, expires, len(data)), None)
        self._keeping.hit(entry.cost_s, start, front=False)
        return result

    def _keep_result(self, key: bytes, state: int, result: Any, cost_s: float) -> None:
        if result is None:
            return  # cannot be told from a miss, and never costs much
        try:
            data = _encode(result)
        except _NOT_KEPT:
            return
        kept = Kept(state, data, cost_s, time.time() + self._keeping.ttl_s, len(data))
        self._keeping.put(key, kept, data)

    def _state(self, session_id: str | None) -> int | None:
        """What a result is compared by; None for a session that is not there."""
        if session_id is None:
            return self._store.changes()
        try:
            return self._store.version(session_id)
        except SessionNotFound:
            return None

    def _changes(self) -> int:
        return self._store.changes() if self._counts_changes else 0

    def verify(self) -> list[Damage]:
        return [*self._store.verify(), *self._keeping.damage()]

    def stats(self) -> StoreStats:
        stats = self._store.stats()
        return msgspec.structs.replace(stats, details={**stats.details, **self._keeping.details()})

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._keeping.close()
        self._store.close()
