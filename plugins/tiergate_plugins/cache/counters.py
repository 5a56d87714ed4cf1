"""What the cache has done, of all processes together."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import msgspec

from tiergate_plugins.cache.files import replace_file

_PAUSE_S = 0.01


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


def add_counters(folder: Path, counters: Counters, tries: int) -> bool:
    """Add to the counters of a folder; tells whether that was done, or another process was at it every time.

    Nobody is waited for longer: a process may be stopped while it holds the lock.

    Raises:
        OSError: they cannot be written.
    """
    lock = os.open(folder / "counters.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not _locked(lock, tries):
            return False
        total = read_counters(folder)
        total.add(counters)
        replace_file(folder / "counters.json", msgspec.json.encode(total))
        return True
    finally:
        os.close(lock)


def _locked(lock: int, tries: int) -> bool:
    for number in range(tries):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S if number + 1 < tries else 0.0)
        else:
            return True
    return False
