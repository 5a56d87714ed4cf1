"""Opening a store on every state in which the loss of power may leave it."""

from __future__ import annotations

import hashlib
import itertools
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from powerloss.disk import (
    WHOLE,
    Choice,
    Operation,
    Part,
    Tree,
    Write,
    acknowledged,
    begun,
    boundaries,
    tree_after,
)
from powerloss.disk import unsynced as unsynced_at
from powerloss.recording import Recording
from powerloss.script import World, held_by, steps, worlds

from tiergate.model import Session
from tiergate.store import Store, StoreError

Open = Callable[[str], Store]


@dataclass(frozen=True)
class Loss:
    """What was wrong in one state: the crash, what was there that was not synced, what a store said."""

    crash: int
    acknowledged: int
    choice: Choice
    what: str

    def __str__(self) -> str:
        there = ", ".join(
            str(number) if part == WHOLE else f"{number}[{part.start}:{part.stop}]"
            for number, part in self.choice.items()
        )
        return (
            f"power lost after operation {self.crash}, {self.acknowledged} steps acknowledged,"
            f" there of what was not synced: {there or 'nothing'}: {self.what}"
        )


@dataclass
class Findings:
    """What came of the states of a recording.

    Attributes:
        states: how many different ones were opened.
        losses: what was wrong, in the order in which it was found.
    """

    states: int = 0
    losses: list[Loss] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([f"{self.states} states, {len(self.losses)} losses", *map(str, self.losses)])


@dataclass(frozen=True)
class Explorer:
    """Goes through the states of a recording in a random order, after those that hold only what was synced.

    Attributes:
        folder: where the states are built, one after another.
        promised: whether what was acknowledged must be there, and not only something that once was.
        at_each: how many states to try at each point of a crash.
    """

    recording: Recording
    open_at: Open
    folder: Path
    promised: bool = True
    at_each: int = 30

    def explore(self, *, limit: int, seed: int = 1, stop_after: int = 5) -> Findings:
        """Check up to so many different states; stop when so many of them were wrong."""
        findings = Findings()
        held = worlds(steps(self.recording.seed, self.recording.count))
        seen: set[tuple[int, bytes]] = set()
        for crash, choice in self._crashes(random.Random(seed)):
            tree = tree_after(self.recording.operations, crash, choice)
            done = acknowledged(self.recording.operations, crash)
            key = (done, _digest(tree))
            if key in seen:
                continue
            seen.add(key)
            findings.states += 1
            allowed = held[done if self.promised else 0 : begun(self.recording.operations, crash) + 1]
            wrong = self._judge(tree, allowed)
            if wrong is not None:
                findings.losses.append(Loss(crash, done, choice, wrong))
            if findings.states >= limit or len(findings.losses) >= stop_after:
                break
        return findings

    def _crashes(self, draw: random.Random) -> Iterator[tuple[int, Choice]]:
        operations = self.recording.operations
        points = range(1, len(operations) + 1)
        for crash in points:
            yield crash, {}
        rest = [(crash, one) for crash in points for one in choices(operations, crash, draw, self.at_each)]
        draw.shuffle(rest)
        yield from rest

    def _judge(self, tree: Tree, allowed: Sequence[World]) -> str | None:
        """What is wrong with a store that power left like that, or None."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name, content in tree.items():
            if content is None:
                (self.folder / name).mkdir()
            else:
                (self.folder / name).write_bytes(content)
        try:
            return self._judge_store(allowed)
        except StoreError as error:
            return f"{type(error).__name__}: {error}"

    def _judge_store(self, allowed: Sequence[World]) -> str | None:
        address = self.recording.address.replace("{}", str(self.folder))
        with self.open_at(address) as store:
            now = held_by(store)
            found = [world for world in allowed if world.sessions == now]
            if not found:
                return f"it holds {_versions(now)}, not {[_versions(one.sessions) for one in allowed]}"
            for damage in store.verify():
                if "a write that never returned" not in damage.what:
                    return f"verify: {damage.where}: {damage.what}"
            after = dict(now)
            for name in ("after", *found[-1].deleted):  # what is left can be written to
                version = store.save(Session(id=name))
                if all(version <= one.deleted.get(name, 0) for one in found):
                    return f"version {version} of session {name!r} was used twice"
                after[name] = Session(id=name, version=version)
        with self.open_at(address) as store:
            if held_by(store) != after:
                return f"after more writes it holds {_versions(held_by(store))}, not {_versions(after)}"
            return next((f"verify after a write: {one.what}" for one in store.verify()), None)


def choices(operations: Sequence[Operation], crash: int, draw: random.Random, most: int) -> Iterator[Choice]:
    """What may be there of the operations that were not synced: all ways where they are few, else some.

    All; all up to one; all but one; one alone; one cut short, or with its beginning missing, or as zeros,
    with all others or with none; and any subset, each operation whole or in part.
    """
    free = unsynced_at(operations, crash)
    if 2 ** len(free) <= most:
        for kept in itertools.product((False, True), repeat=len(free)):
            yield {number: WHOLE for number, keep in zip(free, kept, strict=True) if keep}
    everything = dict.fromkeys(free, WHOLE)
    yield everything
    for _ in range(most if free else 0):
        number = draw.choice(free)
        part = _part(draw, operations[number])
        yield draw.choice(
            [
                {other: WHOLE for other in free if other < number} | {number: part},
                {other: WHOLE for other in free if other != number},
                {number: part},
                everything | {number: part},
                _subset(draw, operations, free),
            ]
        )


def _subset(draw: random.Random, operations: Sequence[Operation], free: Sequence[int]) -> Choice:
    share = draw.random()
    return {number: _part(draw, operations[number]) for number in free if draw.random() < share}


def _part(draw: random.Random, operation: Operation) -> Part:
    """Half of the time all of an operation; names change as a whole, writes may be cut between sectors."""
    if not isinstance(operation, Write) or draw.random() < 0.5:
        return WHOLE
    if draw.random() < 0.2:
        return Part(0, 0, extends=True)
    places = boundaries(operation)
    if not places:
        return WHOLE
    place = draw.choice(places)
    if draw.random() < 0.5:
        return Part(0, place, extends=draw.random() < 0.3)
    return Part(place, len(operation.data))


def _digest(tree: Tree) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name, content in sorted(tree.items()):
        digest.update(f"{name} {-1 if content is None else len(content)}\n".encode())
        digest.update(content or b"")
    return digest.digest()


def _versions(sessions: dict[str, Session]) -> dict[str, int]:
    return {name: session.version for name, session in sorted(sessions.items())}
