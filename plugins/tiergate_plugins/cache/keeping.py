"""The two places where a cache keeps things, memory and disk, as one; and the account of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from time import perf_counter

from tiergate.frames import DICTIONARY_BYTES
from tiergate.store import Damage
from tiergate_plugins.cache.counters import Counters, add_counters, read_counters
from tiergate_plugins.cache.files import replace_file
from tiergate_plugins.cache.front import Front, Kept
from tiergate_plugins.cache.identity import identity_of, renew
from tiergate_plugins.cache.options import CacheOptions
from tiergate_plugins.cache.shelf import Entry, Shelf
from tiergate_plugins.cache.sweep import holding, sweep

_SWEEP_PART = 16
"""A sweep follows when an instance has written that part of the limit."""

_DICTIONARY_PART = 32
"""A dictionary takes that part of the limit at most; there are two."""

_FLUSH_AFTER = 1000
"""Hits and misses after which the counters are written."""

_PATIENCE = 50
"""How often that is tried before it is given up for good, 10 ms apart."""


class Keeping:
    """Front and shelf behind the store's identity.

    Args:
        options: of the cache.
        changes: gives the change counter of the store now, always 0 for a store without one.
    """

    def __init__(self, options: CacheOptions, changes: Callable[[], int]) -> None:
        self.counters = Counters()
        self.ttl_s = options.ttl_s
        self._options = options
        self._changes = changes
        self._seen = changes()
        self._identity = identity_of(options.path, options.address)
        self._front = Front(options.memory_bytes)
        self._shelf: Shelf | None = None
        if options.folder is not None and options.disk_bytes:
            size = min(DICTIONARY_BYTES, options.disk_bytes // _DICTIONARY_PART)
            self._shelf = Shelf(options.folder, options.level, options.ttl_s, self.counters, size)
        self._written = 0

    def key(self, kind: bytes, session_id: str, rest: bytes = b"") -> bytes:
        """The key of something of this store."""
        name = session_id.encode("utf-8", "surrogatepass")
        parts = (self._identity, kind, name, rest)
        text = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
        return blake2b(text, digest_size=20).digest()

    def front(self, key: bytes, state: int) -> Kept | None:
        """What memory holds of a key at a state of the store."""
        kept = self._front.get(key)
        if kept is None or kept.state != state or time.time() >= kept.expires:
            return None
        return kept

    def shelved(self, key: bytes, state: int) -> tuple[Entry, bytes] | None:
        """What the disk holds of a key at a state of the store."""
        if self._shelf is None:
            return None
        entry = self._shelf.find(key)
        if entry is None or entry.state != state or not self._is_of_this_past(entry):
            return None
        data = self._shelf.read(key, entry)
        return None if data is None else (entry, data)

    def put(self, key: bytes, kept: Kept, data: bytes | None) -> None:
        """Keep a value in memory, and its bytes on disk where they are given."""
        self._front.put(key, kept)
        if data is None or self._shelf is None or len(data) > self._options.disk_bytes:
            return
        self._written += self._shelf.put(key, kept.state, self._now(), kept.cost_s, data)
        if self._written * _SWEEP_PART > self._options.disk_bytes:
            self._sweep()
        self._flush_when_due()

    def forget(self, key: bytes) -> None:
        """Drop what memory holds of a key."""
        self._front.drop(key)

    def spoilt(self, key: bytes) -> None:
        """Count an entry whose content is not what it should be, and drop it."""
        self.counters.damaged += 1
        if self._shelf is not None:
            self._shelf.drop(key)

    def hit(self, cost_s: float, start: float, *, front: bool) -> None:
        """Count a hit that began at `start`."""
        self.counters.hits += 1
        self.counters.front_hits += front
        self.counters.saved_s += max(0.0, cost_s - (perf_counter() - start))
        self._flush_when_due()

    def damage(self) -> list[Damage]:
        """What is damaged on disk."""
        if self._shelf is None:
            return []
        try:
            return list(self._shelf.damage())
        except OSError as error:
            return [Damage(str(self._shelf.folder), f"the cache cannot be read: {error.strerror}")]

    def details(self) -> dict[str, int | float | str]:
        """The account of the cache: of all processes up to their last flush, and of this one."""
        self._flush(_PATIENCE)
        total = Counters()
        shelf = self._shelf
        found: dict[str, int | float | str] = {}
        if shelf is not None:
            try:
                total = read_counters(shelf.folder)
                held = holding(shelf.folder)
                found = {
                    "cache_entries": held.entries,
                    "cache_contents": held.contents,
                    "cache_bytes": held.bytes,
                }
            except OSError as error:
                shelf.note(error)
            found["cache_dictionary"] = shelf.dictionary
        total.add(self.counters)  # what could not be written
        asked = total.hits + total.misses
        found |= {
            "cache_hits": total.hits,
            "cache_memory_hits": total.front_hits,
            "cache_misses": total.misses,
            "cache_hit_rate": round(total.hits / asked, 4) if asked else 0.0,
            "cache_ratio": round(total.stored_bytes / total.raw_bytes, 4) if total.raw_bytes else 0.0,
            "cache_evicted": total.evicted,
            "cache_damaged": total.damaged,
            "cache_trouble": total.trouble,
            "cache_saved_s": round(total.saved_s, 4),
            "cache_memory_bytes": self._front.held_bytes,
        }
        if shelf is not None and shelf.last_trouble:
            found["cache_last_trouble"] = shelf.last_trouble
        return found

    def close(self) -> None:
        """Write the counters, and bring the folder to its limit where something was written."""
        if self._written and not self._swept_lately():
            self._sweep()
        self._flush(_PATIENCE)
        self._front.clear()

    def _now(self) -> int:
        self._seen = max(self._seen, self._changes())
        return self._seen

    def _is_of_this_past(self, entry: Entry) -> bool:
        """Whether an entry was written at a change that this store has seen.

        One that was not comes from a future that a restored backup does not have. Then no entry that is there
        can be trusted.
        """
        if entry.changes <= self._seen:
            return True
        self._seen = self._changes()
        if entry.changes <= self._seen:
            return True
        self._identity = renew(self._options.path)
        self._front.clear()
        return False

    def _sweep(self) -> None:
        self._written = 0
        if self._shelf is None:
            return
        try:
            replace_file(self._shelf.folder / "swept", b"")
            self.counters.evicted += sweep(self._shelf.folder, self._options.disk_bytes, self.ttl_s)
        except OSError as error:
            self._shelf.note(error)

    def _swept_lately(self) -> bool:
        if self._shelf is None:
            return True
        try:
            return time.time() - (self._shelf.folder / "swept").stat().st_mtime < 60.0
        except OSError:
            return False

    def _flush_when_due(self) -> None:
        if self.counters.hits + self.counters.misses >= _FLUSH_AFTER:
            self._flush(1)

    def _flush(self, tries: int) -> None:
        """Add the counters to those of the folder; they stay here where that fails."""
        if self._shelf is None or self.counters == Counters():
            return
        try:
            self._shelf.folder.mkdir(parents=True, exist_ok=True)
            if add_counters(self._shelf.folder, self.counters, tries):
                self.counters.clear()
        except OSError as error:
            self._shelf.note(error)
