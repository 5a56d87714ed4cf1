"""From what strace saw to operations on a disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from powerloss.disk import ROOT, Acknowledged, Begun, FailedSync, Folder, Name, Operation, Resize, Sync, Write

CALLS = (
    "openat,open,creat,close,write,pwrite64,pwritev,pwritev2,writev,lseek,fsync,fdatasync,sync_file_range,rename,"
    "renameat,renameat2,unlink,unlinkat,truncate,ftruncate,fallocate,mkdir,mkdirat,rmdir,link,linkat"
)
"""The calls that strace must report, with all their bytes (``-xx -y``)."""

_WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_SYNCS = {"fsync", "fdatasync"}
_IGNORED = {"close", "sync_file_range"}
"""Calls that make nothing durable and change nothing."""
_REBUILT = ("-shm",)
"""Ends of names of files that SQLite makes anew after a crash."""


@dataclass
class _Open:
    """An open file."""

    file: int
    offset: int = 0
    appends: bool = False
    synced: bool = False


@dataclass(frozen=True)
class _Call:
    name: str
    arguments: str
    result: int
    since: int

    @property
    def texts(self) -> list[bytes]:
        """The strings among the arguments."""
        return [bytes.fromhex(found.replace("\\x", "")) for found in _TEXT.findall(self.arguments)]

    @property
    def numbers(self) -> list[str]:
        """The last arguments, the very last first."""
        return self.arguments.split(", ")[::-1]

    @property
    def descriptor(self) -> int:
        """The first argument."""
        return int(re.split(r"\D", self.arguments, maxsplit=1)[0])


class Reader:
    """Follows the files of a folder through the traces of the processes that wrote there, one after another.

    Args:
        root: the folder, which was empty.
        notes: the file to which the writer notes what was acknowledged.

    Attributes:
        operations: all that was done.
    """

    def __init__(self, root: str, notes: str) -> None:
        self.operations: list[Operation] = []
        self._root = PurePosixPath(root)
        self._notes = notes
        self._names: dict[PurePosixPath, int] = {self._root: ROOT}
        self._sizes: dict[int, int] = {}
        self._open: dict[int, _Open] = {}
        self._noted = -1

    def read(self, lines: Iterable[str], *, killed: bool = False) -> None:
        """Follow the trace of one more process.

        Args:
            killed: whether a sync failed only because it was killed there, so that nothing is forgotten.

        Raises:
            ValueError: it made a call to the folder that the model does not know.
        """
        self._open.clear()
        self._noted = -1
        for call in self._calls(lines):
            failed = call.result < 0 and call.name in _SYNCS and call.descriptor in self._open
            if failed and not killed:
                self.operations.append(FailedSync(self._open[call.descriptor].file, call.since))
            elif call.result >= 0 and call.name not in _IGNORED:
                self._follow(call)

    def _calls(self, lines: Iterable[str]) -> Iterator[_Call]:
        """Calls at their end. What one has synced is what was there when it began."""
        begun: dict[str, tuple[str, int]] = {}
        for line in lines:
            if match := _WHOLE.match(line):
                yield _Call(match[2], match[3], int(match[4]), len(self.operations))
            elif match := _BEGUN.match(line):
                begun[match[1]] = (match[3], len(self.operations))
            elif match := _ENDED.match(line):
                arguments, since = begun.pop(match[1])
                yield _Call(match[2], arguments + match[3], int(match[4]), since)

    def _follow(self, call: _Call) -> None:
        if call.name in ("open", "openat", "creat"):
            self._opened(call)
        elif call.name in ("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat"):
            self._named(call)
        elif call.texts and call.name in ("truncate", "rmdir", "link", "linkat"):
            if self._inside(call.texts[0]) is not None:
                raise ValueError(f"the model knows no {call.name}")
        elif call.descriptor == self._noted:
            word, number = b"".join(call.texts).split()
            self.operations.append((Begun if word == b"begun" else Acknowledged)(int(number)))
        elif call.descriptor in self._open:
            self._changed(call, self._open[call.descriptor])

    def _opened(self, call: _Call) -> None:
        self._open.pop(call.result, None)
        name = call.texts[-1]
        if name.decode() == self._notes:
            self._noted = call.result
        elif self._noted == call.result:
            self._noted = -1
        path = self._inside(name)
        if path is None or path.name.endswith(_REBUILT):
            return
        if path not in self._names:
            self._link(path, self._new())
        file = self._names[path]
        if "O_TRUNC" in call.arguments and self._sizes.get(file):
            self._resize(file, 0)
        synced = "O_DSYNC" in call.arguments or "O_SYNC" in call.arguments
        self._open[call.result] = _Open(file, appends="O_APPEND" in call.arguments, synced=synced)

    def _named(self, call: _Call) -> None:
        path = self._inside(call.texts[0])
        if path is None or path.name.endswith(_REBUILT):
            return
        if call.name.startswith("mkdir"):
            file = self._new()
            self.operations.append(Folder(file))
            self._link(path, file)
        elif call.name.startswith("unlink"):
            del self._names[path]
            self.operations.append(Name(self._names[path.parent], path.name, None))
        else:
            target = self._inside(call.texts[1])
            if target is None or target.parent != path.parent:
                raise ValueError("the model knows no rename to another folder")
            file = self._names[target] = self._names.pop(path)
            self.operations.append(Name(self._names[path.parent], target.name, file, path.name))

    def _changed(self, call: _Call, opened: _Open) -> None:
        if call.name in _SYNCS:
            self.operations.append(Sync(opened.file, call.since))
        elif call.name == "ftruncate":
            self._resize(opened.file, int(call.numbers[0]))
        elif call.name == "lseek":
            opened.offset = call.result
        elif call.name in ("write", "writev"):
            offset = self._sizes.get(opened.file, 0) if opened.appends else opened.offset
            opened.offset = offset + call.result
            self._write(call, opened, offset)
        elif call.name == "pwritev2":
            self._write(call, opened, int(call.numbers[1]), synced="SYNC" in call.numbers[0])
        elif call.name in ("pwrite64", "pwritev"):
            self._write(call, opened, int(call.numbers[0]))
        else:
            raise ValueError(f"the model knows no {call.name}")

    def _write(self, call: _Call, opened: _Open, offset: int, *, synced: bool = False) -> None:
        data = b"".join(call.texts)[: call.result]
        if len(data) != call.result:
            raise ValueError(f"strace reported {len(data)} of {call.result} bytes")
        self.operations.append(Write(opened.file, offset, data, synced or opened.synced))
        self._sizes[opened.file] = max(self._sizes.get(opened.file, 0), offset + len(data))

    def _resize(self, file: int, size: int) -> None:
        self.operations.append(Resize(file, size))
        self._sizes[file] = size

    def _new(self) -> int:
        return len(self.operations) + 1

    def _link(self, path: PurePosixPath, file: int) -> None:
        self._names[path] = file
        self.operations.append(Name(self._names[path.parent], path.name, file))

    def _inside(self, name: bytes) -> PurePosixPath | None:
        """The path of a file in the folder; None for one elsewhere. The writer's paths are absolute."""
        path = PurePosixPath(name.decode())
        return path if path.is_relative_to(self._root) else None
