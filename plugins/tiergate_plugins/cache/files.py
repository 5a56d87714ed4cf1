"""Small files that several processes read and replace at once; nothing here is made durable."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 4096


def read_file(path: Path) -> bytes | None:
    """The bytes of a file; None when there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        parts = [os.read(descriptor, os.fstat(descriptor).st_size + 1)]
        while parts[-1]:
            parts.append(os.read(descriptor, 2**20))
        return b"".join(parts)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in the place of another: a reader sees the old one or the new one, whole.

    Raises:
        OSError: it cannot be written; then nothing is left of it.
    """
    temporary = Path(f"{path}.{secrets.token_hex(6)}.tmp")
    try:
        try:
            _write(temporary, data)
        except FileNotFoundError:  # the folder is made when it is first used, and may be removed at any time
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary, data)
        temporary.replace(path)
    except BaseException:
        remove(temporary)
        raise


def _write(path: Path, data: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]


def remove(path: Path) -> bool:
    """Remove a file, where it can be; tells whether it was there."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def touch(path: Path) -> None:
    """Note that a file was used, in the time of its modification: that of access changes with every check."""
    try:
        os.utime(path)
    except OSError:
        return  # it only becomes more likely to be evicted


def on_disk(size: int) -> int:
    """Bytes that a file of that size takes: whole blocks, in nearly every file system."""
    return -(-size // _BLOCK) * _BLOCK


def walk(folder: Path) -> Iterator[Path]:
    """Every file in the folders of a folder; one that is not there is empty.

    Raises:
        OSError: a folder cannot be read.
    """
    try:
        with os.scandir(folder) as parts:
            for part in parts:
                if part.is_dir(follow_symlinks=False):
                    with os.scandir(part.path) as found:
                        yield from (Path(one.path) for one in found)
    except FileNotFoundError:
        return
