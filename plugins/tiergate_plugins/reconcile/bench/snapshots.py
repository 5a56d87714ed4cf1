"""Snapshots of one task store, of which the ids are hidden: precision, recall, calibration.

The ids say which tasks are the same. Some issues were entered twice under two ids: pairs of which both titles
name one issue of another tracker (``GH#517``) are counted as the same in rows of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from tiergate.matching import MatchKind
from tiergate.record import BenchRow
from tiergate_plugins.reconcile.bench.data import SNAPSHOTS, Issue, hidden, issues
from tiergate_plugins.reconcile.bench.resampling import interval, row, share
from tiergate_plugins.reconcile.matcher import match

_REFERENCE = re.compile(r"\b[A-Z]{2,}#\d+\b")
_BINS = 10


class Judged(NamedTuple):
    """A task of the first snapshot: what was found for it, and whether that is right."""

    found: bool
    right: bool
    by_reference: bool
    has_partner: bool
    exact: bool
    exact_right: bool
    probability: float


def rows(folder: Path) -> Iterator[BenchRow]:
    """Rows of each pair of snapshots, and the calibration over all of them."""
    everything: list[Judged] = []
    for one, other in combinations(SNAPSHOTS, 2):
        judged = judge(issues(folder, one), issues(folder, other))
        everything += judged
        yield from _pair(f"beads {one[5:]} to {other[5:]}", judged)
    yield _calibration([one for one in everything if one.found])


def judge(mine: Sequence[Issue], theirs: Sequence[Issue]) -> list[Judged]:
    """Match two snapshots, and hold every task of the first against the ids."""
    first, real = hidden("a", mine, 1)
    second, also = hidden("b", theirs, 2)
    partner: dict[str, tuple[str, float]] = {}
    for one in match([first, second]).matches:
        if one.kind is MatchKind.SAME and one.a.source == "a" and one.b.source == "b":
            partner[real[one.a.task]] = (also[one.b.task], one.probability)
    titles = {issue.id: issue.title for issue in theirs}
    exact = _by_title(mine, theirs)
    judged = []
    for issue in mine:
        found, probability = partner.get(issue.id, ("", 0.0))
        references = set(_REFERENCE.findall(issue.title))
        judged.append(
            Judged(
                found=bool(found),
                right=found == issue.id,
                by_reference=bool(references & set(_REFERENCE.findall(titles.get(found, "")))),
                has_partner=issue.id in titles,
                exact=issue.id in exact,
                exact_right=exact.get(issue.id) == issue.id,
                probability=probability,
            )
        )
    return judged


def _by_title(mine: Sequence[Issue], theirs: Sequence[Issue]) -> dict[str, str]:
    """The plainest way: titles that are equal, and unique in both."""
    sides: list[dict[str, list[str]]] = [defaultdict(list), defaultdict(list)]
    for side, some in zip(sides, (mine, theirs), strict=True):
        for issue in some:
            side[issue.title].append(issue.id)
    return {
        ids[0]: sides[1][title][0]
        for title, ids in sides[0].items()
        if len(ids) == 1 and len(sides[1].get(title, ())) == 1
    }


def precision(units: Sequence[Judged]) -> float:
    """Of what was found, how much is right."""
    return share([one.right for one in units if one.found])


def recall(units: Sequence[Judged]) -> float:
    """Of what has a partner, how much was found."""
    return share([one.right for one in units if one.has_partner])


def corrected(units: Sequence[Judged]) -> float:
    """Precision, where titles that name one issue count as right too."""
    return share([one.right or one.by_reference for one in units if one.found])


def _exact_precision(units: Sequence[Judged]) -> float:
    return share([one.exact_right for one in units if one.exact])


def _exact_recall(units: Sequence[Judged]) -> float:
    return share([one.exact_right for one in units if one.has_partner])


def _pair(name: str, judged: Sequence[Judged]) -> Iterator[BenchRow]:
    for word, figure, plain in (
        ("precision", precision, _exact_precision),
        ("recall", recall, _exact_recall),
    ):
        low, high = interval(judged, lambda units, f=figure, p=plain: f(units) - p(units))  # type: ignore[misc]
        yield row(
            f"{name}: {word}, by ids",
            figure(judged),
            interval(judged, figure),
            least=0.98,
            note=f"exact titles {plain(judged):.3f}; the difference is {low:+.3f} to {high:+.3f}",
            details={"exact_titles": plain(judged), "tasks": float(len(judged))},
        )
    twice = sum(one.found and not one.right and one.by_reference for one in judged)
    yield row(
        f"{name}: precision, where {twice} that were entered twice count as right",
        corrected(judged),
        interval(judged, corrected),
        least=0.98,
        note="both titles name the same issue of another tracker",
    )


def _calibration(found: Sequence[Judged]) -> BenchRow:
    """Expected calibration error: Naeini, Cooper and Hauskrecht (2015), over bins of equal width."""
    return row(
        "beads: expected calibration error of the probabilities",
        _error(found),
        interval(found, _error),
        unit="probability",
        note="; ".join(_reliability(found)),
    )


def _bins(found: Sequence[Judged]) -> dict[int, list[Judged]]:
    bins: dict[int, list[Judged]] = defaultdict(list)
    for one in found:
        bins[min(int(one.probability * _BINS), _BINS - 1)].append(one)
    return bins


def _is_right(one: Judged) -> bool:
    return one.right or one.by_reference


def _error(found: Sequence[Judged]) -> float:
    total = 0.0
    for members in _bins(found).values():
        said = sum(one.probability for one in members) / len(members)
        total += len(members) * abs(said - share([_is_right(one) for one in members]))
    return total / max(1, len(found))


def _reliability(found: Sequence[Judged]) -> Iterator[str]:
    for number, members in sorted(_bins(found).items()):
        right = share([_is_right(one) for one in members])
        yield f"{number / _BINS:.1f} to {(number + 1) / _BINS:.1f}: {right:.2f} of {len(members)}"
