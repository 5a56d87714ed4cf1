"""Matching: copies, then ids whose texts agree, then mutual best matches, then a list for review."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tiergate.matching import Match, Matched, MatchKind, Plan, Progress, TaskRef
from tiergate_plugins.reconcile.copies import CERTAIN, collapse
from tiergate_plugins.reconcile.neighbours import Neighbours, nearest
from tiergate_plugins.reconcile.scorer import features, probability, reason
from tiergate_plugins.reconcile.texts import Item, items_of, template

_LIKELY = 0.5  # the threshold of least error where a miss and a false match cost the same


def match(plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
    """Match every task of the plans with the others. See `tiergate.matching.Matcher`."""
    say = progress or (lambda _step, _done, _total: None)
    items = items_of(plans)
    say("copies", 0, len(items))
    collapsed = collapse(items)
    settled = {
        ref for found in collapsed.matches if found.kind == MatchKind.SAME for ref in (found.a, found.b)
    }
    by_id = list(_same_ids(items, settled))
    settled |= {ref for found in by_id if found.kind == MatchKind.SAME for ref in (found.a, found.b)}
    say("neighbours", 0, len(collapsed.within))
    near = nearest(collapsed.within)
    say("pairs", len(items), len(items))
    best = _mutual(collapsed.within, near, settled)
    taken = {(found.a, found.b) for found in by_id}
    matches = [*collapsed.matches, *by_id, *(found for found in best if (found.a, found.b) not in taken)]
    review = _review(collapsed.within, near)
    return Matched(
        matches=tuple(sorted(matches, key=lambda found: (found.a, found.b))),
        review=tuple(sorted(review, key=lambda found: (-found.probability, found.a, found.b))),
    )


def _pair(one: Item, other: Item, cosine: float, kind: MatchKind) -> Match:
    values = features(one, other, cosine)
    a, b = sorted((one.ref, other.ref))
    likely = min(probability(values), CERTAIN)
    return Match(a=a, b=b, kind=kind, score=cosine, probability=likely, reason=reason(values))


def _same_ids(items: Sequence[Item], settled: set[TaskRef]) -> Iterator[Match]:
    """Of neighbours in the list of those with one id: the same where texts agree, else a collision."""
    from rapidfuzz import fuzz

    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.ref.task].append(item)
    used: set[TaskRef] = set()
    for group in groups.values():
        for one, other in pairwise(group):
            if one.text == other.text or one.place == other.place:
                continue
            found = _pair(one, other, fuzz.token_set_ratio(one.title, other.title) / 100, MatchKind.SAME)
            if found.probability < _LIKELY:
                yield Match(
                    a=found.a,
                    b=found.b,
                    kind=MatchKind.COLLISION,
                    score=found.score,
                    probability=1 - found.probability,
                    reason=f"one id on two texts: {found.reason}",
                )
            elif not {one.ref, other.ref} & (used | settled):
                used |= {one.ref, other.ref}
                yield found


def _mutual(items: Sequence[Item], near: Neighbours, settled: set[TaskRef]) -> Iterator[Match]:
    """Pairs of which each is the other's best in another session."""
    best: dict[int, tuple[int, float]] = {}
    for row, found in enumerate(near):
        if items[row].ref in settled:
            continue
        apart = [
            (position, cosine)
            for position, cosine in found
            if items[position].place != items[row].place and items[position].ref not in settled
        ]
        if apart:
            best[row] = apart[0]
    for row, (position, cosine) in best.items():
        if row < position and best.get(position, (-1, 0.0))[0] == row:
            pair = _pair(items[row], items[position], cosine, MatchKind.SAME)
            if pair.probability >= _LIKELY:
                yield pair


def _review(items: Sequence[Item], near: Neighbours) -> Iterator[Match]:
    """Near pairs inside one session, without template families, which differ in numbers only."""
    for row, found in enumerate(near):
        for position, cosine in found:
            one, other = items[row], items[position]
            alike = one.title != other.title and template(one.title) == template(other.title)
            if row < position and one.place == other.place and not alike:
                yield _pair(one, other, cosine, MatchKind.DUPLICATE)
