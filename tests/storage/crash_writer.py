"""A process that writes to a store until it is killed, and says after each write which one returned.

Usage: ``python crash_writer.py ADDRESS WRITER COUNT [FOLD]``; it starts when it reads a line.
``json:`` folds its journal into the files at FOLD bytes.
"""

from __future__ import annotations

import itertools
import sys

import msgspec

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.store import Capability, SessionNotFound, StaleVersion, Store, StoreAddress
from tiergate_plugins.storage import json_state

COMMON = "common"
"""A session that all writers update; it counts their writes in the task ``count``."""


def batch(writer: str, number: int, size: int) -> list[Task]:
    """Tasks that are always written together; they must never differ in their number."""
    return [Task(id=f"{writer}-{n}", title="x" * 300, extra={"number": number}) for n in range(size)]


def update_common(store: Store, writer: str, number: int) -> None:
    """Read, change and write what others change too, until nobody was faster."""
    while True:
        task, version = store.load_task(COMMON, "count")
        counted = msgspec.structs.replace(task, weight=task.weight + 1)
        try:
            store.upsert_tasks(COMMON, [counted, *batch(writer, number, 3)], expected_version=version)
        except StaleVersion:
            continue
        return


def replace_own(store: Store, name: str, writer: str, number: int) -> None:
    """Write a whole session that nobody else touches."""
    try:
        version = store.load(name).version
    except SessionNotFound:
        version = 0
    store.save(Session(id=name, tasks=tuple(batch(writer, number, 20)), version=version))


def write_once(store: Store, writer: str, number: int) -> None:
    """Every third write replaces whole sessions, two in one transaction where the store has them."""
    if number % 3:
        update_common(store, writer, number)
    elif Capability.TRANSACTIONS in store.capabilities:
        with store.transaction():
            replace_own(store, f"left of {writer}", writer, number)
            replace_own(store, f"right of {writer}", writer, number)
    else:
        replace_own(store, f"left of {writer}", writer, number)


def main() -> None:
    """Write until the count is reached or the process is killed."""
    address, writer, count = StoreAddress.parse(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for fold_at in sys.argv[4:]:
        json_state._FOLD_AT = int(fold_at)
    store = PluginHost().get(StoreDeclaration, address.scheme).open(address)
    sys.stdin.readline()
    numbers = itertools.count(1) if count == 0 else range(1, count + 1)
    for number in numbers:
        write_once(store, writer, number)
        print(number, flush=True)
    store.close()


if __name__ == "__main__":
    main()
