"""The flow state of a session: how high its momentum stands, with thresholds that differ by direction.

A session's momentum rises with the steps of all its tasks, each by `STEP_GAIN` of what a task's own would,
and decays as a task's does. Its level is found by replay of all steps: it is entered at one momentum and left
at a lower one (a Schmitt trigger: Schmitt, A thermionic trigger, 1938), so that what hovers about a threshold
does not flicker. Nothing of it is stored: the same tasks at the same moment have the same state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log2

from tiergate.flow.momentum import decayed, raised
from tiergate.flow.steps import all_steps, closed_at
from tiergate.flow.values import FlowState
from tiergate.model import Status, Task

STEP_GAIN = 0.5
"""A session gains half of what was missing to 1 when a task of it is completed at once."""

ENTER = (0.15, 0.45, 0.75)
"""The momentum at which a session comes to be warming, flowing and deep."""

LEAVE = (0.08, 0.30, 0.60)
"""The momentum below which it leaves each of them."""

_NAMES = (FlowState.IDLE, FlowState.WARMING, FlowState.FLOWING, FlowState.DEEP)


@dataclass(frozen=True, slots=True)
class Track:
    """What a replay came to.

    Attributes:
        momentum: of the session at the end, 0 to 1.
        level: 0 where momentum is gone, to 3 for deep.
        since: when it came to that level; None where it always was there.
    """

    momentum: float
    level: int
    since: float | None


_NOTHING = Track(0.0, 0, None)


def settled(level: int, momentum: float) -> int:
    """The level after momentum came to a value: as high as it may enter, or as low as it must leave."""
    while level < len(ENTER) and momentum >= ENTER[level]:
        level += 1
    while level > 0 and momentum < LEAVE[level - 1]:
        level -= 1
    return level


def follow(
    steps: Sequence[tuple[float, float]], moments: Iterable[float], half_life_s: float
) -> Iterator[Track]:
    """Follow momentum and level from nothing through every step, and say where they stand at some moments.

    Between steps momentum only falls, so that looking at it before and after each step misses no threshold.

    Args:
        steps: moment and amount of each, ascending.
        moments: ascending.
    """
    track, at, taken = _NOTHING, 0.0, 0
    for moment in moments:
        while taken < len(steps) and steps[taken][0] <= moment:
            when, amount = steps[taken]
            fallen = _fallen(track, at, when, half_life_s)
            momentum = raised(fallen.momentum, amount * STEP_GAIN)
            level = settled(fallen.level, momentum)
            track = Track(momentum, level, when if level > fallen.level else fallen.since)
            at, taken = when, taken + 1
        yield _fallen(track, at, moment, half_life_s)


def _fallen(track: Track, at: float, now: float, half_life_s: float) -> Track:
    """What becomes of a track without a step until a moment."""
    momentum = decayed(track.momentum, now - at, half_life_s)
    level = settled(track.level, momentum)
    since = track.since
    if level < track.level:
        since = at + half_life_s * log2(track.momentum / LEAVE[level])
    return Track(momentum, level, since)


def state_of(tasks: Sequence[Task], track: Track) -> FlowState:
    """The flow state of a session whose steps came to a track.

    done: every task is closed. stalled: momentum is gone, and something is active or nothing could begin.
    idle: momentum is gone, nothing is active, and there is work that could begin, or none at all.
    """
    statuses = Counter(task.status for task in tasks)
    opened = statuses[Status.QUEUED] + statuses[Status.ACTIVE] + statuses[Status.BLOCKED]
    if tasks and not opened:
        return FlowState.DONE
    if track.level or not opened:
        return _NAMES[track.level]
    return FlowState.STALLED if statuses[Status.ACTIVE] or not _can_begin(tasks) else FlowState.IDLE


def track_of(tasks: Iterable[Task], now: float, half_life_s: float) -> Track:
    """What the steps of tasks came to at a moment."""
    return next(follow(all_steps(tasks, now), (now,), half_life_s))


def done_since(tasks: Iterable[Task]) -> float | None:
    """When the last of closed tasks was closed, as far as their fields tell."""
    return max((at for task in tasks if (at := closed_at(task)) is not None), default=None)


def _can_begin(tasks: Sequence[Task]) -> bool:
    opened = {task.id for task in tasks if task.status not in (Status.COMPLETED, Status.ABANDONED)}
    return any(task.status is Status.QUEUED and opened.isdisjoint(task.dependencies) for task in tasks)
