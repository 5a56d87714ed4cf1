"""Sessions of equal size with tasks of equal size, and how to draw one of many: what plain workloads share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from tiergate.model import Session, Task
from tiergate_plugins.workloads.text import sentences, title

TASKS_IN_A_SESSION = 50
NOTES_BYTES = 1000
"""As many bytes as YCSB gives a record: ten fields of a hundred."""

ZIPF = 0.99
"""The exponent of YCSB's Zipfian distribution."""

_FIRST_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)

Key = tuple[str, str]
"""A task by the ids of its session and its own."""


def equal_sessions(seed: int, tasks: int) -> list[Session]:
    """`tasks` tasks in sessions of 50, the last of which may hold fewer; a task may wait for the one before."""
    random = Random(f"records {seed}")
    return [
        Session(
            id=f"s{number:04}",
            title=title(random),
            created_at=_FIRST_DAY.isoformat(),
            tasks=tuple(_task(random, index) for index in range(min(TASKS_IN_A_SESSION, tasks - first))),
        )
        for number, first in enumerate(range(0, tasks, TASKS_IN_A_SESSION))
    ]


def _task(random: Random, index: int) -> Task:
    return Task(
        id=f"t{index}",
        title=title(random),
        notes=notes(random),
        weight=float(random.randrange(1, 9)),
        dependencies=(f"t{index - 1}",) if index and random.random() < 0.5 else (),
        created_at=(_FIRST_DAY + timedelta(minutes=index)).isoformat(),
    )


def notes(random: Random) -> str:
    """Text of exactly `NOTES_BYTES` bytes."""
    return sentences(random, NOTES_BYTES // 4)[:NOTES_BYTES].ljust(NOTES_BYTES, ".")


def keys_of(sessions: Sequence[Session]) -> list[Key]:
    """Every task of the sessions.

    Raises:
        ValueError: there is none.
    """
    found = [(session.id, task.id) for session in sessions for task in session.tasks]
    if not found:
        raise ValueError("no session has a task")
    return found


def zipf_rank(random: Random, count: int) -> Callable[[], int]:
    """Draws a rank from 0 to ``count - 1``, the rank r with a probability in proportion to 1 / (r + 1)**0.99."""
    weights = list(accumulate(1 / rank**ZIPF for rank in range(1, count + 1)))
    ranks = range(count)
    return lambda: random.choices(ranks, cum_weights=weights)[0]
