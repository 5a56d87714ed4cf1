"""Exact copies, which are settled before anything is ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from tiergate.matching import Match, MatchKind
from tiergate_plugins.reconcile.texts import Item

CERTAIN = 0.999


class Collapsed(msgspec.Struct, frozen=True):
    """Items that are left to rank, and what was settled.

    Attributes:
        within: of each group of copies, one item of each session.
        matches: the copies.
    """

    within: list[Item]
    matches: list[Match]


def collapse(items: Sequence[Item]) -> Collapsed:
    """Settle items of equal, not empty text.

    The n-th copy of one session and the n-th of another are one task, so that a list that repeats a text
    keeps its pairs; further copies in one session are duplicates of its first.
    """
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.text:
            groups[item.text].append(item)
    within: list[Item] = []
    matches: list[Match] = []
    for group in groups.values():
        places: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in group:
            places[item.place].append(item)
        within += [members[0] for members in places.values()]
        matches += _copies(list(places.values()))
    return Collapsed(within, matches)


def _copies(places: list[list[Item]]) -> Iterator[Match]:
    first = places[0]
    for members in places:
        yield from (_match(members[0], other, MatchKind.DUPLICATE) for other in members[1:])
    for members in places[1:]:
        yield from (_match(one, other, MatchKind.SAME) for one, other in zip(first, members, strict=False))


def _match(one: Item, other: Item, kind: MatchKind) -> Match:
    a, b = sorted((one.ref, other.ref))
    reason = "title and notes are equal but for case and punctuation"
    return Match(a=a, b=b, kind=kind, score=1.0, probability=CERTAIN, reason=reason)
