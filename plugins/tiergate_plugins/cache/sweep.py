"""Keeping the folder to its limit: what was used least recently goes first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tiergate_plugins.cache.files import read_file, remove, walk
from tiergate_plugins.cache.shelf import decode_entry

KEEP = 0.9
"""Part of the limit that is left after a sweep, so that not every write needs one."""

_GRACE_S = 60.0
"""A content that no entry names may be about to get one; a file that is being written may be as old."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How much a folder holds: entries, contents, and the bytes of both."""

    entries: int
    contents: int
    bytes: int


def holding(folder: Path) -> Holding:
    """How much a folder holds.

    Raises:
        OSError: it cannot be read.
    """
    counts = {"entries": 0, "contents": 0}
    total = 0
    for kind in counts:
        for found in walk(folder / kind):
            size = _size_and_use(found)
            if size is not None:
                counts[kind] += 1
                total += size[0]
    return Holding(counts["entries"], counts["contents"], total)


def sweep(folder: Path, limit: int, ttl_s: float) -> int:
    """Remove what is too old, what no entry names, and what is too much; tells how many contents went.

    Raises:
        OSError: the folder cannot be read.
    """
    now = time.time()
    named: dict[bytes, list[Path]] = {}
    for found in walk(folder / "entries"):
        data = read_file(found)
        entry = decode_entry(data) if data is not None else None
        if entry is not None and now - entry.made <= ttl_s:
            named.setdefault(entry.content, []).append(found)
        elif entry is not None or _is_old(found, now):
            remove(found)
    contents = []
    for found in walk(folder / "contents"):
        size = _size_and_use(found)
        if size is not None:
            contents.append((_is_named(found.name, named), size[1], size[0], found, found.name))
    return _evict(sorted(contents), named, limit, now)


def _evict(
    contents: list[tuple[bool, float, int, Path, str]], named: dict[bytes, list[Path]], limit: int, now: float
) -> int:
    """Evict contents, sorted by whether they have a name and by when they were used."""
    total = sum(size for _, _, size, _, _ in contents)
    target = limit * KEEP if total > limit else limit
    evicted = 0
    for has_name, used, size, path, name in contents:
        if total <= target and (has_name or now - used < _GRACE_S):
            continue
        if remove(path):
            evicted += 1
        total -= size
        for entry in named.get(bytes.fromhex(name), []) if has_name else []:
            remove(entry)
    return evicted


def _is_named(name: str, named: dict[bytes, list[Path]]) -> bool:
    try:
        return bytes.fromhex(name) in named
    except ValueError:
        return False


def _is_old(path: Path, now: float) -> bool:
    found = _size_and_use(path)
    return found is not None and now - found[1] > _GRACE_S


def _size_and_use(path: Path) -> tuple[int, float] | None:
    """Bytes of a file and when it was last used; None when it has gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, max(found.st_atime, found.st_mtime)
