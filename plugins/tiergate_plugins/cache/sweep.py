"""Keeping the folder to its limit: what was used least recently goes first."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiergate_plugins.cache.files import on_disk, read_file, remove, walk
from tiergate_plugins.cache.shelf import decode_entry, key_of

KEEP = 0.9
"""Part of the limit that is left after a sweep, so that not every write needs one."""

_GRACE_S = 60.0
"""A content that no entry names may be about to get one, and a file that is younger be still in writing."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How much a folder holds: entries, contents, and the bytes of everything, in whole blocks."""

    entries: int
    contents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    used: float


def holding(folder: Path) -> Holding:
    """How much a folder holds.

    Raises:
        OSError: it cannot be read.
    """
    entries, contents = (list(_files(folder / kind)) for kind in ("entries", "contents"))
    total = sum(one.size for one in (*entries, *contents, *_others(folder)))
    return Holding(len(entries), len(contents), total)


def sweep(folder: Path, limit: int, ttl_s: float) -> int:
    """Remove what is too old, what no entry names, and what is too much; tells how many contents went.

    Raises:
        OSError: the folder cannot be read.
    """
    now = time.time()
    named: list[tuple[_File, bytes]] = []
    for one in _files(folder / "entries"):
        data = read_file(one.path)
        entry = decode_entry(data, key_of(one.path.name)) if data is not None else None
        if entry is not None and now - entry.made < ttl_s:
            named.append((one, entry.content))
        elif entry is not None or now - one.used > _GRACE_S:
            remove(one.path)
    others = _others(folder)
    for one in others:
        if one.path.suffix == ".tmp" and now - one.used > _GRACE_S:
            remove(one.path)
    return _evict(named, list(_files(folder / "contents")), limit - sum(one.size for one in others), now)


def _evict(named: list[tuple[_File, bytes]], contents: list[_File], limit: int, now: float) -> int:
    """Evict entries by when they were used, and each content with the last entry that names it."""
    total = sum(one.size for one in contents) + sum(entry.size for entry, _ in named)
    target = limit * KEEP if total > limit else limit
    names = Counter(content for _, content in named)
    evicted = 0
    kept = {}
    for one in sorted(contents, key=lambda one: one.used):
        content = key_of(one.path.name)
        if content in names:
            kept[content] = one
        elif now - one.used > _GRACE_S or (total > target and one.path.suffix != ".tmp"):
            evicted += remove(one.path)
            total -= one.size
    for entry, content in sorted(named, key=lambda pair: pair[0].used):
        if total <= target:
            break
        remove(entry.path)
        total -= entry.size
        names[content] -= 1
        if not names[content] and content in kept:
            evicted += remove(kept[content].path)
            total -= kept[content].size
    return evicted


def _others(folder: Path) -> list[_File]:
    """Dictionaries, counters, and what a process that was killed left of them."""
    found = []
    for part in (folder, folder / "dictionaries"):
        try:
            paths = list(part.iterdir())
        except FileNotFoundError:
            continue
        found += [one for path in paths if path.is_file() and (one := _file(path)) is not None]
    return found


def _files(folder: Path) -> Iterator[_File]:
    for path in walk(folder):
        one = _file(path)
        if one is not None:
            yield one


def _file(path: Path) -> _File | None:
    """A file; None when it has gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _File(path, on_disk(found.st_size), found.st_mtime)
