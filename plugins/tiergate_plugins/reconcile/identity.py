"""Tasks of one id: the same where their texts agree, a collision elsewhere.

An id stands for one task within its session, or within its source where that is one session. Beyond it, only
an id that nobody would count up to, such as ``bd-a1b2``, is expected to.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from tiergate.matching import Match, MatchKind, TaskRef
from tiergate_plugins.reconcile.copies import CERTAIN
from tiergate_plugins.reconcile.grams import vectors
from tiergate_plugins.reconcile.scorer import title_likeness
from tiergate_plugins.reconcile.texts import Item

_COUNTED = re.compile(r"[\W_]*[a-z]{0,6}[\W_]*\d+(?:\.\d+)*", re.IGNORECASE)
_AGREE = 0.6
"""Likeness from which tasks of one id are one task that was reworded. An id that is given again meets a title
of other words; a title that is reworded keeps most of them."""

_STEEP = 12.0


def same_ids(items: Sequence[Item], paired: Collection[tuple[TaskRef, TaskRef]]) -> Iterator[Match]:
    """Every pair of neighbours in the list of those with one id.

    Args:
        items: sorted.
        paired: pairs that are settled.
    """
    pairs = [
        (one, other)
        for group in _by_id(items)
        for one, other in pairwise(group)
        if one.place != other.place and (one.ref, other.ref) not in paired
    ]
    if not pairs:
        return
    weighed = vectors([item.compared for pair in pairs for item in pair])
    cosines = weighed[::2].multiply(weighed[1::2]).sum(axis=1).A1
    for (one, other), cosine in zip(pairs, cosines.tolist(), strict=True):
        yield _judged(one, other, min(cosine, 1.0))


def _by_id(items: Sequence[Item]) -> Iterator[list[Item]]:
    sessions: dict[str, set[str]] = defaultdict(set)
    for item in items:
        sessions[item.ref.source].add(item.ref.session)
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        is_local = _COUNTED.fullmatch(item.ref.task) is not None and len(sessions[item.ref.source]) > 1
        groups[item.ref.task, item.ref.session if is_local else ""].append(item)
    yield from groups.values()


def _judged(one: Item, other: Item, cosine: float) -> Match:
    if one.text == other.text:  # both fold to nothing, as signs alone do: what is written decides
        title = cosine = 1.0 if one.raw == other.raw else 0.0
    else:
        title = title_likeness(one, other)
    alike = max(title, cosine)
    likely = min(1 / (1 + math.exp(_STEEP * (_AGREE - alike))), CERTAIN)
    why = f"titles {title:.0%} alike, title and notes {cosine:.0%}"
    if alike >= _AGREE:
        return _match(one, other, MatchKind.SAME, cosine, likely, f"one id, {why}")
    return _match(one, other, MatchKind.COLLISION, cosine, 1 - likely, f"one id on two texts: {why}")


def _match(one: Item, other: Item, kind: MatchKind, score: float, likely: float, why: str) -> Match:
    return Match(a=one.ref, b=other.ref, kind=kind, score=score, probability=likely, reason=why)
