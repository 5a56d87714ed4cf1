"""Matching: copies, then ids whose texts agree, then the nearest pairs one to one, then a list for review."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.matching import Match, Matched, MatchKind, Plan, Progress, TaskRef
from tiergate_plugins.reconcile.copies import Copies
from tiergate_plugins.reconcile.identity import same_ids
from tiergate_plugins.reconcile.neighbours import nearest
from tiergate_plugins.reconcile.pairing import across, within
from tiergate_plugins.reconcile.texts import items_of


def match(plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
    """Match every task of the plans with the others. See `tiergate.matching.Matcher`."""
    said = progress or (lambda _step, _done, _total: None)
    items = items_of(plans)
    said("texts", len(items), len(items))
    copies = Copies(items)
    by_id = [
        found
        for found in same_ids(items, copies.paired)
        if found.kind is MatchKind.COLLISION
        or not {(found.a, found.b.source), (found.b, found.a.source)} & copies.taken
    ]
    taken = copies.taken.union(
        *(
            {(found.a, found.b.source), (found.b, found.a.source)}
            for found in by_id
            if found.kind is MatchKind.SAME
        )
    )
    firsts = copies.firsts
    near = nearest(
        [item.compared for item in firsts],
        [item.ref.source for item in firsts],
        lambda done: said("neighbours", done, len(firsts)),
    )
    matches = [*copies.matches, *by_id, *across(firsts, near, taken, copies.unsettled)]
    said("pairs", len(firsts), len(firsts))
    return Matched(
        matches=tuple(sorted(matches, key=lambda found: (found.a, found.b))),
        review=tuple(sorted([*copies.review, *within(firsts, near)], key=_likeliest_first)),
    )


def _likeliest_first(one: Match) -> tuple[float, TaskRef, TaskRef]:
    return -one.probability, one.a, one.b
