"""Tasks of a session compressed together (``?body=zstd``), with dictionaries that are kept in the database.

A task that is packed has an empty body in its row, and empty columns for what only that body says (title,
time); `packed` holds the bodies of a session's tasks as one frame, a JSON array. A task that is updated gets
a row with a body again, which counts; what `packed` says of it is out of date. When an eighth of a session's
tasks have such rows, they are packed again, so that an update costs the packing of eight tasks at most,
spread over all. Compressing tasks together takes half the room of compressing each by itself.

Rows say by themselves what they are, so a database may hold both kinds and be opened with either option.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence

import msgspec
import zstandard

from tiergate.frames import FIRST_ID, Frames, train
from tiergate.model import Task
from tiergate.store import StoreDamaged
from tiergate_plugins.storage.bodies import as_list, read_tasks

_LEVEL = 12
_CURRENT = "SELECT id, generation FROM dictionaries ORDER BY generation DESC LIMIT 1"
_TRAIN_AT = (32, 160, 8192)
"""Sessions at which the first dictionary is trained, and at which each is succeeded by a better one."""

_SAMPLES = 256
_SAMPLE_BYTES = 64 * 1024
_LARGEST_DICTIONARY = 256 * 1024
_SHARE = 20
"""A dictionary has at most one byte for so many of the samples."""

_FEWEST_LOOSE = 4
_raw_tasks = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Packing:
    """Packs and unpacks the tasks of sessions; the caller's transaction is the one that counts.

    Args:
        active: whether sessions are packed when they are written; what is packed can be read in any case.
    """

    def __init__(self, connection: sqlite3.Connection, where: str, *, active: bool) -> None:
        self.active = active
        self._connection = connection
        self._where = where
        self._frames = Frames(_LEVEL, self._dictionary, checksum=True)
        self._unhelpful = -1

    def present(self) -> bool:
        """Whether any session is packed."""
        return bool(self._connection.execute("SELECT EXISTS (SELECT 1 FROM packed)").fetchone()[0])

    def tasks(self, key: int, where: str) -> dict[str, Task]:
        """The tasks that are packed for a session, by id; none where it is not packed.

        Raises:
            StoreDamaged: they cannot be read.
        """
        data = self._unpacked(key, where)
        return {} if data is None else {task.id: task for task in read_tasks(data, where)}

    def write(self, key: int, bodies: Sequence[bytes]) -> None:
        """Keep the bodies of all tasks of a session."""
        current, generation = self._connection.execute(_CURRENT).fetchone() or (0, 0)
        if current != self._frames.current:
            self._frames.use(current)
        frame = self._frames.pack(as_list(bodies))
        self._connection.execute("REPLACE INTO packed VALUES (?, ?)", (key, frame))
        if generation < len(_TRAIN_AT) and generation != self._unhelpful:
            sessions = self._connection.execute("SELECT COUNT(*) FROM sessions").fetchone()[0]
            if sessions >= _TRAIN_AT[generation]:
                self._train(generation + 1)

    def forget(self, key: int) -> None:
        """Drop what is packed for a session."""
        self._connection.execute("DELETE FROM packed WHERE session = ?", (key,))

    def look(self, key: int, where: str) -> int:
        """Pack a session again where too many of its tasks have bodies of their own.

        Returns:
            How many tasks may be written before it is worth another look.

        Raises:
            StoreDamaged: what was packed cannot be read.
        """
        tasks, loose = self._connection.execute(
            "SELECT COUNT(*), COUNT(NULLIF(body, x'')) FROM tasks WHERE session = ?", (key,)
        ).fetchone()
        allowed: int = max(_FEWEST_LOOSE, tasks // 8)
        if loose < allowed and self._is_packed(key):
            return allowed - int(loose)
        self._repack(key, where)
        return allowed

    def _is_packed(self, key: int) -> bool:
        return (
            self._connection.execute("SELECT 1 FROM packed WHERE session = ?", (key,)).fetchone() is not None
        )

    def _repack(self, key: int, where: str) -> None:
        data = self._unpacked(key, where)
        packed = {} if data is None else dict(zip(self.tasks(key, where), _raw_tasks(data), strict=True))
        rows = self._connection.execute(
            "SELECT position, id, body FROM tasks WHERE session = ?", (key,)
        ).fetchall()
        rows.sort()
        self.write(key, [body or _packed_body(packed, name, where) for _, name, body in rows])
        self._connection.execute(
            "UPDATE tasks SET body = x'', title = '', updated_at = '' WHERE session = ? AND body != x''",
            (key,),
        )

    def _unpacked(self, key: int, where: str) -> bytes | None:
        row = self._connection.execute("SELECT body FROM packed WHERE session = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            return self._frames.unpack(row[0])
        except (zstandard.ZstdError, MemoryError, TypeError) as error:
            raise StoreDamaged(f"its packed tasks cannot be read: {error}", where=where) from error

    def _dictionary(self, number: int) -> bytes | None:
        row = self._connection.execute("SELECT body FROM dictionaries WHERE id = ?", (number,)).fetchone()
        return None if row is None else row[0]

    def _train(self, generation: int) -> None:
        """Train a dictionary on the sessions that were packed last, and use it from now on.

        Its number is random: one whose transaction was undone is not taken for its successor.
        """
        samples = list(self._samples())
        size = min(_LARGEST_DICTIONARY, sum(map(len, samples)) // _SHARE)
        number = secrets.randbelow(2**31 - FIRST_ID) + FIRST_ID
        trained = train(samples, number, size=size, most=_SAMPLE_BYTES)
        if trained is None:
            self._unhelpful = generation - 1
            return
        self._connection.execute("INSERT INTO dictionaries VALUES (?, ?, ?)", (number, generation, trained))
        self._frames.use(number)
        if generation < len(_TRAIN_AT):  # there was none as good for those that are there, and they are few
            for key, frame in self._connection.execute("SELECT session, body FROM packed").fetchall():
                again = self._frames.pack(self._frames.unpack(frame))
                self._connection.execute("UPDATE packed SET body = ? WHERE session = ?", (again, key))

    def _samples(self) -> Iterator[bytes]:
        newest = "SELECT body FROM packed ORDER BY session DESC LIMIT ?"
        for (frame,) in self._connection.execute(newest, (_SAMPLES,)):
            try:
                yield self._frames.unpack(frame)
            except (zstandard.ZstdError, MemoryError, TypeError):
                continue  # `verify` names it; here it teaches nothing


def _packed_body(packed: dict[str, msgspec.Raw], name: str, where: str) -> bytes:
    try:
        return bytes(packed[name])
    except KeyError:
        raise missing(name, where) from None


def missing(task_id: str, where: str) -> StoreDamaged:
    """The error for a task whose row has no body, and that is not packed either."""
    return StoreDamaged(f"task {task_id!r} has no body", where=where)
