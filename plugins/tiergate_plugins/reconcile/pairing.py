"""Of pairs of near texts: which are one task across places, and which of a session a person should see."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tiergate.matching import Match, MatchKind, TaskRef
from tiergate_plugins.reconcile.copies import CERTAIN
from tiergate_plugins.reconcile.neighbours import Near
from tiergate_plugins.reconcile.scorer import LIKELY, Features, features, probability, reason
from tiergate_plugins.reconcile.texts import Item, name_different_steps

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[tuple[int], Any]

SHOWN = 5
"""Pairs of one task that a person is shown, nearest first."""

_WORTH_SHOWING = 0.2
_BLOCK = 20_000
_NEAR_ENOUGH = 0.15
"""Of the cosine: below, no pair is shown, and none is one task."""


class Assigned(NamedTuple):
    """Two items of which each is the other's, whether they are one task or not."""

    one: Item
    other: Item
    values: Features


def across(
    items: Sequence[Item], near: Near, taken: Collection[tuple[TaskRef, str]], apart: Collection[TaskRef]
) -> Iterator[Match]:
    """Pairs that are one task.

    Args:
        taken: tasks that have a partner in a source already.
        apart: tasks of a text of which it cannot be told which copy is which; they have no partner.
    """
    for one, other, values in assigned(items, near, taken, apart):
        likely = min(probability(values), CERTAIN)
        if likely >= LIKELY:
            yield _match(one, other, MatchKind.SAME, values[0], likely, reason(values))


def assigned(
    items: Sequence[Item],
    near: Near,
    taken: Collection[tuple[TaskRef, str]] = (),
    apart: Collection[TaskRef] = (),
) -> Iterator[Assigned]:
    """Pairs across places, the nearest first, of which each task has one at most in each source.

    Args:
        taken, apart: as for `across`.
    """
    import numpy as np

    places, texts = _numbered(item.place for item in items), _numbered(item.text for item in items)
    sources = _numbered(item.ref.source for item in items)
    numbers = dict(zip((item.ref.source for item in items), sources.tolist(), strict=True))
    many = len(numbers)
    near = _where(
        near,
        (places[near.ones] != places[near.others])
        & (texts[near.ones] != texts[near.others])
        & (near.cosines >= _NEAR_ENOUGH),
    )
    ends = near.ones * many + sources[near.others], near.others * many + sources[near.ones]
    rivals = np.maximum(*_rivals(near, ends))
    used = np.zeros(len(items) * many, bool)
    positions = {item.ref: position for position, item in enumerate(items)}
    for ref in apart:
        if ref in positions:
            used[positions[ref] * many : (positions[ref] + 1) * many] = True
    for ref, name in taken:
        if ref in positions and name in numbers:
            used[positions[ref] * many + numbers[name]] = True
    for place in _free(used, ends):
        first, second = items[near.ones[place]], items[near.others[place]]
        if not name_different_steps(first, second):
            cosine = float(near.cosines[place])
            yield Assigned(first, second, features(first, second, cosine, cosine - float(rivals[place])))


def _free(used: Any, ends: tuple[Numbers, Numbers]) -> Iterator[int]:
    """Positions of the pairs neither end of which is in use when its turn comes; uses them up.

    By far the most pairs are in use after the first blocks, and are passed over many at once.
    """
    import numpy as np

    flags = memoryview(used).cast("B")
    for at in range(0, len(ends[0]), _BLOCK):
        starts, stops = (end[at : at + _BLOCK] for end in ends)
        left = np.flatnonzero(~(used[starts] | used[stops]))
        for place, start, stop in zip(
            (left + at).tolist(), starts[left].tolist(), stops[left].tolist(), strict=True
        ):
            if not (flags[start] or flags[stop]):
                flags[start] = flags[stop] = True
                yield place


def within(items: Sequence[Item], near: Near) -> list[Match]:
    """Near pairs inside one session; of each task those that are among its `SHOWN` nearest.

    Steps of one template are left out, which would hide the others.
    """
    places = _numbered(item.place for item in items)
    near = _where(near, (places[near.ones] == places[near.others]) & (near.cosines >= _WORTH_SHOWING))
    shown = [0] * len(items)
    found = []
    for one, other, cosine in zip(*(part.tolist() for part in near), strict=True):
        if min(shown[one], shown[other]) >= SHOWN or name_different_steps(items[one], items[other]):
            continue
        shown[one] += 1
        shown[other] += 1
        values = features(items[one], items[other], cosine)
        likely = min(probability(values), CERTAIN)
        found.append(_match(items[one], items[other], MatchKind.DUPLICATE, cosine, likely, reason(values)))
    return found


def _numbered(values: Iterable[Hashable]) -> Numbers:
    """A number for each value, the same for equal ones, counted as they first come."""
    import numpy as np

    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _where(near: Near, mask: Numbers) -> Near:
    return Near(near.ones[mask], near.others[mask], near.cosines[mask])


def _rivals(near: Near, ends: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """By pair, from either end: the cosine of the nearest other candidate in that source; 0 without one."""
    import numpy as np

    both = np.concatenate(ends)
    cosines = np.concatenate([near.cosines, near.cosines])
    order = np.lexsort((-cosines, both))
    sorted_ends, sorted_cosines = both[order], cosines[order]
    first = np.r_[True, sorted_ends[1:] != sorted_ends[:-1]] if len(order) else np.zeros(0, bool)
    begins = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    follows = np.r_[sorted_ends[1:] == sorted_ends[:-1], False] if len(order) else np.zeros(0, bool)
    second = np.where(follows[begins], sorted_cosines[np.minimum(begins + 1, len(order) - 1)], 0.0)
    rivals = np.empty(len(order), near.cosines.dtype)
    rivals[order] = np.where(first, second[group], sorted_cosines[begins][group])
    return rivals[: len(near.ones)], rivals[len(near.ones) :]


def _match(one: Item, other: Item, kind: MatchKind, score: float, likely: float, why: str) -> Match:
    a, b = sorted((one.ref, other.ref))
    return Match(a=a, b=b, kind=kind, score=score, probability=likely, reason=why)
