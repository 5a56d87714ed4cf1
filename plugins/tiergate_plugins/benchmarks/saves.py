"""Saves: one changed task beside the floor of the disk, ours beside others, batches beside single ones."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import FileIO
from statistics import median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.model import Session
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import peers
from tiergate_plugins.benchmarks.rounds import p50_rounds, ratio_row, total_rounds, value_row

_CHANGES = 4096
"""As many as any side saves in a row."""
_FLOOR = "append and fdatasync of 4 KiB"
_OVERWRITTEN = {"json": 1 << 12, "sqlite": 1 << 14}
"""Bytes that a save of each store makes the disk write: pages of the journal, and of the log."""
_AHEAD = 4 << 20
_UNSYNCED = "?durability=normal"
OTHERS = {
    "one JSON file a session, stdlib": ">= 2.5",
    "sqlite3 defaults, normalised": ">= 4",
    "diskcache FULL": ">= 2",
    "sqlitedict FULL": ">= 1.5",
    "LMDB, a key a task": ">= 1.2",
}
"""What others there are, and how many times as many saves ours should make."""


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Every row about saves."""
    yield from _beside_floor(setup, sessions)
    yield from _beside_others(setup, sessions)
    yield from _one_file(setup, sessions)
    yield from _batches(setup, sessions)


def saver(peer: peers.Peer, sessions: list[Session]) -> Callable[[], None]:
    """Saves one changed task at each call, anywhere. The changes are made beforehand: they are no save."""
    draw = random.Random(3)
    changes = []
    for number in range(_CHANGES):
        session = draw.choice(sessions)
        task = draw.choice(session.tasks)
        changes.append((session.id, msgspec.structs.replace(task, title=f"{task.title} {number}")))
    feed = itertools.cycle(changes)

    def save() -> None:
        peer.save(*next(feed))

    return save


def _beside_floor(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Beside the floor that is the target, and beside what tells the disk's part from the processor's."""
    setup.progress("one changed task beside the floor of the disk")
    ours = {
        name + options: peers.Ours(setup.open(f"{name}:{setup.folder / f'floor-{name}{number}'}{options}"))
        for name in _OVERWRITTEN
        for number, options in enumerate(("", _UNSYNCED))
    }
    for peer in ours.values():
        peer.fill(sessions)
    sides = {name: saver(peer, sessions) for name, peer in ours.items()}
    with ExitStack() as files:
        sides[_FLOOR] = _appender(files.enter_context((setup.folder / "floor").open("wb", 0)))
        for name, size in _OVERWRITTEN.items():
            file = files.enter_context((setup.folder / f"over-{name}").open("w+b", 0))
            sides[_overwriting(size)] = _overwriter(file, size)
        took = p50_rounds(sides, rounds=20, each=5 if setup.quick else 100)
    for name in _OVERWRITTEN:
        row = f"{name}: save one changed task, p50"
        yield ratio_row(row, took[name], took[_FLOOR], peer=_FLOOR, target="<= 1.0")
    for name, size in _OVERWRITTEN.items():
        row = f"{name}: save one changed task, p50"
        yield ratio_row(row, took[name], took[_overwriting(size)], peer=_overwriting(size), target=None)
        unsynced = took[name + _UNSYNCED]
        yield ratio_row(row, took[name], unsynced, peer=f"{name}:{_UNSYNCED}", target=None)
    for peer in ours.values():
        peer.close()


def _overwriting(size: int) -> str:
    return f"overwriting {size >> 10} KiB and fdatasync"


def _appender(file: FileIO) -> Callable[[], None]:
    block = os.urandom(4096)

    def append() -> None:
        file.write(block)
        os.fdatasync(file.fileno())

    return append


def _overwriter(file: FileIO, size: int) -> Callable[[], None]:
    """Goes through a file that is there already, so that no sync has to move its end."""
    file.write(bytes(_AHEAD))
    os.fsync(file.fileno())
    block = os.urandom(size)
    places = itertools.cycle(range(0, _AHEAD, size))

    def overwrite() -> None:
        os.pwrite(file.fileno(), block, next(places))
        os.fdatasync(file.fileno())

    return overwrite


def _beside_others(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    setup.progress("saves beside other stores, one writer")
    folder = setup.folder
    others = {name: peers.open_other(name, folder / f"saves-{number}") for number, name in enumerate(OTHERS)}
    ours = peers.Ours(setup.open(f"sqlite:{folder / 'ours.db'}"))
    every = {"sqlite:": ours, **others}
    for peer in every.values():
        peer.fill(sessions)
    sides = {name: saver(peer, sessions) for name, peer in every.items()}
    settle = {name: peer.settle for name, peer in every.items()}
    took = total_rounds(sides, rounds=15, each=5 if setup.quick else 300, settle=settle)
    for name in others:
        yield ratio_row(
            "sqlite: saves/s, one writer", took[name], took["sqlite:"], peer=name, target=OTHERS[name]
        )
    for peer in every.values():
        peer.close()


def _one_file(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """`jsonfile:` writes everything at each save; there is nothing that it should reach."""
    setup.progress("saves to one JSON file")
    every = {
        name: peers.Ours(setup.open(f"{name}{setup.folder / f'one-file-{number}'}"))
        for number, name in enumerate(("jsonfile:", "sqlite:"))
    }
    for peer in every.values():
        peer.fill(sessions)
    sides = {name: saver(peer, sessions) for name, peer in every.items()}
    took = total_rounds(sides, rounds=5, each=2)
    row = value_row("jsonfile: saves/s, one writer", [1 / one for one in took["jsonfile:"]], unit="1/s")
    yield msgspec.structs.replace(row, details={"sqlite_per_s": 1 / median(took["sqlite:"])})
    for peer in every.values():
        peer.close()


def _batches(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    setup.progress("batches of 100 beside single saves")
    for name in ("json", "sqlite"):
        peer = peers.Ours(setup.open(f"{name}:{setup.folder / ('batches-' + name)}"))
        peer.fill(sessions)
        save = saver(peer, sessions)

        def batch(peer: peers.Ours = peer, save: Callable[[], None] = save) -> None:
            with peer.store.transaction():
                for _ in range(100):
                    save()

        def singles(save: Callable[[], None] = save) -> None:
            for _ in range(100):
                save()

        sides: dict[str, Callable[[], None]] = {"batch": batch, "singles": singles}
        settle = dict.fromkeys(sides, peer.settle)
        took = total_rounds(
            sides, rounds=5 if setup.quick else 15, each=1 if setup.quick else 5, settle=settle
        )
        yield ratio_row(
            f"{name}: batches of 100",
            took["singles"],
            took["batch"],
            peer="single saves",
            target=">= 5",
            unit="ms",
        )
        peer.close()
