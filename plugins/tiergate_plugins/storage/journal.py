"""An append-only journal of numbered records, each written with one system call and one sync.

The file is a header, then frames, then zeros that were written beforehand: a sync of bytes that overwrite
zeros need not move the end of the file, which takes a file system about half as long again.

A frame is ``length | crc | sequence | payload``, padded to 16 bytes. A record's frame is synced before the
next one is written, so at most the last frame can be incomplete after a crash. An invalid frame with
a durable one after it is damage therefore, and so is told apart from a write that was cut short.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tiergate import syncing
from tiergate.store import Damage, StoreError
from tiergate_plugins.storage import files

_MAGIC = b"tiergate journal"
_FORMAT = 1
_HEADER = struct.Struct("<16sIIQ")
_FRAME = struct.Struct("<IIQ")
_ALIGN = _FRAME.size
_DURABLE = 1 << 31
"""Set in the length of a frame that was synced before its write returned."""
_LONGEST = _DURABLE - 1
_SYNCED_WRITE = getattr(os, "RWF_DSYNC", 0)
"""Linux writes and syncs in one call, a few microseconds faster than in two."""
_NOTHING = bytes(_FRAME.size)
_AHEAD = 1 << 20
"""Bytes of zeros to write at once."""


class _Frame(NamedTuple):
    sequence: int
    payload: bytes
    durable: bool
    end: int


class Journal:
    """One open journal; whoever appends holds the lock of the store and has read all records before.

    Attributes:
        sequence: of the last record that was read or appended.
        damage: what was found where records should be.
        failed: whether a sync has failed; the records behind it may be lost when power is.
        named: whether its name is known to be on disk.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.damage: list[Damage] = []
        self.failed = False
        self.named = False
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._inode = (status.st_dev, status.st_ino)
        self._size = status.st_size
        self._offset = _HEADER.size
        self._unread = b""  # the invalid header at the offset that was judged already
        self.sequence = self._read_header()
        self._thorough = True

    @classmethod
    def open(cls, path: Path, *, writable: bool) -> Journal | None:
        """Open a journal; None where there is none.

        Raises:
            OSError: it cannot be opened.
            StoreError: a newer tiergate has written it.
        """
        try:
            descriptor = _open(path, writable=writable)
        except FileNotFoundError:
            return None
        try:
            return cls(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    @staticmethod
    def create(path: Path, sequence: int) -> None:
        """Put an empty journal in place, of which the first record will have the number after `sequence`."""
        check = zlib.crc32(struct.pack("<IQ", _FORMAT, sequence))
        header = _HEADER.pack(_MAGIC, _FORMAT, check, sequence)
        files.write(path.parent, path.name, header.ljust(_AHEAD, b"\0"), durable=True)

    @property
    def used(self) -> int:
        """Bytes up to the end of the last record."""
        return self._offset

    def is_current(self) -> bool:
        """Whether the file is still the one that stands under its name."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._inode

    def read_new(self) -> Iterator[bytes]:
        """The payloads of the records that were not read yet."""
        while True:
            frame = self._next()
            if frame is None:
                return
            self._offset, self.sequence = frame.end, frame.sequence
            yield frame.payload

    def append(self, payload: bytes, *, durable: bool) -> None:
        """Write one record; it is on disk when this returns, if it is to be durable.

        Raises:
            OSError: it could not be written or synced, and has been taken back.
        """
        if len(payload) > _LONGEST:
            raise StoreError("the write is larger than 2 GiB", where=str(self.path), hint="write it in parts")
        sequence = self.sequence + 1
        length = len(payload) | (_DURABLE if durable else 0)
        padded = payload + bytes(-len(payload) % _ALIGN)
        frame = _FRAME.pack(length, _check(length, sequence, padded), sequence) + padded
        self._require_space(len(frame))
        try:
            self._write(frame, self._offset, durable=durable)
        except OSError:
            self.failed = self.failed or durable
            # What the kernel failed to sync it may forget, or write later: neither may become a record.
            with suppress(OSError):
                self._write(bytes(len(frame)), self._offset)
            raise
        self._offset += len(frame)
        self.sequence = sequence

    def close(self) -> None:
        """Give back the file. Closing twice does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _read_header(self) -> int:
        header = os.pread(self._descriptor, _HEADER.size, 0)
        if len(header) == _HEADER.size:
            magic, form, check, sequence = _HEADER.unpack(header)
            if magic == _MAGIC and check == zlib.crc32(struct.pack("<IQ", form, sequence)):
                if form > _FORMAT:
                    raise StoreError(
                        "a newer tiergate has written the journal",
                        where=str(self.path),
                        hint="upgrade tiergate",
                    )
                return int(sequence)
        self.damage.append(Damage(str(self.path), "its header is damaged"))
        return 0

    def _next(self) -> _Frame | None:
        head = os.pread(self._descriptor, _FRAME.size, self._offset)
        if head == _NOTHING and not self._thorough:
            return None
        # Read again what was invalid: it may have been a record that was being written at that moment.
        frame = self._frame_at(self._offset)
        if frame and (frame.sequence == self.sequence + 1 or (self.damage and not self.sequence)):
            self._unread = b""
            return frame
        if head == self._unread and not self._thorough:
            return None
        self._thorough = False
        return self._after_damage(head)

    def _after_damage(self, head: bytes) -> _Frame | None:
        """The first durable record behind bytes that are none, or None where nothing is behind them."""
        size = os.fstat(self._descriptor).st_size
        rest = os.pread(self._descriptor, max(size - self._offset, 0), self._offset)
        self._unread = head if any(head) else b""
        if rest.count(0) == len(rest):
            return None
        for start in range(0, len(rest) - _FRAME.size, _ALIGN):
            length, _, sequence = _FRAME.unpack_from(rest, start)
            if length & _DURABLE and sequence > self.sequence:
                frame = self._frame_at(self._offset + start)
                if frame is None:
                    continue
                # Another process may just have written what could not be read a moment ago.
                again = self._frame_at(self._offset)
                if again and again.sequence == self.sequence + 1:
                    return again
                self.damage.append(
                    Damage(
                        f"{self.path}, byte {self._offset}",
                        f"{start} bytes are no record, and records follow",
                    )
                )
                return frame
        self._unread = self._unread or rest.lstrip(b"\0")[: _FRAME.size]
        return None

    def unfinished(self) -> Damage | None:
        """What stands behind the last record and is none: a write that was cut short, or damage to it."""
        size = os.fstat(self._descriptor).st_size
        rest = os.pread(self._descriptor, max(size - self._offset, 0), self._offset).rstrip(b"\0")
        if not rest:
            return None
        return Damage(
            f"{self.path}, byte {self._offset}",
            f"the last {len(rest)} bytes are no complete record: a write that never returned, or damage",
        )

    def _frame_at(self, offset: int) -> _Frame | None:
        head = os.pread(self._descriptor, _FRAME.size, offset)
        if len(head) < _FRAME.size or not any(head):
            return None
        length, check, sequence = _FRAME.unpack(head)
        size = length & _LONGEST
        start = offset + _FRAME.size
        end = start + size + -size % _ALIGN
        if end > os.fstat(self._descriptor).st_size:
            return None
        padded = os.pread(self._descriptor, end - start, start)
        if len(padded) != end - start or check != _check(length, sequence, padded):
            return None
        return _Frame(sequence, padded[:size], bool(length & _DURABLE), end)

    def _require_space(self, length: int) -> None:
        """Leave zeros where the next record goes: clear what a crash left, and write ahead."""
        if self._unread:
            size = os.fstat(self._descriptor).st_size
            self._write(bytes(max(size - self._offset, 0)), self._offset)
            # On disk before anything else is written, or an old record could follow the new one.
            self.sync()
            self._unread = b""
        if self._offset + length > self._size:
            self._size = os.fstat(self._descriptor).st_size
        if self._offset + length > self._size:
            self._write(bytes(max(_AHEAD, length)), self._size)
            self._size += max(_AHEAD, length)

    def sync(self) -> None:
        """Bring to disk what was written without waiting for it.

        Raises:
            OSError: it could not be; `failed` tells so from now on.
        """
        try:
            syncing.sync_data(self._descriptor)
        except OSError:
            self.failed = True
            raise

    def _write(self, data: bytes, offset: int, *, durable: bool = False) -> None:
        view = memoryview(data)
        while view:
            if durable and _SYNCED_WRITE:
                written = os.pwritev(self._descriptor, [view], offset, _SYNCED_WRITE)
            else:
                written = os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written
        if durable and not _SYNCED_WRITE:
            self.sync()


def _check(length: int, sequence: int, padded: bytes) -> int:
    return zlib.crc32(padded, zlib.crc32(struct.pack("<IQ", length, sequence)))


def _open(path: Path, *, writable: bool) -> int:
    """Where nobody may write, reading must go on."""
    if writable:
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
