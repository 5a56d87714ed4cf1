"""How often predictions come true on replayed histories, beside naive guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from tiergate.flow.graph import TaskGraph
from tiergate.flow.prediction import predicted, soon_ready
from tiergate.flow.state import state_of, track_of
from tiergate.flow.steps import all_steps, as_of
from tiergate.flow.values import FlowState
from tiergate.model import Status, Task

_DAY_S = 86_400.0


class StateGuess(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a replay: what was predicted of the flow state a horizon later, and what came.

    Attributes:
        unit: the day (of the history) that it belongs to; what is near in time is alike.
        last: the naive guess that the state stays.
        frequent: the naive guess of the state that was there most often until then.
    """

    unit: int
    came: FlowState
    predicted: FlowState
    last: FlowState
    frequent: FlowState


class ReadyGuess(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a replay: of the tasks that were named first, how many came to be ready in the horizon.

    Attributes:
        unit: the day that it belongs to.
        named: how many tasks were named.
        hits: how many of these became ready.
        chance: how many hits as many names drawn at random from all waiting tasks have on average.
        oldest: how many hits the tasks have that were there longest, as many as were named.
    """

    unit: int
    named: int
    hits: int
    chance: float
    oldest: int


def state_guesses(tasks: Sequence[Task], *, half_life_s: float, horizon_s: float) -> Iterator[StateGuess]:
    """Replay a session, and predict its flow state a horizon ahead at every horizon of it.

    What is predicted at a moment rests on what was known then, see `tiergate.flow.steps.as_of`.
    """
    seen: Counter[FlowState] = Counter()
    before: tuple[list[Task], float] | None = None
    for now in _moments(tasks, horizon_s):
        view = as_of(tasks, now)
        state = state_of(view, track_of(view, now, half_life_s))
        if before is not None:
            known, then = before
            track, guess = predicted(known, then, horizon_s=horizon_s, half_life_s=half_life_s)
            last = state_of(known, track)
            seen[last] += 1
            yield StateGuess(
                unit=int(then // _DAY_S),
                came=state,
                predicted=guess.state,
                last=last,
                frequent=max(sorted(seen), key=lambda one: seen[one]),
            )
        before = view, now


def ready_guesses(
    tasks: Sequence[Task], *, half_life_s: float, horizon_s: float, names: int
) -> Iterator[ReadyGuess]:
    """Replay a session, and name at every horizon of it the tasks that are about to be ready.

    A moment at which no waiting task becomes ready in the horizon, or all do, tells nothing and is left out.
    """
    for now in _moments(tasks, horizon_s):
        known = as_of(tasks, now)
        waiting = _waiting(known)
        later = {task.id: task for task in as_of(tasks, now + horizon_s)}
        still = _waiting(list(later.values()))
        came = {name for name in waiting if name not in still and later[name].status is not Status.BLOCKED}
        if not came or len(came) == len(waiting):
            continue
        named = [one.task for one in soon_ready(known, now, half_life_s=half_life_s, limit=names)]
        oldest = sorted(waiting, key=lambda name: (waiting[name], name))[: len(named)]
        yield ReadyGuess(
            unit=int(now // _DAY_S),
            named=len(named),
            hits=len(came.intersection(named)),
            chance=len(named) * len(came) / len(waiting),
            oldest=len(came.intersection(oldest)),
        )


def _moments(tasks: Sequence[Task], horizon_s: float) -> Iterator[float]:
    steps = all_steps(tasks, float("inf"))
    if steps:
        for number in range(int((steps[-1][0] - steps[0][0]) / horizon_s) + 1):
            yield steps[0][0] + number * horizon_s


def _waiting(tasks: Sequence[Task]) -> dict[str, str]:
    """The waiting tasks that are not blocked, and when they were created."""
    graph = TaskGraph(tasks)
    return {
        task.id: task.created_at or ""
        for task, is_free in zip(graph.tasks, graph.free(), strict=True)
        if not is_free and task.status is not Status.BLOCKED
    }
