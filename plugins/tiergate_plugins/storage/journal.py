"""An append-only journal of numbered records, each written with one system call and one sync.

The file is a header, then frames, then zeros that were written beforehand: a sync of bytes that overwrite
zeros need not move the end of the file, which takes a file system about half as long again.

A record's frame is synced before the next one is written, so at most the last frame can be incomplete after a
crash. An invalid frame with a durable one after it is damage therefore. One at the end may be a write that
never returned: nothing follows from it but a doubt, and what it has left is kept in a file beside the journal
before its place is taken, unless it is clear that it was cut short. The file never ends with a frame: zeros
behind it are on disk before it is, so a file without them was cut.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from tiergate import syncing
from tiergate.store import Damage, StoreError
from tiergate_plugins.storage import files
from tiergate_plugins.storage.journal_frames import (
    ALIGN,
    DURABLE,
    FRAME,
    LONGEST,
    Frame,
    checksum,
    pack,
    was_cut_short,
)

_MAGIC = b"tiergate journal"
_FORMAT = 1
_HEADER = struct.Struct("<16sIIQ")
_SYNCED_WRITE = getattr(os, "RWF_DSYNC", 0)
"""Linux writes and syncs in one call, a few microseconds faster than in two."""
_NOTHING = bytes(FRAME.size)
_AHEAD = 1 << 20
"""Bytes of zeros to write at once."""
ASIDE = ".damaged-"
"""Follows the name of the journal in that of a file with damaged bytes of it; after that, their place."""


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
        self._settled = True  # the last record, all before it and the room behind it are on disk
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
            self._offset, self.sequence, self._settled = frame.end, frame.sequence, frame.durable
            yield frame.payload

    def append(self, payload: bytes, *, durable: bool) -> None:
        """Write one record; it is on disk when this returns, if it is to be durable.

        Raises:
            OSError: it could not be written or synced, and has been taken back.
        """
        if len(payload) > LONGEST:
            raise StoreError("the write is larger than 2 GiB", where=str(self.path), hint="write it in parts")
        sequence = self.sequence + 1
        frame = pack(payload, sequence, durable=durable)
        self._require_space(len(frame), durable=durable)
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
        self._settled = durable

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
        what = "its header is damaged" if header else "the journal is empty, as none ever is"
        self.damage.append(Damage(f"{self.path}, byte 0", what))
        return 0

    def _next(self) -> Frame | None:
        head = os.pread(self._descriptor, FRAME.size, self._offset)
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

    def _after_damage(self, head: bytes) -> Frame | None:
        """The first durable record behind bytes that are none, or None where nothing is behind them."""
        rest = self._rest()
        self._unread = head if any(head) else b""
        if rest.count(0) == len(rest):
            return None
        for start in range(0, len(rest) - FRAME.size, ALIGN):
            length, _, sequence = FRAME.unpack_from(rest, start)
            if length & DURABLE and sequence > self.sequence:
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
        self._unread = self._unread or rest.lstrip(b"\0")[: FRAME.size]
        return None

    def unfinished(self) -> Damage | None:
        """What was seen behind the last record and is none: a write that was cut short, or damage to it."""
        where = f"{self.path}, byte {self._offset}"
        rest = self._rest().rstrip(b"\0") if self._unread else b""
        if rest:
            return Damage(
                where,
                f"the last {len(rest)} bytes are no complete record: a write that never returned, or damage",
            )
        if self._settled and os.fstat(self._descriptor).st_size < self._offset + ALIGN:
            return Damage(where, "the journal was cut off here, and may have had more records")
        return None

    @property
    def has_unread(self) -> bool:
        """Whether there is something behind the last record that is none."""
        return bool(self._unread)

    def keep_losses(self) -> bool:
        """Whether a durable record may be lost at the end; what is left of it is kept in a file beside.

        Raises:
            OSError: it cannot be kept.
        """
        if self.unfinished() is None:
            return False
        if self._unread:
            rest = self._rest()
            if was_cut_short(rest, self._offset, self.sequence + 1):
                return False
            self._set_aside(rest.rstrip(b"\0"))
        return True

    def _rest(self) -> bytes:
        """What is behind the last record."""
        size = os.fstat(self._descriptor).st_size
        return os.pread(self._descriptor, max(size - self._offset, 0), self._offset)

    def _frame_at(self, offset: int) -> Frame | None:
        head = os.pread(self._descriptor, FRAME.size, offset)
        if len(head) < FRAME.size or not any(head):
            return None
        length, check, sequence = FRAME.unpack(head)
        size = length & LONGEST
        start = offset + FRAME.size
        end = start + size + -size % ALIGN
        if end > os.fstat(self._descriptor).st_size:
            return None
        padded = os.pread(self._descriptor, end - start, start)
        if len(padded) != end - start or check != checksum(length, sequence, padded):
            return None
        return Frame(sequence, padded[:size], bool(length & DURABLE), end)

    def _require_space(self, length: int, *, durable: bool) -> None:
        """Leave zeros where the next record goes, and behind it: clear what a crash left, and write ahead."""
        if self._unread:
            rest = self._rest()
            if not was_cut_short(rest, self._offset, self.sequence + 1):
                self._set_aside(rest.rstrip(b"\0"))
            self._write(bytes(len(rest)), self._offset)
            # On disk before anything else is written, or an old record could follow the new one.
            self.sync()
            self._unread = b""
        if durable and not self._settled:  # else this record could be there without those before it
            self.sync()
        needed = self._offset + length + ALIGN
        if needed > self._size:
            self._size = os.fstat(self._descriptor).st_size
        if needed > self._size:
            ahead = max(_AHEAD, length + ALIGN)
            self._write(bytes(ahead), self._size)
            self._size += ahead
            if durable:
                self.sync()

    def _set_aside(self, damaged: bytes) -> None:
        """Keep bytes that may have been a record in a file of their own, until somebody looks at them."""
        for number in count(1):
            path = self.path.with_name(f"{self.path.name}{ASIDE}{self._offset}-{number}")
            if not path.exists():
                files.write(path.parent, path.name, damaged, durable=True)
                return
            if path.read_bytes() == damaged:  # by a process that was killed before it went on
                syncing.sync_folder(path.parent)
                return

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


def _open(path: Path, *, writable: bool) -> int:
    """Where nobody may write, reading must go on."""
    if writable:
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
