"""A writer whose calls of the system fail: it says what it was told, and what the store did after that.

Usage: ``python -m powerloss.failing ADDRESS NOTES SEED COUNT LARGEST``.
It stops at the first step that fails. No file may grow above LARGEST bytes, if that is not 0.
"""

from __future__ import annotations

import os
import resource
import sys

import msgspec
from powerloss.script import held_by, perform, steps, worlds
from powerloss.writer import open_small

from tiergate.model import Session
from tiergate.store import Store, StoreError


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a run.

    Attributes:
        done: how many steps were acknowledged.
        line: the error of the step that was not, or of the opening; None when there was none.
        hint: what the error says is to be done.
        reads: what the same store holds after that, None where it could not be opened.
        reading: the error of reading that, if any.
        again: the error of the same step when it was repeated; None when it went well, or was not tried.
        repeated: whether it was tried.
    """

    done: int = 0
    line: str | None = None
    hint: str | None = None
    reads: dict[str, Session] | None = None
    reading: str | None = None
    again: str | None = None
    repeated: bool = False


def run(outcome: Outcome, address: str, seed: int, count: int) -> None:
    """Write until a step fails; then read, and try that step once more."""
    todo = steps(seed, count)
    held = worlds(todo)
    with open_small(address, "") as store:
        try:
            for number, step in enumerate(todo):
                perform(store, held[number], step)
                outcome.done = number + 1
        except StoreError as error:
            outcome.line, outcome.hint = str(error), error.hint
            _go_on(outcome, store)
            outcome.repeated = True
            try:
                perform(store, held[outcome.done], todo[outcome.done])
            except StoreError as second:
                outcome.again = str(second)


def _go_on(outcome: Outcome, store: Store) -> None:
    try:
        outcome.reads = held_by(store)
    except StoreError as error:
        outcome.reading = str(error)


def main() -> None:
    """Run, and note the outcome."""
    address, notes, seed, count, largest = sys.argv[1:]
    if int(largest):  # Python ignores the signal that comes with it
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))
    outcome = Outcome()
    try:
        run(outcome, address, int(seed), int(count))
    except StoreError as error:
        if outcome.line is None:
            outcome.line, outcome.hint = str(error), error.hint
    noted = os.open(notes, os.O_WRONLY | os.O_CREAT)
    os.writev(noted, [msgspec.json.encode(outcome)])  # a call that no store makes, so that it does not fail


if __name__ == "__main__":
    main()
