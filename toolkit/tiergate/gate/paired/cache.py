"""What is kept for later runs (trees, environments): whole or not there, whoever is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Where it is kept: `TIERGATE_CACHE`, else the user's cache folder."""
    stated = os.environ.get("TIERGATE_CACHE")
    if stated:
        return Path(stated).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tiergate" / "gate"


@contextmanager
def made_once(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder, and say whether it has yet to be made; others wait meanwhile.

    It counts as made once the block has ended without an error; what was begun and not ended is not there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = folder.parent / f"{folder.name}.complete"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_missing = not (mark.exists() and folder.exists())
        if is_missing:
            mark.unlink(missing_ok=True)
        yield is_missing
        mark.touch()
