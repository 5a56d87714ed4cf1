"""What may be on a disk after the loss of power, of what was written to it: ALICE's model.

After T. S. Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014: what was synced is there;
of all else each operation is there, is not there, or is there in part, whatever came before or after it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECTOR = 512
"""Bytes that a disk writes as a whole."""
ROOT = 0
"""The number of the folder that was recorded."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes put into a file; `synced` when the call itself waited for the disk."""

    file: int
    offset: int
    data: bytes
    synced: bool = False


@dataclass(frozen=True, slots=True)
class Resize:
    """A file cut or extended to a size."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a folder that now means another file, or none; `old` is the name that it had, if any."""

    folder: int
    name: str
    file: int | None
    old: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that came to be, without a name yet."""

    file: int


@dataclass(frozen=True, slots=True)
class Sync:
    """A file or folder of which all operations before the one with the number `since` are on disk."""

    file: int
    since: int


@dataclass(frozen=True, slots=True)
class FailedSync:
    """A sync that failed: the kernel forgets that the bytes of a file had to go to disk, as Linux does.

    Names it does not forget: file systems keep them in a journal of their own, and one that cannot be written
    stops the file system (ext4 aborts, XFS shuts down), so that no later sync succeeds without them.
    """

    file: int
    since: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The writer was told that its first `steps` steps are durable."""

    steps: int


@dataclass(frozen=True, slots=True)
class Begun:
    """The writer began with the step of this number."""

    step: int


Operation = Write | Resize | Name | Folder | Sync | FailedSync | Acknowledged | Begun


@dataclass(frozen=True, slots=True)
class Part:
    """What is there of an operation: bytes from `start` to `stop`, the size of the file with or without them.

    `extends` alone, without bytes, is a file that has grown while its new bytes are zeros.
    """

    start: int
    stop: int
    extends: bool = False


WHOLE = Part(0, 1 << 62)
Choice = Mapping[int, Part]
"""What is there of each operation that was not synced, by its number; the others are not there."""

Tree = dict[str, bytes | None]
"""A folder's files by path, with what they hold; None for a folder."""


def unsynced(operations: Sequence[Operation], crash: int) -> list[int]:
    """The numbers of the operations before a crash that the disk may not have."""
    waiting: dict[int, list[int]] = {}
    forgotten: list[int] = []
    folders = {ROOT, *(one.file for one in operations[:crash] if isinstance(one, Folder))}
    for number, operation in enumerate(operations[:crash]):
        if isinstance(operation, FailedSync) and operation.file in folders:
            continue
        if isinstance(operation, Sync | FailedSync):
            before = waiting.get(operation.file, [])
            waiting[operation.file] = [one for one in before if one >= operation.since]
            if isinstance(operation, FailedSync):
                forgotten += [one for one in before if one < operation.since]
        elif isinstance(operation, Name):
            waiting.setdefault(operation.folder, []).append(number)
        elif isinstance(operation, Resize) or (isinstance(operation, Write) and not operation.synced):
            waiting.setdefault(operation.file, []).append(number)
    return sorted(itertools.chain(forgotten, *waiting.values()))


def acknowledged(operations: Sequence[Operation], crash: int) -> int:
    """How many steps were acknowledged before a crash."""
    return max((one.steps for one in operations[:crash] if isinstance(one, Acknowledged)), default=0)


def begun(operations: Sequence[Operation], crash: int) -> int:
    """How many steps were at least begun before a crash, and so may be there."""
    return max((one.step for one in operations[:crash] if isinstance(one, Begun)), default=0)


def tree_after(operations: Sequence[Operation], crash: int, choice: Choice) -> Tree:
    """The files that are on disk after a crash, with the chosen ones of what was not synced."""
    open_ones = set(unsynced(operations, crash))
    files: dict[int, bytearray] = {}
    folders: dict[int, dict[str, int]] = {ROOT: {}}
    for number, operation in enumerate(operations[:crash]):
        if isinstance(operation, Folder):
            folders[operation.file] = {}
        if number in open_ones and number not in choice:
            continue
        if isinstance(operation, Write):
            _write(files.setdefault(operation.file, bytearray()), operation, choice.get(number, WHOLE))
        elif isinstance(operation, Resize):
            content = files.setdefault(operation.file, bytearray())
            del content[operation.size :]
            content.extend(bytes(operation.size - len(content)))
        elif isinstance(operation, Name):
            _name(folders[operation.folder], operation)
    tree: Tree = {}
    _walk(folders, files, ROOT, "", tree)
    return tree


def boundaries(write: Write) -> list[int]:
    """Where the loss of power may cut a write: between two sectors of the file."""
    first = SECTOR - write.offset % SECTOR
    return list(range(first, len(write.data), SECTOR))


def _write(content: bytearray, write: Write, part: Part) -> None:
    data = write.data[part.start : part.stop]
    start = write.offset + part.start
    end = write.offset + len(write.data) if part.extends else start + len(data) if data else 0
    content.extend(bytes(max(end - len(content), 0)))
    content[start : start + len(data)] = data


def _name(names: dict[str, int], operation: Name) -> None:
    if operation.old is not None and names.get(operation.old) == operation.file:
        del names[operation.old]
    if operation.file is None:
        names.pop(operation.name, None)
    else:
        names[operation.name] = operation.file


def _walk(
    folders: dict[int, dict[str, int]], files: dict[int, bytearray], folder: int, path: str, tree: Tree
) -> None:
    for name, number in sorted(folders[folder].items()):
        if number in folders:
            tree[path + name] = None
            _walk(folders, files, number, f"{path}{name}/", tree)
        else:
            tree[path + name] = bytes(files.get(number, b""))
