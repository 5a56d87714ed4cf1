"""How a session is getting on, and what is expected of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from typing import Literal

from tiergate.flow.moments import text_of
from tiergate.flow.momentum import DEFAULT_HALF_LIFE_S, momentum_of
from tiergate.flow.prediction import predicted, soon_ready
from tiergate.flow.state import done_since, state_of, track_of
from tiergate.flow.values import Flow, FlowState, Moving
from tiergate.model import Status, Task

STEADY = 0.05
"""A change of momentum that is no trend."""

_LISTED = 10


def outlook(
    tasks: Sequence[Task],
    now: float,
    *,
    half_life_s: float = DEFAULT_HALF_LIFE_S,
    horizon_s: float = DEFAULT_HALF_LIFE_S,
    where: str | None = None,
) -> Flow:
    """The flow state of a session, its momentum and trend, and what is expected at the end of a horizon.

    Args:
        where: names the session in errors.

    Raises:
        DependencyCycle: open tasks wait for each other.
    """
    track, prediction = predicted(tasks, now, horizon_s=horizon_s, half_life_s=half_life_s)
    state = state_of(tasks, track)
    before = track_of(tasks, now - half_life_s, half_life_s).momentum
    since = done_since(tasks) if state is FlowState.DONE else track.since
    counts = Counter(task.status for task in tasks)
    return Flow(
        state=state,
        momentum=track.momentum,
        trend=_trend(track.momentum - before),
        since=None if since is None else text_of(since),
        tasks={status: counts[status] for status in Status},
        moving=_moving(tasks, now, half_life_s),
        prediction=prediction,
        soon_ready=soon_ready(tasks, now, half_life_s=half_life_s, where=where),
        now=text_of(now),
    )


def _trend(change: float) -> Literal["rising", "steady", "falling"]:
    if abs(change) <= STEADY:
        return "steady"
    return "rising" if change > 0 else "falling"


def _moving(tasks: Sequence[Task], now: float, half_life_s: float) -> list[Moving]:
    moving = [
        Moving(task=task.id, title=task.title, momentum=momentum)
        for task in tasks
        if (momentum := momentum_of(task, now, half_life_s)) > 0.0
    ]
    return nsmallest(_LISTED, moving, key=lambda one: (-one.momentum, one.task))
