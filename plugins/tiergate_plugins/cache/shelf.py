"""What the cache keeps on disk.

``entries/`` holds a small file a key: the state of the store that it holds for, and the name of its content.
``contents/`` holds the contents, compressed, each under the hash of its bytes, so that equal content is
stored once. ``dictionaries/`` holds the dictionaries that they are compressed with. Every file is put in
place in one step, and what is read is compared with its hash; so any number of processes may read and write
at once, be killed, and the folder may be removed at any time. Nothing waits for the disk.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import msgspec
import zstandard

from tiergate.frames import FIRST_ID, Frames, train
from tiergate.store import Damage
from tiergate_plugins.cache.counters import Counters
from tiergate_plugins.cache.files import read_file, remove, replace_file, touch, walk

_HEADER = struct.Struct("<4sQQdd20s")
_MAGIC = b"TGC1"
_TRAIN_SAMPLES = 256
_TRAIN_AT = (64, 4096)
"""A dictionary is trained when that many contents were written, and again when there are many more."""

_Result = TypeVar("_Result")


class Entry(msgspec.Struct, frozen=True):
    """What an entry file says.

    Attributes:
        state: version of the session, or change counter of the store, that the content holds for.
        changes: the change counter when it was written, 0 for a store without one.
        cost_s: what loading or computing it had cost.
        made: when, by `time.time`.
        content: hash of the content.
    """

    state: int
    changes: int
    cost_s: float
    made: float
    content: bytes


class Shelf:
    """Entries and contents in a folder. An operation on the folder that fails is counted, and a miss.

    Args:
        folder: made when something is first put there.
        level: of zstd.
        ttl_s: an entry older than that is a miss.
        counters: where events are counted.
    """

    def __init__(self, folder: Path, level: int, ttl_s: float, counters: Counters) -> None:
        self.folder = folder
        self.last_trouble = ""
        self._ttl_s = ttl_s
        self._counters = counters
        self._frames = Frames(level, lambda number: read_file(self.folder / "dictionaries" / str(number)))
        self._puts = 0
        self._guarded(self._use_newest, None)

    @property
    def dictionary(self) -> int:
        """Version of the dictionary in use, from 1 on; 0 for none."""
        return max(0, self._frames.current - FIRST_ID + 1)

    def find(self, key: bytes) -> Entry | None:
        """The entry of a key, unless it is older than it may be."""
        entry = self._guarded(lambda: self._find(key), None)
        if entry is None or not 0 <= time.time() - entry.made <= self._ttl_s:
            return None
        return entry

    def read(self, key: bytes, entry: Entry) -> bytes | None:
        """The content of an entry; None when it was evicted. Damage is counted, and removed."""
        path = self._place("contents", entry.content)
        frame = self._guarded(lambda: read_file(path), None)
        if frame is None:
            return None
        data = self._unpacked(frame, entry.content)
        if data is None:
            self._counters.damaged += 1
            remove(path)
            self.drop(key)
            return None
        touch(path, time.time())
        return data

    def put(self, key: bytes, state: int, changes: int, cost_s: float, data: bytes) -> None:
        """Keep content under a key."""
        self._guarded(
            lambda: self._put(key, Entry(state, changes, cost_s, time.time(), digest(data)), data), None
        )

    def drop(self, key: bytes) -> None:
        """Remove the entry of a key."""
        remove(self._place("entries", key))

    def damage(self) -> Iterator[Damage]:
        """Everything that is not what was written."""
        for found in walk(self.folder / "entries"):
            data = read_file(found)
            if data is not None and not found.name.endswith(".tmp") and decode_entry(data) is None:
                yield Damage(str(found), "the cache entry is damaged; it counts as a miss")
        for found in walk(self.folder / "contents"):
            frame = read_file(found)
            if frame is None or found.name.endswith(".tmp"):
                continue
            if self._unpacked(frame, _unhex(found.name)) is None:
                yield Damage(str(found), "the cached content is damaged; it counts as a miss")

    def _find(self, key: bytes) -> Entry | None:
        path = self._place("entries", key)
        data = read_file(path)
        if data is None:
            return None
        entry = decode_entry(data)
        if entry is None:
            self._counters.damaged += 1
            remove(path)
        return entry

    def _put(self, key: bytes, entry: Entry, data: bytes) -> None:
        content = self._place("contents", entry.content)
        if not content.exists():
            frame = self._frames.pack(data)
            replace_file(content, frame)
            self._counters.written += 1
            self._counters.raw_bytes += len(data)
            self._counters.stored_bytes += len(frame)
            self._puts += 1
            if self._puts in _TRAIN_AT:
                self._train()
        replace_file(self._place("entries", key), encode_entry(entry))

    def _train(self) -> None:
        """Train the next dictionary on what is there, unless somebody else made one in the meantime."""
        before = self._frames.current
        self._use_newest()
        if self._frames.current != before:
            return
        samples = []
        for found in islice(walk(self.folder / "contents"), _TRAIN_SAMPLES):
            frame = read_file(found)
            data = self._unpacked(frame, _unhex(found.name)) if frame is not None else None
            if data is not None:
                samples.append(data)
        number = max(FIRST_ID, before + 1)
        trained = train(samples, number)
        if trained is not None:
            replace_file(self.folder / "dictionaries" / str(number), trained)
            self._frames.use(number)

    def _use_newest(self) -> None:
        try:
            names = [path.name for path in (self.folder / "dictionaries").iterdir()]
        except FileNotFoundError:
            return
        newest = max((int(name) for name in names if name.isdigit()), default=0)
        if newest > self._frames.current:
            self._frames.use(newest)

    def _unpacked(self, frame: bytes, content: bytes) -> bytes | None:
        try:
            data = self._frames.unpack(frame)
        except (zstandard.ZstdError, MemoryError):
            return None
        return data if digest(data) == content else None

    def _place(self, kind: str, name: bytes) -> Path:
        text = name.hex()
        return Path(f"{self.folder}/{kind}/{text[:2]}/{text}")

    def _guarded(self, work: Callable[[], _Result], otherwise: _Result) -> _Result:
        """Do something with the folder; its trouble is counted, and never the caller's."""
        try:
            return work()
        except (OSError, zstandard.ZstdError) as error:
            self.note(error)
            return otherwise

    def note(self, error: Exception) -> None:
        """Count trouble with the folder, and keep what it was."""
        self._counters.trouble += 1
        self.last_trouble = str(error)


def digest(data: bytes) -> bytes:
    """The name of content: 20 bytes of BLAKE2b."""
    return hashlib.blake2b(data, digest_size=20).digest()


def encode_entry(entry: Entry) -> bytes:
    """An entry as its file holds it."""
    body = _HEADER.pack(_MAGIC, entry.state, entry.changes, entry.cost_s, entry.made, entry.content)
    return body + crc32(body).to_bytes(4, "little")


def decode_entry(data: bytes) -> Entry | None:
    """The entry in a file; None when the file is damaged."""
    body, check = data[:-4], data[-4:]
    if len(body) != _HEADER.size or crc32(body).to_bytes(4, "little") != check:
        return None
    magic, *values = _HEADER.unpack(body)
    return Entry(*values) if magic == _MAGIC else None


def _unhex(name: str) -> bytes:
    try:
        return bytes.fromhex(name)
    except ValueError:
        return b""
