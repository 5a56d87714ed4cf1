"""Task ids of Backlog.md, which people write in several ways.

``task-24.1``, ``TASK-24.1``, ``24.1`` and, in a project whose prefix is ``back``, ``BACK-24.1`` are
one task; ``BACK-24.01`` is too, unless the project has that as well. Drafts count on their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"(?:(?P<prefix>[a-z][a-z0-9_]*)-)?(?P<number>[0-9]+(?:\.[0-9]+)*)")
_USUAL_PREFIXES = frozenset({"task", ""})


class IdIndex:
    """Finds the id that a reference means among the ids of a project.

    Args:
        ids: ids in the order of preference.
        prefix: the project's own prefix of tasks, without the hyphen.
    """

    def __init__(self, ids: Iterable[str], prefix: str) -> None:
        self._prefixes = _USUAL_PREFIXES | {prefix.casefold()}
        self._exact: dict[str, str] = {}
        self._by_digits: dict[str, str] = {}
        self._by_value: dict[tuple[str, ...], str | None] = {}
        for identity in ids:
            self._exact.setdefault(identity.casefold(), identity)
            digits = self._digits(identity)
            if digits is not None:
                self._by_digits.setdefault(digits, identity)
                # None marks a number that several ids write differently.
                known = self._by_value.setdefault(_value(digits), identity)
                if known != identity:
                    self._by_value[_value(digits)] = None

    def find(self, reference: str) -> str | None:
        """The id that is meant; None where there is none, or where several could be meant."""
        reference = reference.strip()
        exact = self._exact.get(reference.casefold())
        if exact is not None:
            return exact
        digits = self._digits(reference)
        if digits is None:
            return None
        return self._by_digits.get(digits) or self._by_value.get(_value(digits))

    def _digits(self, text: str) -> str | None:
        found = _NUMBER.fullmatch(text.casefold())
        if found is None or (found["prefix"] or "") not in self._prefixes:
            return None
        return found["number"]


def _value(digits: str) -> tuple[str, ...]:
    return tuple(part.lstrip("0") for part in digits.split("."))
