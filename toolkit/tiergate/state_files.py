"""The state folder: files that are replaced as a whole and survive the loss of power, and locks."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiergate.errors import RunError
from tiergate.refusals import hint_of
from tiergate.syncing import sync, sync_folder

VARIABLE = "TIERGATE_STATE"
"""Environment variable that names the state folder."""

DEFAULT = ".tiergate"


class StateError(RunError):
    """What tiergate keeps about names and migrations cannot be read or written."""


class Busy(RunError):
    """Another process holds the lock."""


def state_folder() -> Path:
    """The folder that ``TIERGATE_STATE`` names, else ``.tiergate`` in the working directory."""
    return Path(os.environ.get(VARIABLE) or DEFAULT).absolute()


@contextmanager
def state_errors(doing: str, where: Path) -> Iterator[None]:
    """Turn errors of the operating system into `StateError`, saying what was being done to what."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"cannot {doing}: {error.strerror}",
            where=str(where),
            hint=f"{hint_of(error)}; {VARIABLE} names another folder",
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they survive the loss of power.

    Raises:
        StateError: it cannot be made.
    """
    with state_errors("make the folder", folder):
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for made in missing:
            sync_folder(made.parent)


def replace_durably(path: Path, data: bytes) -> None:
    """Put a file in place of the old one: after a crash there is the one or the other, whole.

    Raises:
        StateError: it cannot be written; the old one is there still.
    """
    make_folder(path.parent)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    with state_errors("write", path):
        try:
            with new.open("wb") as file:
                file.write(data)
                file.flush()
                sync(file.fileno())
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def remove_durably(path: Path) -> None:
    """Remove a file; one that is not there is no error.

    Raises:
        StateError: it cannot be removed.
    """
    with state_errors("remove", path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def append_durably(path: Path, data: bytes) -> None:
    """Add to the end of a file.

    Raises:
        StateError: it cannot be written.
    """
    with state_errors("write", path), path.open("ab") as file:
        new = file.tell() == 0
        file.write(data)
        file.flush()
        sync(file.fileno())
        if new:
            sync_folder(path.parent)


@contextmanager
def locked(lock: Path, *, shared: bool = False, wait_s: float = 0.0, busy: str) -> Iterator[None]:
    """Hold a lock file; its folder must be there.

    The file is opened each time: a descriptor that a forked process inherits would share the lock.

    Args:
        shared: let others hold it too, unless they want it alone.
        wait_s: how long to wait for others.
        busy: what is wrong when they keep it for longer.

    Raises:
        Busy: they keep it.
        StateError: it cannot be opened.
    """
    with state_errors("open the lock", lock):
        descriptor = _open(lock, shared=shared)
    try:
        _take(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait_s, busy, lock)
        yield
    finally:
        os.close(descriptor)


def is_locked(lock: Path) -> bool:
    """Whether somebody holds a lock alone right now; no file is made.

    Raises:
        StateError: it cannot be opened.
    """
    with state_errors("open the lock", lock):
        try:
            descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open(lock: Path, *, shared: bool) -> int:
    if shared:
        try:
            return os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
    return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _take(descriptor: int, kind: int, wait_s: float, busy: str, lock: Path) -> None:
    deadline = time.monotonic() + wait_s
    pause = 0.0001
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy(busy, where=str(lock), hint="wait for it to end, or stop it") from None
            time.sleep(pause)
            pause = min(pause * 1.5, 0.005)
        else:
            return
