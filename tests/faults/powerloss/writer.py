"""The process that is recorded: it goes through the script, and notes each step that it begins and ends.

Usage: ``python -m powerloss.writer ADDRESS NOTES SEED COUNT SABOTAGE``. It goes on where the store is.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from powerloss.sabotage import SABOTAGES, SABOTAGES_OF_OPEN
from powerloss.script import World, held_by, perform, steps, worlds

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.store import Store, StoreAddress
from tiergate_plugins.storage import journal, json_state

_NOTE = re.compile(rb"(begun|acknowledged) (\d+)")


def open_small(text: str, sabotage: str) -> Store:
    """Open a store that folds its journal and checkpoints its log after a few writes."""
    json_state._FOLD_AT = 20_000
    journal._AHEAD = 8192
    address = StoreAddress.parse(text)
    store = PluginHost().get(StoreDeclaration, address.scheme).open(address)
    if address.scheme == "sqlite":
        store._connection.execute("PRAGMA wal_autocheckpoint = 20")  # type: ignore[attr-defined]
    if sabotage in SABOTAGES_OF_OPEN:
        SABOTAGES_OF_OPEN[sabotage](store)
    return store


def main() -> None:
    """Go through the steps that are left; close the store and open it again half-way."""
    address, notes, seed, count, sabotage = sys.argv[1:]
    if sabotage in SABOTAGES:
        SABOTAGES[sabotage]()
    noted = os.open(notes, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    todo = steps(int(seed), int(count))
    held = worlds(todo)
    store = open_small(address, sabotage)
    done = _done(noted, held, held_by(store))
    for number in range(done, len(todo)):
        if number == len(todo) // 2:
            store.close()
            store = open_small(address, sabotage)
        os.writev(noted, [b"begun ", str(number + 1).encode()])
        perform(store, held[number], todo[number])
        os.writev(noted, [b"acknowledged ", str(number + 1).encode()])
    store.close()


def _done(noted: int, held: Sequence[World], now: dict[str, Session]) -> int:
    """The step after which a store holds what it holds now, by the notes of the process before.

    Several worlds may hold the same sessions, and differ in what was deleted before.
    """
    numbers = {b"begun": 0, b"acknowledged": 0}
    for kind, number in _NOTE.findall(os.pread(noted, 1 << 20, 0)):
        numbers[kind] = int(number)
    possible = range(numbers[b"acknowledged"], numbers[b"begun"] + 1)
    return max(number for number in possible if held[number].sessions == now)


if __name__ == "__main__":
    main()
