"""The open tasks of all sessions, and what each waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from tiergate.model import Session, Status, Task
from tiergate.reconcile.roadmap import estimates
from tiergate.reconcile_record import Estimate

Key = tuple[str, str]
"""A session and a task of it."""

OPEN = frozenset({Status.QUEUED, Status.ACTIVE, Status.BLOCKED})


class Work:
    """Everything that is left to do, in an order that keeps to the dependencies.

    A task that another one carries on stands for that one: who waits for it waits for the other.

    Attributes:
        tasks: the open tasks.
        waits_for: by task, the open ones that it waits for directly.
        broken: dependencies that were passed over, because they close a circle.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.all = {(session.id, task.id): task for session in sessions for task in session.tasks}
        self.tasks: dict[Key, Task] = {key: task for key, task in self.all.items() if task.status in OPEN}
        wanted = {key: self._needs(key) for key in self.tasks}
        self.broken: list[tuple[Key, Key]] = []
        self.order, self.waits_for = self._ordered(wanted)
        self.layer: dict[Key, int] = {}
        for key in self.order:
            self.layer[key] = 1 + max((self.layer[one] for one in self.waits_for[key]), default=-1)
        usual = median(task.weight for task in self.tasks.values()) if self.tasks else 1.0
        self.estimates: dict[Key, Estimate] = {
            key: estimates.of_task(task, usual) for key, task in self.tasks.items()
        }

    def carried_on_by(self, key: Key) -> Key:
        """The task that carries a task on, itself where none does."""
        seen = set()
        while key not in seen:
            seen.add(key)
            merged = self.all[key].extra.get("merged_into") if key in self.all else None
            if not isinstance(merged, dict):
                break
            into = (str(merged.get("session", key[0])), str(merged.get("task", "")))
            if into not in self.all:
                break
            key = into
        return key

    def _needs(self, key: Key) -> list[Key]:
        found: dict[Key, None] = {}
        for needed in self.all[key].dependencies:
            one = self.carried_on_by((key[0], needed))
            # A task that waits for itself is a circle; one that waited for what it now carries on is none.
            if one in self.tasks and (one != key or needed == key[1]):
                found[one] = None
        return list(found)

    def _ordered(self, wanted: Mapping[Key, list[Key]]) -> tuple[list[Key], dict[Key, list[Key]]]:
        """The tasks behind what they wait for, by searching the depths of the tasks as they are given.

        A dependency on a task that the search is still inside of closes a circle, and no other one does
        (Cormen et al., Introduction to Algorithms, 3rd ed., section 22.4): these alone are passed over.
        """
        order: list[Key] = []
        waits_for: dict[Key, list[Key]] = {}
        inside: set[Key] = set()
        for first in wanted:
            if first in waits_for:
                continue
            waits_for[first] = []
            inside.add(first)
            path = [(first, iter(wanted[first]))]
            while path:
                key, needs = path[-1]
                one = next(needs, None)
                if one is None:
                    path.pop()
                    inside.remove(key)
                    order.append(key)
                elif one in inside:
                    self.broken.append((key, one))
                else:
                    waits_for[key].append(one)
                    if one not in waits_for:
                        waits_for[one] = []
                        inside.add(one)
                        path.append((one, iter(wanted[one])))
        return order, waits_for

    def critical_path(self) -> list[Key]:
        """The chain of tasks, each waiting for the one before, that is likely to take longest."""
        length: dict[Key, float] = {}
        before: dict[Key, Key | None] = {}
        for key in self.order:
            longest = max(self.waits_for[key], key=lambda one: (length[one], one), default=None)
            before[key] = longest
            length[key] = self.estimates[key].likely_h + (length[longest] if longest is not None else 0.0)
        last: Any = max(length, key=lambda key: (length[key], key), default=None)
        path: list[Key] = []
        while last is not None:
            path.append(last)
            last = before[last]
        return path[::-1]
