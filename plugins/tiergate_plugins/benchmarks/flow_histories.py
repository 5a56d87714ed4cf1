"""Histories to replay: sessions that were worked on, made up here or real ones where a folder has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tiergate.model import Status, Task

REAL = "beads/session-2025-12-28.jsonl"
"""The snapshot whose history is replayed: ten days of it have steps."""

_START = datetime(2026, 2, 2, 9, tzinfo=UTC)
_SIDE_BY_SIDE = 3
_STATUSES = {"open": Status.QUEUED, "in_progress": Status.ACTIVE, "closed": Status.COMPLETED}


def generated(seed: int) -> list[Task]:
    """A session of some sixty to a hundred tasks, as one team leaves it after it has worked on it for days.

    It works for some hours and rests for some; while it works, it moves one of up to three tasks on at random
    moments, and takes up a random one that is ready when one is completed. How long, how often and how far is
    drawn for the session. None of this is a formula of what predicts.
    """
    draw = Random(f"history {seed}")
    size = draw.randint(60, 100)
    waits_for = [
        set(draw.sample(range(max(0, number - 8), number), k=min(number, draw.choice((0, 1, 1, 2)))))
        for number in range(size)
    ]
    steps = _worked(draw, waits_for)
    return [_task(number, waits_for[number], steps[number]) for number in range(size)]


def _worked(draw: Random, waits_for: list[set[int]]) -> list[list[tuple[datetime, float]]]:
    """When each task moved on, and by how much."""
    steps: list[list[tuple[datetime, float]]] = [[] for _ in waits_for]
    left = dict.fromkeys(range(len(waits_for)), 1.0)
    hands: list[int] = []
    for now, reach in _moments(draw):
        ready = [one for one in left if one not in hands and waits_for[one].isdisjoint(left)]
        while ready and len(hands) < _SIDE_BY_SIDE:
            hands.append(ready.pop(draw.randrange(len(ready))))
        if not hands:
            break
        one = draw.choice(hands)
        amount = min(left[one], draw.uniform(0.1, 1.0) * reach)
        left[one] -= amount
        steps[one].append((now, amount))
        if left[one] < 0.05:
            del left[one]
            hands.remove(one)
    return steps


def _moments(draw: Random) -> Iterator[tuple[datetime, float]]:
    works_h, rests_h = draw.uniform(1.0, 6.0), draw.uniform(2.0, 14.0)
    pause_h, reach = draw.uniform(0.1, 1.0), draw.uniform(0.4, 1.0)
    now = _START
    while True:
        end = now + timedelta(hours=draw.expovariate(1 / works_h))
        while (now := now + timedelta(hours=draw.expovariate(1 / pause_h))) < end:
            yield now, reach
        now = end + timedelta(hours=draw.expovariate(1 / rests_h))


def _task(number: int, waits_for: set[int], steps: list[tuple[datetime, float]]) -> Task:
    moved = [(at.isoformat(), amount) for at, amount in steps]
    return Task(
        id=f"t{number:03}",
        title=f"Task {number}",
        status=Status.COMPLETED,
        dependencies=tuple(f"t{other:03}" for other in sorted(waits_for)),
        created_at=_START.isoformat(),
        updated_at=moved[-1][0] if moved else _START.isoformat(),
        extra={"flow": {"done": 1.0, "steps": moved[-16:]}} if moved else {},
    )


def real() -> list[Task] | None:
    """The history that a folder of public task stores holds; None where there is none.

    The folder is the one that ``TIERGATE_TEST_DATA`` names.
    """
    folder = os.environ.get("TIERGATE_TEST_DATA")
    if not folder or not (Path(folder) / REAL).is_file():
        return None
    lines = (Path(folder) / REAL).read_text(encoding="utf-8").splitlines()
    return [_real_task(msgspec.json.decode(line)) for line in lines if line.strip()]


def _real_task(issue: dict[str, Any]) -> Task:
    return Task(
        id=issue["id"],
        title=issue["title"],
        status=_STATUSES.get(
            issue["status"], Status.ABANDONED if issue["status"] == "tombstone" else Status.BLOCKED
        ),
        dependencies=tuple(
            link["depends_on_id"] for link in issue.get("dependencies") or () if link["type"] == "blocks"
        ),
        created_at=issue["created_at"],
        updated_at=issue["updated_at"],
        extra={"closed_at": issue["closed_at"]} if issue.get("closed_at") else {},
    )
