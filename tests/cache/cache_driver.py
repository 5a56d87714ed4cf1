"""A process that uses a store through a cache, and complains about every answer that is too old.

Usage: ``python cache_driver.py ADDRESS BOARD SLOT ROUNDS [WRITES]``. ``BOARD`` is a file in which each
process notes, in its slot, the last version of every session that it has seen acknowledged. Without end
where ``ROUNDS`` is 0. With ``WRITES``, the process is killed halfway through so many writes to the folder
of the cache.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import struct
import sys
from pathlib import Path
from typing import Any

from tiergate.plugins import PluginHost
from tiergate.store import StaleVersion, Store
from tiergate.testing import make_task
from tiergate_plugins.cache import files

SESSIONS = 4
_LINE = struct.Struct(f"<{SESSIONS}Q")


class Board:
    """Versions that were acknowledged before now, by session."""

    def __init__(self, path: str, slot: int) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._slot = slot
        self._own = [0] * SESSIONS

    def known(self) -> list[int]:
        """The newest version of each session that anybody knows of."""
        data = os.pread(self._file, 2**16, 0)
        lines = [_LINE.unpack_from(data, at) for at in range(0, len(data) - _LINE.size + 1, _LINE.size)]
        return [max(column) for column in zip(*lines, strict=True)] if lines else [0] * SESSIONS

    def note(self, number: int, version: int) -> None:
        """Say that a version was written, or read."""
        self._own[number] = max(self._own[number], version)
        os.pwrite(self._file, _LINE.pack(*self._own), self._slot * _LINE.size)


def name_of(number: int) -> str:
    return f"s{number}"


def weights(store: Store) -> dict[str, float]:
    """A result across sessions: the weight of the first task of each, which is its version."""
    return {name: store.load(name).tasks[0].weight for name in store.ids()}


def write(store: Store, board: Board, number: int) -> None:
    """Write the next version of a session into its first task."""
    version = store.load(name_of(number)).version
    task = make_task("t", weight=float(version + 1), notes=f"{version + 1} " * 100)
    try:
        board.note(number, store.upsert_tasks(name_of(number), [task], expected_version=version))
    except StaleVersion:
        return


def check(store: Store, board: Board, number: int) -> None:
    """Read in every way, and compare with what was known before."""
    known = board.known()
    found = store.load(name_of(number))
    assert found.version >= known[number], f"stale: {found.version} < {known[number]}"
    assert found.tasks[0].weight == found.version, f"{found.tasks[0].weight} at version {found.version}"
    board.note(number, found.version)
    known = board.known()
    weight = store.remember(b"weight", name_of(number), lambda: [weights(store)[name_of(number)]])[0]
    assert weight >= known[number], f"stale result: {weight} < {known[number]}"
    known = board.known()
    for name, weight in store.remember(b"weights", None, lambda: weights(store)).items():
        assert weight >= known[int(name[1:])], f"stale result across sessions: {name}: {weight} < {known}"


def kill_in_write(number: int) -> None:
    """Have the process killed halfway through a write to the folder of the cache."""
    whole = files._write
    left = itertools.count(1)

    def half(path: Path, data: bytes) -> None:
        if next(left) < number:
            whole(path, data)
            return
        path.write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    files._write = half


def main() -> None:
    """Use the store."""
    address, board_path, slot, rounds, *writes = sys.argv[1:]
    board = Board(board_path, int(slot))
    if writes:
        kill_in_write(int(writes[0]))
    store: Any = PluginHost().opener().open(address)
    draw = random.Random(slot)
    for turn in itertools.count() if rounds == "0" else range(int(rounds)):
        if draw.random() < 0.4:
            write(store, board, draw.randrange(SESSIONS))
        check(store, board, draw.randrange(SESSIONS))
        if turn == 0:
            print("began", flush=True)
    details = store.stats().details
    print(details["cache_damaged"], details["cache_trouble"])
    store.close()


if __name__ == "__main__":
    main()
