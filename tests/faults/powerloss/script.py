"""The writes of a recorded run, and what a store holds after each of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from tiergate.model import Session, Task
from tiergate.store import Store

NAMES = ("a", "b", "c")
TASKS = tuple(f"t{number}" for number in range(4))


@dataclass(frozen=True, slots=True)
class Change:
    """One call: ``save``, ``upsert`` or ``delete`` of a session."""

    kind: str
    session: str
    tasks: tuple[Task, ...] = ()


Step = tuple[Change, ...]
"""What is acknowledged at once: one change, or the changes of a transaction."""


@dataclass(frozen=True, slots=True)
class World:
    """What a store holds: its sessions, and by id the version at which one was deleted."""

    sessions: dict[str, Session] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)

    def after(self, step: Step) -> World:
        """The world that a step leaves."""
        world = World(dict(self.sessions), dict(self.deleted))
        for change in step:
            world._apply(change)
        return world

    def version(self, name: str) -> int:
        """The version to name when a session is written; 0 where there is none."""
        return self.sessions[name].version if name in self.sessions else 0

    def _apply(self, change: Change) -> None:
        name = change.session
        now = self.version(name)
        if change.kind == "delete":
            del self.sessions[name]
            self.deleted[name] = now + 1
        elif change.kind == "save":
            version = (now or self.deleted.pop(name, 0)) + 1
            self.sessions[name] = Session(id=name, tasks=change.tasks, version=version)
        else:
            by_id = {task.id: task for task in (*self.sessions[name].tasks, *change.tasks)}
            self.sessions[name] = msgspec.structs.replace(
                self.sessions[name], version=now + 1, tasks=tuple(by_id.values())
            )


def steps(seed: int, count: int) -> list[Step]:
    """So many steps; every seventh is a transaction over two sessions."""
    draw = random.Random(seed)
    world, made = World(), list[Step]()
    for number in range(count):
        names = draw.sample(NAMES, 2 if number % 7 == 3 else 1)
        step = tuple(_change(draw, world, name, number) for name in names)
        world = world.after(step)
        made.append(step)
    return made


def worlds(made: Sequence[Step]) -> list[World]:
    """What a store holds before the first step, and after each."""
    held = [World()]
    for step in made:
        held.append(held[-1].after(step))
    return held


def perform(store: Store, world: World, step: Step) -> None:
    """Make the changes of a step to a store that holds a world."""
    if len(step) == 1:
        _perform_one(store, world, step[0])
        return
    with store.transaction():
        for change in step:
            _perform_one(store, world, change)


def held_by(store: Store) -> dict[str, Session]:
    """Every session of a store, read in full."""
    return {name: store.load(name) for name in store.ids()}


def _perform_one(store: Store, world: World, change: Change) -> None:
    version = world.version(change.session)
    if change.kind == "delete":
        store.delete(change.session, expected_version=version)
    elif change.kind == "save":
        store.save(Session(id=change.session, tasks=change.tasks, version=version))
    else:
        store.upsert_tasks(change.session, change.tasks, expected_version=version)


def _change(draw: random.Random, world: World, name: str, number: int) -> Change:
    if name not in world.sessions or draw.random() < 0.2:
        return Change("save", name, tuple(_task(draw, one, number) for one in draw.sample(TASKS, 3)))
    if draw.random() < 0.2:
        return Change("delete", name)
    return Change("upsert", name, (_task(draw, draw.choice(TASKS), number),))


def _task(draw: random.Random, name: str, number: int) -> Task:
    """Notes of all lengths: within a sector, over several, and over several pages."""
    notes = "".join(draw.choices("abcdefgh", k=draw.choice((10, 200, 1500, 9000))))
    return Task(id=name, title=f"written by step {number}", notes=notes, extra={"step": number})
