"""Durable writes to a folder, and errors of the file system in the store's own words."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiergate.store import StoreError

LOCK = ".lock"
_NEW = ".new"
"""One name is enough, since only the holder of the lock writes; what a crash left is written over."""

_HINTS = {
    errno.ENOENT: "create the folder first",
    errno.ENOTDIR: "part of the path is a file; name another path",
    errno.EEXIST: "it is a file; name another path",
    errno.EISDIR: "it is a folder; name another path",
    errno.EACCES: "check who may write there",
    errno.EPERM: "check who may write there",
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOSPC: "free some space and repeat",
    errno.EDQUOT: "free some space and repeat",
}


@contextmanager
def system_errors(doing: str, where: Path) -> Iterator[None]:
    """Turn errors of the operating system into `StoreError`, saying what was being done to what."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "check the disk")
        raise StoreError(f"cannot {doing}: {error.strerror}", where=str(where), hint=hint) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, waiting for whoever holds it.

    The file is opened each time: a descriptor that a forked process inherits would share the lock.
    """
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write(folder: Path, name: str, data: bytes, *, durable: bool) -> None:
    """Put a file in place as a whole; the caller holds the lock."""
    new = folder / _NEW
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                sync(file.fileno())
        new.replace(folder / name)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(folder)


def remove(folder: Path, name: str, *, durable: bool) -> None:
    """Take a file away; the caller holds the lock."""
    (folder / name).unlink()
    if durable:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make a folder's names survive the loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def sync(descriptor: int) -> None:
    """Make what was written survive the loss of power; on macOS fsync alone stops at the drive's cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)
