"""Durable writes to a folder, and errors of the file system in the store's own words."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tiergate import syncing
from tiergate.refusals import hint_of, is_wrong_path
from tiergate.store import StoreError, StoreFailed

LOCK = ".lock"
LOCK_TIMEOUT_S = 30.0
"""How long a call waits for other processes. Their writes take milliseconds; this is for a stopped one."""
_NEW = ".new"
"""Ends the name of a file that is not in place yet. Only the holder of the lock writes, so a file needs one
such name; what a crash left is written over."""


@contextmanager
def system_errors(doing: str, where: Path | str) -> Iterator[None]:
    """Turn errors of the operating system into those of a store, saying what was being done to what."""
    try:
        yield
    except OSError as error:
        raise in_words(error, doing, where) from error


def in_words(error: OSError, doing: str, where: Path | str) -> StoreError:
    """What the operating system refused, in the store's own words."""
    kind = StoreError if is_wrong_path(error) else StoreFailed
    return kind(f"cannot {doing}: {error.strerror}", where=str(where), hint=hint_of(error))


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a lock file, waiting for whoever holds it. Raises as `take_lock`."""
    descriptor = take_lock(lock)
    try:
        yield
    finally:
        os.close(descriptor)


def take_lock(lock: Path) -> int:
    """Take a lock file, waiting for whoever holds it; closing the descriptor gives it back.

    The file is opened each time: a descriptor that a forked process inherits would share the lock.

    Raises:
        StoreFailed: somebody has kept it for too long, a stopped process or an open transaction.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _wait_for(descriptor, lock)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _wait_for(descriptor: int, lock: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    pause = 0.00005
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreFailed(
                    f"another process kept the store locked for {LOCK_TIMEOUT_S:g} s",
                    where=str(lock),
                    hint="wait for it, or stop it",
                ) from None
            time.sleep(pause)
            pause = min(pause * 1.5, 0.002)
        else:
            return


def write(folder: Path, name: str, data: bytes, *, durable: bool) -> None:
    """Put a file in place as a whole; the caller holds the lock.

    Args:
        durable: whether it is the new file that is there after a loss of power. What it holds is synced in
            any case: a name that means an unwritten file would be the loss of the old one.
    """
    new = folder / unfinished(name)
    try:
        with new.open("wb") as file:
            _keep_mode(folder / name, file.fileno())
            file.write(data)
            file.flush()
            syncing.sync(file.fileno())
        new.replace(folder / name)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    if durable:
        syncing.sync_folder(folder)


def _keep_mode(old: Path, descriptor: int) -> None:
    """Who may read a file must not change because it is written anew."""
    with suppress(FileNotFoundError):
        os.fchmod(descriptor, stat.S_IMODE(old.stat().st_mode))


def unfinished(name: str) -> str:
    """The name of a file before it is put in place."""
    return f".{name}{_NEW}"


def is_unfinished(name: str) -> bool:
    """Whether a file was never put in place."""
    return name.startswith(".") and name.endswith(_NEW)


def finished(name: str) -> str:
    """The name that an unfinished file will have."""
    return name[1:].removesuffix(_NEW)
