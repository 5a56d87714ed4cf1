"""What comes next: the flow state at the end of a horizon, and the tasks that are about to be ready."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import exp, inf, log, log1p, prod

from tiergate.errors import counted
from tiergate.flow.graph import TaskGraph
from tiergate.flow.moments import seconds_of, text_of
from tiergate.flow.momentum import decayed, momentum_of
from tiergate.flow.notes import notes_of
from tiergate.flow.state import STEP_GAIN, Track, follow, settled, state_of
from tiergate.flow.steps import all_steps
from tiergate.flow.values import Prediction, SoonReady
from tiergate.model import Status, Task

MEMORY = 2.0
"""Half-lives of momentum in which a step loses half of its say in how fast steps come."""

LOOKS = 4
"""Moments of the past that are looked at in each horizon."""

MOST_LOOKS = 1_000

PRIOR = 2 * LOOKS
"""Votes of the trend, and of the level staying what it is, beside one for each moment of the past."""

FRESH = 4.0
"""Half-lives of momentum in which a change of a task loses half of its say in what is about to be ready."""

SOON_LISTED = 10


@dataclass(frozen=True, slots=True)
class Trend:
    """How fast steps have come lately.

    Attributes:
        steps_s: steps a second.
        gain_s: what they add to momentum a second, where momentum is 0.
    """

    steps_s: float
    gain_s: float


def trend_of(steps: Sequence[tuple[float, float]], now: float, half_life_s: float) -> Trend:
    """How fast steps come, of late more than before: each counts half as much every two half-lives.

    An exponentially weighted rate, corrected for a history that has only begun, as moving averages are at
    their start (Kingma & Ba, Adam, 2015, section 3). A step that raises momentum by a share g of what is
    missing counts as ``-ln(1 - g)``, which adds up over steps.
    """
    if not steps:
        return Trend(0.0, 0.0)
    memory_s = MEMORY * half_life_s
    weights = [decayed(1.0, now - at, memory_s) for at, _ in steps]
    gains = [-log1p(-amount * STEP_GAIN) for _, amount in steps]
    seen = max(1.0 - decayed(1.0, now - steps[0][0], memory_s), 1.0 - decayed(1.0, half_life_s, memory_s))
    rate = log(2) / memory_s / seen
    return Trend(
        rate * sum(weights),
        rate * sum(weight * gain for weight, gain in zip(weights, gains, strict=True)),
    )


def expected_momentum(momentum: float, trend: Trend, horizon_s: float, half_life_s: float) -> float:
    """The momentum to expect after a horizon in which steps go on coming as they did.

    Momentum falls by ``k = ln 2 / half-life`` of itself and rises by `r` of what is missing, each second:
    ``M' = -k M + r (1 - M)``, which nears ``r / (r + k)`` exponentially.
    """
    decay_s = log(2) / half_life_s
    if trend.gain_s == 0.0:
        return decayed(momentum, horizon_s, half_life_s)
    rest = trend.gain_s / (trend.gain_s + decay_s)
    return rest + (momentum - rest) * exp(-(trend.gain_s + decay_s) * horizon_s)


def predicted(
    tasks: Sequence[Task], now: float, *, horizon_s: float, half_life_s: float
) -> tuple[Track, Prediction]:
    """Where a session's momentum stands, and its flow state at the end of a horizon.

    Each earlier moment of the session's own history at which things stood as now votes for the level that
    came a horizon later (an empirical Markov chain, with the trend in its state). While that history is short
    the trend and the level of now decide: each has as many votes as `PRIOR` such moments, the level of now
    the fewer the more half-lives the horizon has.
    """
    steps = all_steps(tasks, now)
    past = _past(steps, now, horizon_s)
    tracks = list(follow(steps, past, half_life_s))
    track, trend = tracks[-1], trend_of(steps, now, half_life_s)
    momentum = _foreseen(track, trend, horizon_s, half_life_s)
    votes = _votes(tracks, [bisect_right(steps, (at, inf)) for at in past], horizon_s, half_life_s)
    alike = votes.total()
    votes[track.level] += int(PRIOR * min(1.0, half_life_s / horizon_s))
    votes[settled(track.level, momentum)] += PRIOR
    level = max(votes, key=lambda one: (votes[one], one == track.level, one))
    basis = (
        f"{trend.steps_s * horizon_s:.1f} steps are expected by then at the rate of late, and things stood"
        f" like this at {counted(alike, 'earlier moment')} of this session"
    )
    state = state_of(tasks, Track(momentum, level, None))
    return track, Prediction(state=state, momentum=momentum, at=text_of(now + horizon_s), basis=basis)


def _foreseen(track: Track, trend: Trend, horizon_s: float, half_life_s: float) -> float:
    """Momentum at the end of a horizon: where the trend leads, or decay where no step is the likelier thing.

    Steps are taken to come at random: none comes with a probability of ``exp(-expected)`` (Poisson).
    """
    if trend.steps_s * horizon_s < log(2):
        return decayed(track.momentum, horizon_s, half_life_s)
    return expected_momentum(track.momentum, trend, horizon_s, half_life_s)


def _past(steps: Sequence[tuple[float, float]], now: float, horizon_s: float) -> list[float]:
    """Moments from the first step (or as far back as is looked) to now, `LOOKS` in each horizon."""
    first = steps[0][0] if steps else now
    looks = int(min(MOST_LOOKS, (now - first) / horizon_s * LOOKS))
    return [now - number * horizon_s / LOOKS for number in range(looks, -1, -1)]


def _votes(
    tracks: Sequence[Track], taken: Sequence[int], horizon_s: float, half_life_s: float
) -> Counter[int]:
    """The levels that came a horizon after each earlier moment that was like the last one.

    Args:
        taken: how many steps there were until each moment.
    """

    def situation(number: int) -> tuple[int, int, int]:
        track = tracks[number]
        sinking = settled(track.level, decayed(track.momentum, horizon_s, half_life_s))
        return track.level, sinking, min(2, taken[number] - taken[max(0, number - LOOKS)])

    present = situation(len(tracks) - 1)
    return Counter(
        tracks[number + LOOKS].level for number in range(len(tracks) - LOOKS) if situation(number) == present
    )


def soon_ready(
    tasks: Iterable[Task],
    now: float,
    *,
    half_life_s: float,
    limit: int = SOON_LISTED,
    where: str | None = None,
) -> list[SoonReady]:
    """The waiting tasks that are nearest to being ready, nearest first; of equal ones the lesser id.

    How near one is, is the product over all open tasks that must end before it of how near to its end each
    seems, see `_nearness`: as if they ended independently of each other. A task is left out where one of
    these is blocked.

    Raises:
        DependencyCycle: open tasks wait for each other.
    """
    graph = TaskGraph(tasks, where)
    ready = [1.0] * len(graph.tasks)  # how near each is to being ready
    ended = ready.copy()  # and to its end
    for place in graph.order.tolist():
        ready[place] = prod(ended[before] for before in set(graph.waits_for(place)))
        ended[place] = ready[place] * _nearness(graph.tasks[place], now, half_life_s)
    waiting = (
        place
        for place, (task, is_free) in enumerate(zip(graph.tasks, graph.free(), strict=True))
        if not is_free and ready[place] and task.status is not Status.BLOCKED
    )
    nearest = nsmallest(limit, waiting, key=lambda place: (-ready[place], graph.tasks[place].id))
    return [
        SoonReady(
            task=graph.tasks[place].id,
            title=graph.tasks[place].title,
            score=ready[place],
            waits_for=graph.names(graph.waits_for(place)),
        )
        for place in nearest
    ]


def _nearness(task: Task, now: float, half_life_s: float) -> float:
    """How near to its end a task seems, 0 to 1: by what is done of it, its momentum, and its last change.

    What was touched last is what people are at: a change counts half as much as progress, and fades more
    slowly than momentum.
    """
    if task.status is Status.BLOCKED:
        return 0.0
    begun = 0.3 if task.status is Status.ACTIVE else 0.1
    changed = seconds_of(task.updated_at or task.created_at)
    fresh = 0.0 if changed is None else decayed(0.5, now - changed, FRESH * half_life_s)
    return begun + (1.0 - begun) * max(notes_of(task).done, momentum_of(task, now, half_life_s), fresh)
