"""The tasks and sessions that a decision tree names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from tiergate.errors import UsageError, unknown_name
from tiergate.reconcile.grouping import Tasks
from tiergate.reconcile_record import TaskRef


class Places:
    """Finds what ``SESSION/TASK`` and ``SESSION/*`` name, in every source that has it.

    Args:
        at: the place of a text that stands at or after a line, for errors.
    """

    def __init__(self, at: Callable[[int, str], str], tasks: Tasks) -> None:
        self.at = at
        self.tasks = tasks
        self._sessions: dict[str, list[TaskRef]] = defaultdict(list)
        for ref in tasks:
            self._sessions[ref.session].append(ref)

    def named(self, selectors: Iterable[str], line: int) -> list[TaskRef]:
        """The tasks that selectors name, each once, in the order of the references.

        Raises:
            UsageError: one names nothing.
        """
        found: set[TaskRef] = set()
        for selector in selectors:
            found.update(self._one(selector, line))
        return sorted(found)

    def session(self, name: str, line: int) -> TaskRef:
        """The first task of a session, by whose source and session it is known.

        Raises:
            UsageError: there is no such session, or it has no task.
        """
        return self._of_session(name, line)[0]

    def _of_session(self, name: str, line: int) -> list[TaskRef]:
        if name not in self._sessions:
            raise unknown_name("session", name, self._sessions, where=self.at(line, name))
        return sorted(self._sessions[name])

    def _one(self, selector: str, line: int) -> list[TaskRef]:
        where = self.at(line, selector)
        splits = [match.start() for match in re.finditer("/", selector)]
        if not splits:
            raise UsageError(
                f"{selector!r} names no task", where=where, hint='write "SESSION/TASK" or "SESSION/*"'
            )
        for split in splits:  # ids may have slashes of their own
            session, task = selector[:split], selector[split + 1 :]
            if session in self._sessions:
                refs = self._of_session(session, line)
                found = refs if task == "*" else [ref for ref in refs if ref.task == task]
                if found:
                    return found
        session, task = selector[: splits[0]], selector[splits[0] + 1 :]
        known = self._of_session(session, line)
        raise unknown_name(f"task of session {session!r}:", task, {ref.task for ref in known}, where=where)


def slug(title: str) -> str:
    """An id made of a title."""
    return "-".join(re.findall(r"\w+", title.casefold()))[:60].strip("-") or "task"
