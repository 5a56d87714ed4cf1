"""What the benchmarks of the server call, and the store that it is called on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tiergate.bench import BenchSetup
from tiergate_plugins.benchmarks.texts import make_sessions

SESSION = "bench"
TASKS = 50


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool and what it is given."""

    tool: str
    arguments: Mapping[str, Any]


READ = ToolCall("session_get", {"session": SESSION, "limit": 1})
"""The reading call that is judged: the first task of a session of fifty."""

PAGE = ToolCall("session_get", {"session": SESSION})
"""A larger one, which only informs: a page of the session."""


def writing(number: int) -> ToolCall:
    """A call that changes one task."""
    return ToolCall("task_update", {"session": SESSION, "task": "T000", "weight": float(number)})


def fill(setup: BenchSetup, store: str) -> None:
    """Put the sessions into a store; the first is the one that is called for."""
    import msgspec

    sessions = make_sessions(seed=1, sessions=20, tasks=TASKS)
    with setup.open(store) as opened:
        for number, session in enumerate(sessions):
            opened.save(msgspec.structs.replace(session, id=session.id if number else SESSION, version=0))


def words(store: str) -> list[str]:
    """The command of our server over standard streams."""
    return [sys.executable, "-m", "tiergate", "serve", "--store", store]
