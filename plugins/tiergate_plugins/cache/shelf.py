"""What the cache keeps on disk.

``entries/`` holds a small file a key: the state of the store that it holds for, and the name of its content.
``contents/`` holds the contents, compressed, each under the hash of its bytes, so that equal content is
stored once. ``dictionaries/`` holds the dictionaries that they are compressed with. Every file is put in
place in one step, and what is read is compared with its hash; so any number of processes may read and write
at once, be killed, and the folder may be removed at any time. Nothing waits for the disk.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import msgspec
import zstandard

from tiergate.frames import Frames, train
from tiergate.store import Damage
from tiergate_plugins.cache.counters import Counters
from tiergate_plugins.cache.files import on_disk, read_file, remove, replace_file, touch, walk

_HEADER = struct.Struct("<4sQQdd20s")
_MAGIC = b"TGC1"
_DIGEST = 20
_TRAIN_SAMPLES = 256
_TRAIN_AT = (64, 4096)
"""The first dictionary is trained when an instance has written that many contents, the second, which is the
last, when it has written many more."""
_SMALLEST_DICTIONARY = 4096
_VERSION_SHIFT = 20
"""An id of a dictionary is its version and, below, chance: two processes may train the same version at once,
and one that is trained after the folder was removed must not pass for the one before."""

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
        dictionary_bytes: size of a dictionary; none is trained below 4096.
    """

    def __init__(
        self, folder: Path, level: int, ttl_s: float, counters: Counters, dictionary_bytes: int
    ) -> None:
        self.folder = folder
        self.last_trouble = ""
        self._ttl_s = ttl_s
        self._counters = counters
        self._dictionary_bytes = dictionary_bytes
        self._frames = Frames(level, self._dictionary)
        self._puts = 0
        self._guarded(self._use_newest, None)

    @property
    def dictionary(self) -> int:
        """Version of the dictionary in use, from 1 on; 0 for none."""
        return self._frames.current >> _VERSION_SHIFT

    def find(self, key: bytes) -> Entry | None:
        """The entry of a key, unless it is older than it may be."""
        entry = self._guarded(lambda: self._find(key), None)
        if entry is None or not 0 <= time.time() - entry.made < self._ttl_s:
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
        touch(self._place("entries", key))
        return data

    def put(self, key: bytes, state: int, changes: int, cost_s: float, data: bytes) -> int:
        """Keep content under a key; tells how many bytes more the folder takes, at most."""
        entry = Entry(state, changes, cost_s, time.time(), digest(data))
        return self._guarded(lambda: self._put(key, entry, data), 0)

    def drop(self, key: bytes) -> None:
        """Remove the entry of a key."""
        remove(self._place("entries", key))

    def damage(self) -> Iterator[Damage]:
        """Everything that is not what was written."""
        for found in walk(self.folder / "entries"):
            data = read_file(found)
            if found.name.endswith(".tmp") or data is None:
                continue
            if decode_entry(data, key_of(found.name)) is None:
                yield Damage(str(found), "the cache entry is damaged; it counts as a miss")
        for found in walk(self.folder / "contents"):
            frame = read_file(found)
            if frame is None or found.name.endswith(".tmp"):
                continue
            if self._unpacked(frame, key_of(found.name)) is None:
                yield Damage(str(found), "the cached content is damaged; it counts as a miss")
        for number in self._dictionaries():
            path = self._dictionary_place(number)
            if path.exists() and self._dictionary(number) is None:
                yield Damage(str(path), "the dictionary is damaged; what was compressed with it is a miss")

    def _find(self, key: bytes) -> Entry | None:
        path = self._place("entries", key)
        data = read_file(path)
        if data is None:
            return None
        entry = decode_entry(data, key)
        if entry is None:
            self._counters.damaged += 1
            remove(path)
        return entry

    def _put(self, key: bytes, entry: Entry, data: bytes) -> int:
        content = self._place("contents", entry.content)
        encoded = encode_entry(entry, key)
        size = on_disk(len(encoded))
        if not content.exists():
            self._require_dictionary()
            frame = self._frames.pack(data)
            size += on_disk(len(frame))
            replace_file(content, frame)
            self._counters.written += 1
            self._counters.raw_bytes += len(data)
            self._counters.stored_bytes += len(frame)
            self._puts += 1
            due = _TRAIN_AT[self.dictionary : self.dictionary + 1]
            if self._puts in due and self._dictionary_bytes >= _SMALLEST_DICTIONARY:
                self._train()
        replace_file(self._place("entries", key), encoded)
        return size

    def _require_dictionary(self) -> None:
        """Do without a dictionary that was removed: nobody else could read what is compressed with it."""
        current = self._frames.current
        if current and not self._dictionary_place(current).exists():
            self._frames.use(0)
            self._puts = 0

    def _train(self) -> None:
        """Train the next dictionary on what is there, unless somebody else made one in the meantime."""
        before = self._frames.current
        self._use_newest()
        if self._frames.current != before:
            return
        samples = []
        for found in islice(walk(self.folder / "contents"), _TRAIN_SAMPLES):
            frame = read_file(found)
            data = self._unpacked(frame, key_of(found.name)) if frame is not None else None
            if data is not None:
                samples.append(data)
        version = (before >> _VERSION_SHIFT) + 1
        number = (version << _VERSION_SHIFT) + secrets.randbits(_VERSION_SHIFT)
        trained = train(samples, number, size=self._dictionary_bytes)
        if trained is not None:
            replace_file(self._dictionary_place(number), digest(trained) + trained)
            self._frames.use(number)

    def _use_newest(self) -> None:
        """Use the newest dictionary that is not damaged."""
        for number in self._dictionaries():
            if number <= self._frames.current:
                return
            if self._dictionary(number) is not None:
                self._frames.use(number)
                return
            self._counters.damaged += 1
            remove(self._dictionary_place(number))

    def _dictionaries(self) -> list[int]:
        """The ids of all dictionaries, the newest first."""
        try:
            names = [path.name for path in (self.folder / "dictionaries").iterdir()]
        except FileNotFoundError:
            return []
        return sorted((int(name) for name in names if name.isdecimal()), reverse=True)

    def _dictionary(self, number: int) -> bytes | None:
        """A dictionary, unless it is gone or damaged."""
        data = read_file(self._dictionary_place(number))
        if data is None or digest(data[_DIGEST:]) != data[:_DIGEST]:
            return None
        return data[_DIGEST:]

    def _dictionary_place(self, number: int) -> Path:
        return self.folder / "dictionaries" / str(number)

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
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


def encode_entry(entry: Entry, key: bytes) -> bytes:
    """An entry as its file holds it, with a checksum over it and its key."""
    body = _HEADER.pack(_MAGIC, entry.state, entry.changes, entry.cost_s, entry.made, entry.content)
    return body + crc32(key, crc32(body)).to_bytes(4, "little")


def decode_entry(data: bytes, key: bytes) -> Entry | None:
    """The entry in a file; None when the file is damaged, or is that of another key."""
    body, check = data[:-4], data[-4:]
    if len(body) != _HEADER.size or crc32(key, crc32(body)).to_bytes(4, "little") != check:
        return None
    magic, *values = _HEADER.unpack(body)
    return Entry(*values) if magic == _MAGIC else None


def key_of(name: str) -> bytes:
    """The key or hash that a file is named by; empty for a file that is none of ours."""
    try:
        return bytes.fromhex(name)
    except ValueError:
        return b""
