"""The open work in few phases: session by session, and last what validates them together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tiergate.model import Session, Task
from tiergate.reconcile.roadmap import estimates
from tiergate.reconcile.roadmap.graph import Key, Work

_RANKS = {"critical": 0, "highest": 0, "high": 1, "medium": 2, "normal": 2, "low": 3, "lowest": 4}
_VALIDATES = re.compile(
    r"\b(?:validat\w*|integration tests?|end[- ]to[- ]end|e2e|acceptance tests?|regression tests?)\b",
    re.IGNORECASE,
)
_PREPARES = re.compile(r"\W*(?:document|describe|explain|plan|design)(?:s|ing|ation)?\b", re.IGNORECASE)
_FEW = 2


@dataclass(slots=True)
class Part:
    """Tasks that make one phase; `after` are the names of parts that must be done before."""

    name: str
    why: str
    tasks: list[Key]
    sessions: list[Session] = field(default_factory=list)


def parts_of(
    work: Work, sessions: Sequence[Session], roles: Mapping[str, str], wished: int = 0
) -> tuple[list[Part], Part | None]:
    """The phases of the sessions' own work, in order, and the one that stands behind everything.

    Sessions that wait for each other make one phase. A phase stands after those that it waits for; where the
    order is free, the more important session is first. Tasks that validate what several sessions or lists
    have made, and for which nobody waits, come last together.

    Args:
        wished: how many lists bring work of their own.
    """
    by_id = {session.id: session for session in sessions}
    last = _validation(work, wished)
    groups = _groups(work, [session.id for session in sessions], last)
    by_session: dict[str, list[Key]] = defaultdict(list)
    for key in work.order:
        if key not in last:
            by_session[key[0]].append(key)
    parts = []
    for names in _sorted(groups, work, last, lambda name: _rank(by_id[name], roles)):
        tasks = [key for name in names for key in by_session[name]]
        if tasks:
            members = [by_id[name] for name in names]
            why = "they wait for each other" if len(names) > 1 else _why(members[0], roles)
            parts.append(Part(f"Carry on {', '.join(names)}", why, tasks, members))
    if not last:
        return parts, None
    why = "what the phases before have made is tested as one"
    return parts, Part("Validate together", why, [key for key in work.order if key in last])


def _validation(work: Work, wished: int) -> set[Key]:
    """Tasks at the end of their chains that validate, where there are several things to validate."""
    if len({session for session, _ in work.tasks}) + wished < _FEW:
        return set()
    needed = {one for needs in work.waits_for.values() for one in needs}
    return {
        key
        for key, task in work.tasks.items()
        if key not in needed and work.waits_for[key] and _is_validation(task.title)
    }


def _is_validation(title: str) -> bool:
    return _VALIDATES.search(title) is not None and _PREPARES.match(title) is None


def _groups(work: Work, names: Iterable[str], apart: set[Key]) -> list[list[str]]:
    """Sessions, those together that wait for each other."""
    import rustworkx

    order = list(names)
    places = {name: place for place, name in enumerate(order)}
    graph: Any = rustworkx.PyDiGraph()
    graph.add_nodes_from(order)
    graph.extend_from_edge_list(
        sorted(
            {
                (places[key[0]], places[one[0]])
                for key, needs in work.waits_for.items()
                for one in needs
                if key[0] != one[0] and key not in apart
            }
        )
    )
    found = rustworkx.strongly_connected_components(graph)
    return [[order[place] for place in sorted(component)] for component in found]


def _sorted(
    groups: Sequence[list[str]], work: Work, apart: set[Key], rank: Callable[[str], tuple[int, int, str]]
) -> list[list[str]]:
    """Groups after those that they wait for; where that leaves it open, by rank."""
    group_of = {name: place for place, names in enumerate(groups) for name in names}
    waits: dict[int, set[int]] = defaultdict(set)
    for key, needs in work.waits_for.items():
        for one in needs:
            if key not in apart and group_of[key[0]] != group_of[one[0]]:
                waits[group_of[key[0]]].add(group_of[one[0]])
    left = sorted(range(len(groups)), key=lambda place: min(rank(name) for name in groups[place]))
    done: set[int] = set()
    found: list[list[str]] = []
    while left:
        place = next(one for one in left if waits[one] <= done)
        left.remove(place)
        done.add(place)
        found.append(groups[place])
    return found


def _rank(session: Session, roles: Mapping[str, str]) -> tuple[int, int, str]:
    role = ("primary", "secondary", "duplicate", "obsolete").index(roles.get(session.id, "secondary"))
    priority = session.extra.get("priority")
    return role, _RANKS.get(priority.casefold() if isinstance(priority, str) else "", 2), session.id


def _why(session: Session, roles: Mapping[str, str]) -> str:
    role = roles.get(session.id, "")
    priority = session.extra.get("priority")
    said = [f"{role} session" if role else "", f"priority {priority}" if isinstance(priority, str) else ""]
    return ", ".join(filter(None, said))


def is_quick(work: Work, key: Key) -> bool:
    """Whether a task is free to begin and said to be short; a guess by weights is no promise."""
    estimate = work.estimates[key]
    return not work.waits_for[key] and estimate.stated and estimate.likely_h <= estimates.QUICK_H


def in_order(work: Work, tasks: Sequence[Key]) -> list[Key]:
    """The tasks of a phase: by dependency, then quick ones, what is under way, and what weighs most."""

    def rank(key: Key) -> tuple[object, ...]:
        task: Task = work.tasks[key]
        return work.layer[key], not is_quick(work, key), task.status != "active", -task.weight

    return sorted(tasks, key=rank)
