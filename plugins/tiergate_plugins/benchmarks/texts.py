"""Sessions with text like people's: word by word as in Python's own manual, which every installation has.

Each word follows two others as it does somewhere in the manual (a Markov chain of order two), so that words
and phrases are as frequent as in prose, but whole sentences hardly ever repeat. Whole sentences from a list
would let a compressor's dictionary learn the list.
"""

from __future__ import annotations

import random
from functools import cache
from pydoc_data.topics import topics

from tiergate.model import Session, Status, Task

_STATUSES = (Status.QUEUED, Status.ACTIVE, Status.BLOCKED, Status.COMPLETED, Status.ABANDONED)
_SHARES = (45, 12, 8, 30, 5)
_LABELS = ("bug", "api", "docs", "refactor", "tests", "performance", "security", "ui", "ci", "storage")


@cache
def _followers() -> tuple[list[tuple[str, str]], dict[tuple[str, str], list[str]]]:
    """Every pair of words, and what follows it."""
    words = " ".join(topics[name] for name in sorted(topics)).split()
    found: dict[tuple[str, str], list[str]] = {}
    for first, second, third in zip(words, words[1:], words[2:], strict=False):
        found.setdefault((first, second), []).append(third)
    return list(found), found


def _prose(draw: random.Random, words: int) -> str:
    pairs, followers = _followers()
    pair = draw.choice(pairs)
    text = list(pair)
    while len(text) < words:
        after = followers.get(pair)
        pair = (pair[1], draw.choice(after)) if after else draw.choice(pairs)
        text.append(pair[1])
    return " ".join(text)


def make_sessions(*, seed: int, sessions: int, tasks: int) -> list[Session]:
    """Sessions of as many tasks each; the same seed gives the same. A task has about 650 bytes of JSON,
    most of them notes whose length is log-normal."""
    draw = random.Random(seed)
    return [
        Session(
            id=f"session-{number:05}",
            title=_title(draw),
            tasks=tuple(make_task(draw, f"T{one:03}") for one in range(tasks)),
            created_at=_time(draw),
        )
        for number in range(sessions)
    ]


def make_task(draw: random.Random, task_id: str) -> Task:
    """One task with text of its own."""
    notes = _prose(draw, min(round(draw.lognormvariate(3.7, 0.9)), 1000))
    return Task(
        id=task_id,
        title=_title(draw),
        notes=notes,
        status=draw.choices(_STATUSES, _SHARES)[0],
        weight=round(draw.lognormvariate(0.7, 0.8), 1),
        dependencies=tuple(f"T{draw.randrange(50):03}" for _ in range(draw.choice((0, 0, 1, 2)))),
        momentum=round(draw.random(), 3),
        labels=tuple(draw.sample(_LABELS, draw.choice((0, 1, 2)))),
        created_at=_time(draw),
        updated_at=_time(draw),
    )


def _title(draw: random.Random) -> str:
    return _prose(draw, draw.randrange(4, 11))


def _time(draw: random.Random) -> str:
    day = f"2026-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
    return f"{day}T{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}Z"
