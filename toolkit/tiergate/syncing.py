"""Bringing files and names to the disk, on every system that tiergate runs on."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path


def sync(descriptor: int) -> None:
    """Make what was written survive the loss of power; on macOS fsync alone stops at the drive's cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_data(descriptor: int) -> None:
    """As `sync`, without what reading the data back does not need, such as times."""
    if sys.platform == "darwin":
        sync(descriptor)
    else:
        os.fdatasync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a folder's names survive the loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
