"""Auto-balance: which tasks of a session should be active now, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Literal

from tiergate.errors import counted
from tiergate.flow.graph import TaskGraph
from tiergate.flow.moments import seconds_of, text_of
from tiergate.flow.momentum import DEFAULT_HALF_LIFE_S, decayed, momentum_of
from tiergate.flow.values import Balance, Chosen, ScoreParts, SteppedBack
from tiergate.model import Status, Task

PATH_SHARE, MOMENTUM_SHARE, AGE_SHARE = 0.6, 0.3, 0.1
"""How much each part of a score counts; each part is 0 to 1 before."""

RUNNING = 0.1
"""What an active task is ahead by: another one must be better by more than this to displace it."""

AGE_HALF_S = 7 * 86_400.0
"""The age at which a task has half of what age can give."""

_NAMED = 3
"""Tasks that a demotion names as what it waits for."""


def balance(
    tasks: Iterable[Task],
    wip_limit: int,
    now: float,
    *,
    half_life_s: float = DEFAULT_HALF_LIFE_S,
    where: str | None = None,
) -> Balance:
    """The `wip_limit` tasks of the highest score among those that wait for nothing.

    A score is ``0.6 * path + 0.3 * momentum + 0.1 * age``, and 0.1 more for a task that is active: `path` is
    the weight of the heaviest chain of open tasks from this one to its end, beside the heaviest of all (as
    list scheduling by the critical path ranks: Graham, Bounds on multiprocessing timing anomalies, 1969),
    `momentum` that of the task, and `age` nears 1 as it grows old, so that nothing waits for ever behind
    its likes. Of equal scores the task with the lesser id comes first; the order of `tasks` means nothing.

    Args:
        where: names the session in errors.

    Raises:
        DependencyCycle: open tasks wait for each other.
    """
    graph = TaskGraph(tasks, where)
    tails = graph.tails
    free = graph.free()
    heaviest = max(tails, default=0.0) or 1.0
    ready = [
        place for place, task in enumerate(graph.tasks) if free[place] and task.status is not Status.BLOCKED
    ]

    def parts(place: int) -> tuple[float, float, float, float]:
        return _parts(graph.tasks[place], tails[place] / heaviest, now, half_life_s)

    scores = {place: sum(parts(place)) for place in ready}
    ranked = nsmallest(wip_limit, ready, key=lambda place: (-scores[place], graph.tasks[place].id))
    chosen = [_chosen(graph.tasks[place], parts(place), tails[place]) for place in ranked]
    taken = set(ranked)
    left = [
        _stepping_back(graph, place, scores.get(place), chosen)
        for place, task in enumerate(graph.tasks)
        if task.status is Status.ACTIVE and place not in taken
    ]
    return Balance(
        active=chosen,
        step_back=sorted(left, key=lambda one: one.task),
        wip_limit=wip_limit,
        ready=len(ready),
        waiting=free.count(False),
        blocked=sum(task.status is Status.BLOCKED for task in graph.tasks),
        now=text_of(now),
    )


def _parts(task: Task, path: float, now: float, half_life_s: float) -> tuple[float, float, float, float]:
    created = seconds_of(task.created_at)
    age = 0.0 if created is None else 1.0 - decayed(1.0, now - created, AGE_HALF_S)
    momentum = momentum_of(task, now, half_life_s)
    running = RUNNING if task.status is Status.ACTIVE else 0.0
    return PATH_SHARE * path, MOMENTUM_SHARE * momentum, AGE_SHARE * age, running


def _chosen(task: Task, parts: tuple[float, float, float, float], tail: float) -> Chosen:
    path, momentum, age, running = parts
    return Chosen(
        task=task.id,
        title=task.title,
        action="keep" if running else "start",
        score=sum(parts),
        parts=ScoreParts(path=path, momentum=momentum, age=age, running=running),
        path_weight=tail,
        reason=_why(task, parts, tail),
    )


def _why(task: Task, parts: tuple[float, float, float, float], tail: float) -> str:
    path, momentum, _, running = parts
    most = " (the heaviest of all)" if path == PATH_SHARE else ""
    said = [f"it waits for nothing, and work of weight {tail:g}{most} hangs on it"]
    if tail == task.weight:
        said = [f"it waits for nothing and weighs {tail:g}{most}; nothing waits for it"]
    if momentum:
        said.append(f"it has a momentum of {momentum / MOMENTUM_SHARE:.2f}")
    if running:
        said.append("it is active already")
    return "; ".join(said)


def _stepping_back(
    graph: TaskGraph, place: int, score: float | None, chosen: Sequence[Chosen]
) -> SteppedBack:
    task = graph.tasks[place]
    started = [one for one in chosen if one.action == "start"]
    waits_for: list[str] = []
    cause: Literal["waits", "displaced", "over_limit"]
    if score is None:
        waits_for = graph.names(graph.waits_for(place))
        cause, reason = "waits", f"it waits for {_listed(waits_for)}"
    elif started:
        better = started[-1]
        cause = "displaced"
        reason = f"{better.task!r} has a score of {better.score:.2f}, this one of {score:.2f}"
    else:
        cause, reason = (
            "over_limit",
            f"{counted(len(chosen), 'active task')} of a higher score fill the limit",
        )
    return SteppedBack(
        task=task.id,
        title=task.title,
        cause=cause,
        score=score,
        waits_for=waits_for[:_NAMED],
        reason=reason,
    )


def _listed(ids: Sequence[str]) -> str:
    more = f" and {counted(len(ids) - _NAMED, 'more task')}" if len(ids) > _NAMED else ""
    return ", ".join(map(repr, ids[:_NAMED])) + more
