"""Which store the entries belong to.

A session's id and version name its content in one store only. A store that was removed and made anew, or
replaced by a backup, counts its versions from somewhere else. So each store gets a random mark in an extended
attribute of its file or folder, which goes when that is removed or replaced by another. As a copy may carry
the attribute with it, device and inode are part of the identity; where the file system has no such
attributes, they stand for it alone. So is the start of the machine: when its power fails, a store may fall
back behind what was read from it and cached, and then use the same versions for other content.

Not recognised is a backup that was copied *into* the very same file and then written further than the store
had come before, while no cache was open; the folder of the cache must be removed then. One that was not yet
written as far is recognised by the change counter of the entries (see `CachedStore`).
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

ATTRIBUTE = "user.tiergate.cache"
_STARTED = Path("/proc/sys/kernel/random/boot_id")


def identity_of(path: Path | None, address: str) -> bytes:
    """The mark of the store at a path, made where it has none; without a path, the address stands for it."""
    if path is None:
        return address.encode("utf-8", "surrogatepass")
    with suppress(OSError, AttributeError):  # not every system and file system has extended attributes
        return _place_of(path) + _mark_of(path)
    return _place_of(path)


def renew(path: Path | None) -> bytes:
    """A new mark for a store of which the old one can no longer be trusted."""
    mark = secrets.token_bytes(16)
    if path is not None:
        # Where it cannot be kept, this instance starts afresh, and others find out by themselves.
        with suppress(OSError, AttributeError):
            os.setxattr(path, ATTRIBUTE, mark)
    return _place_of(path) + mark if path is not None else mark


@cache
def machine_start() -> bytes:
    """What names the time since the machine was started; empty where the system does not tell."""
    try:
        return _STARTED.read_bytes().strip()
    except OSError:
        return b""


def _place_of(path: Path) -> bytes:
    try:
        found = path.stat()
    except OSError:
        return machine_start() + os.fsencode(path)
    return machine_start() + f"-{found.st_dev}-{found.st_ino}-".encode()


def _mark_of(path: Path) -> bytes:
    try:
        return os.getxattr(path, ATTRIBUTE)
    except FileNotFoundError:
        raise
    except OSError:
        with suppress(FileExistsError):  # several processes may open a new store at once
            os.setxattr(path, ATTRIBUTE, secrets.token_bytes(16), os.XATTR_CREATE)
        return os.getxattr(path, ATTRIBUTE)
