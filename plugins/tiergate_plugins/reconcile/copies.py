"""Exact copies, which are settled before anything is ranked.

Of a text that stands as often in one place as in another, the copies are paired in order. Where it stands
more often in one, which is which cannot be known, and nothing is said. A text in many sessions of one source,
such as "write tests", is work of each of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from tiergate.matching import Match, MatchKind, TaskRef
from tiergate.model import Status
from tiergate_plugins.reconcile.texts import Item

CERTAIN = 0.999
UNSURE = 0.5
CLOSED = frozenset({Status.COMPLETED, Status.ABANDONED})
_DIGITS = re.compile(r"([0-9]+)")
_FEW_SESSIONS = 2


class Copies:
    """Groups of equal texts of some items.

    Attributes:
        firsts: of each group, one item of each place; these are left to be ranked.
        matches: the copies that were settled.
        review: copies in one session of which one is closed: a step that is done anew for each release has
            the words of the last one.
        paired: the references of each pair of these that is one task.
        taken: tasks that have a partner in a source by that.
        unsettled: tasks of a text of which it cannot be told which copy in another place is theirs.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.firsts: list[Item] = []
        self.matches: list[Match] = []
        self.review: list[Match] = []
        self.paired: set[tuple[TaskRef, TaskRef]] = set()
        self.taken: set[tuple[TaskRef, str]] = set()
        self.unsettled: set[TaskRef] = set()
        groups = list(_groups(items, lambda item: item.text))
        for group in groups:
            if len(group) == 1:
                self.firsts.append(group[0])
                continue
            for exact in _groups(group, lambda item: item.raw):
                self._pair(exact, "title and notes are equal")
            self._pair(group, "title and notes are equal but for case and punctuation")
            for members in _groups(group, lambda item: item.place):
                self.firsts.append(members[0])
                self._inside(members)
        self.firsts += [item for item in items if not item.text]

    def _inside(self, members: Sequence[Item]) -> None:
        first = members[0]
        for other in members[1:]:
            if first.status in CLOSED or other.status in CLOSED:
                why = "title and notes are equal, and one is closed: done twice, or done anew?"
                self.review.append(_match(first, other, MatchKind.DUPLICATE, why, UNSURE))
            else:
                self.matches.append(_match(first, other, MatchKind.DUPLICATE, "title and notes are equal"))

    def _pair(self, group: Sequence[Item], reason: str) -> None:
        if len(group) == 1:
            return
        by_source = [list(members) for members in _groups(group, lambda item: item.ref.source)]
        for one, other in combinations(by_source, 2):
            for session in sorted({item.ref.session for item in one} & {item.ref.session for item in other}):
                within = [[item for item in side if item.ref.session == session] for side in (one, other)]
                self._zip(within[0], within[1], reason)
            self._zip(one, other, reason)
        for members in by_source:
            places = list(_groups(members, lambda item: item.place))
            if len(places) == _FEW_SESSIONS:
                self._zip(places[0], places[1], reason)

    def _zip(self, one: Iterable[Item], other: Iterable[Item], reason: str) -> None:
        """Pair what is left of two lists, where they are equally long."""
        first, second = list(one), list(other)
        if not first or not second:
            return
        left = self._left(first, second[0].ref.source), self._left(second, first[0].ref.source)
        if len(left[0]) != len(left[1]):
            self.unsettled |= {item.ref for side in left for item in side}
            return
        for a, b in zip(*left, strict=True):
            self.matches.append(_match(a, b, MatchKind.SAME, reason))
            self.paired.add((self.matches[-1].a, self.matches[-1].b))
            self.taken |= {(a.ref, b.ref.source), (b.ref, a.ref.source)}

    def _left(self, items: Sequence[Item], source: str) -> list[Item]:
        left = [item for item in items if (item.ref, source) not in self.taken]
        return sorted(left, key=lambda item: (item.status, _natural(item.ref.task)))


def _groups(items: Iterable[Item], key: Callable[[Item], object]) -> Iterator[list[Item]]:
    groups: dict[object, list[Item]] = defaultdict(list)
    for item in items:
        if item.text:
            groups[key(item)].append(item)
    yield from groups.values()


def _natural(name: str) -> list[tuple[int, str]]:
    """An id as it is counted: 10 after 9."""
    parts = _DIGITS.split(name)
    return [_counted(part) if place % 2 else (0, part) for place, part in enumerate(parts)]


def _counted(digits: str) -> tuple[int, str]:
    """A number in the order of its size; one of thousands of digits is not made an integer."""
    plain = digits.lstrip("0")
    return len(plain), plain


def _match(one: Item, other: Item, kind: MatchKind, reason: str, likely: float = CERTAIN) -> Match:
    a, b = sorted((one.ref, other.ref))
    return Match(a=a, b=b, kind=kind, score=1.0, probability=likely, reason=reason)
