"""What the cache has done, of all processes together."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from tiergate_plugins.cache.files import replace_file


class Counters(msgspec.Struct):
    """Counts of events, and what they were about.

    Attributes:
        hits: answered from the cache; `front_hits` of them from memory.
        misses: loaded or computed.
        written: contents that were new; `raw_bytes` became `stored_bytes`.
        evicted: contents removed to keep to the limit.
        damaged: entries that could not be read for what they held; each was a miss, and is gone.
        trouble: operations on the folder that failed.
        saved_s: sum over hits of what loading or computing had cost, less the cost of the hit.
    """

    hits: int = 0
    front_hits: int = 0
    misses: int = 0
    written: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0
    evicted: int = 0
    damaged: int = 0
    trouble: int = 0
    saved_s: float = 0.0

    def add(self, other: Counters) -> None:
        """Add those of another."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def clear(self) -> None:
        """Begin again at 0."""
        for name in self.__struct_fields__:
            setattr(self, name, 0)


def read_counters(folder: Path) -> Counters:
    """The counters that stand in a folder; new ones where there are none, or where they are damaged."""
    try:
        return msgspec.json.decode((folder / "counters.json").read_bytes(), type=Counters)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return Counters()


def add_counters(folder: Path, counters: Counters) -> None:
    """Add to the counters of a folder.

    Raises:
        OSError: they cannot be written.
    """
    lock = os.open(folder / "counters.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        total = read_counters(folder)
        total.add(counters)
        replace_file(folder / "counters.json", msgspec.json.encode(total))
    finally:
        os.close(lock)
