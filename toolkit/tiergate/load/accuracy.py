"""How often a router chose the tier that the sealed service time calls for, and what guesses reach."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from tiergate.record import Control, Interval, RoutingError
from tiergate.routing import TIERS, RequestFacts, Tier

SAMPLES = 4000
PAYLOAD_BINS = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """A request with a sure label, and the tier that was chosen for it."""

    facts: RequestFacts
    label: Tier
    chosen: Tier


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one confusion matrix, each 0..1."""

    accuracy: float
    balanced_accuracy: float
    macro_f1: float


def confusion(judged: Sequence[Judged]) -> np.ndarray:
    """Counts: row, the tier it belongs in; column, the tier chosen; both in the order of `TIERS`."""
    matrix = np.zeros((len(TIERS), len(TIERS)), dtype=int)
    for request in judged:
        matrix[TIERS.index(request.label), TIERS.index(request.chosen)] += 1
    return matrix


def scores(matrix: np.ndarray) -> Scores:
    """Accuracy, mean recall and mean F1 over the tiers that occur among the labels.

    Raises:
        ValueError: the matrix is empty.
    """
    totals = matrix.sum(axis=1)
    if not totals.sum():
        raise ValueError("no request was judged")
    occurring = totals > 0
    hits = np.diag(matrix)
    recall = hits[occurring] / totals[occurring]
    f1 = 2 * hits[occurring] / (totals + matrix.sum(axis=0))[occurring]
    return Scores(float(hits.sum() / totals.sum()), float(recall.mean()), float(f1.mean()))


def score_intervals(judged: Sequence[Judged], seed: int) -> dict[str, Interval]:
    """95 % credible intervals of the scores.

    The posterior of each row of the confusion matrix is a Dirichlet distribution (for balanced accuracy:
    Brodersen et al., The balanced accuracy and its posterior distribution, 2010; prior 1/3 per cell, after
    Perks 1947), so that a tier in which nothing went wrong yet is not taken for one in which nothing can.
    Requests of one operation on one session resemble each other: each row counts as many requests as it has
    such groups. The posterior of a score at its maximum lies below it; the interval reaches up to the score.
    """
    random = np.random.default_rng(seed)
    matrix = confusion(judged)
    weights = _groups(judged) / np.maximum(matrix.sum(axis=1), 1)
    rows = [row for row in range(len(TIERS)) if matrix[row].sum()]
    drawn = np.zeros((SAMPLES, len(TIERS), len(TIERS)))
    for row in rows:
        shares = random.dirichlet(matrix[row] * weights[row] + 1 / len(TIERS), size=SAMPLES)
        drawn[:, row, :] = shares * matrix[row].sum()
    hits = np.diagonal(drawn, axis1=1, axis2=2)[:, rows]
    belongs = matrix.sum(axis=1)[rows]
    chosen = drawn.sum(axis=1)[:, rows]
    samples = {
        "accuracy": hits.sum(axis=1) / belongs.sum(),
        "balanced_accuracy": (hits / belongs).mean(axis=1),
        "macro_f1": (2 * hits / (belongs + chosen)).mean(axis=1),
    }
    found = asdict(scores(matrix))
    return {name: _middle(values, found[name]) for name, values in samples.items()}


def _groups(judged: Sequence[Judged]) -> np.ndarray:
    """Per tier of the label: how many different pairs of operation and session there are."""
    groups: dict[Tier, set[tuple[str, str | int]]] = defaultdict(set)
    for request in judged:
        facts = request.facts
        groups[request.label].add((facts.operation, facts.session or facts.request))
    return np.array([len(groups[tier]) for tier in TIERS])


def _middle(values: np.ndarray, score: float) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return min(float(low), score), max(float(high), score)


def errors(judged: Sequence[Judged]) -> list[RoutingError]:
    """The wrong choices by operation and tiers, most frequent first."""
    wrong = [request for request in judged if request.label != request.chosen]
    counts = Counter((request.facts.operation, request.label, request.chosen) for request in wrong)
    example = {
        (request.facts.operation, request.label, request.chosen): request.facts.request
        for request in reversed(wrong)
    }
    return [
        RoutingError(operation=key[0], belongs=key[1], chosen=key[2], requests=count, example=example[key])
        for key, count in counts.most_common()
    ]


def control(
    name: str, facts: Sequence[RequestFacts], labels: Sequence[Tier], chosen: Sequence[Tier]
) -> Control:
    """The scores of a guess."""
    judged = [Judged(*one) for one in zip(facts, labels, chosen, strict=True)]
    found = scores(confusion(judged))
    return Control(
        name=name,
        accuracy=found.accuracy,
        balanced_accuracy=found.balanced_accuracy,
        macro_f1=found.macro_f1,
    )


def majority(training: Sequence[Tier], count: int) -> list[Tier]:
    """The most frequent tier of the training trace, for every request."""
    return [Counter(training).most_common(1)[0][0]] * count


def by_payload_size(training: Sequence[tuple[int, Tier]], payloads: Sequence[int]) -> list[Tier]:
    """The tier that is most over-represented among training requests with a payload of that size.

    The best that the number of payload bytes alone can do for balanced accuracy, in eight even bins.
    """
    edges = np.unique(np.quantile([size for size, _ in training], np.linspace(0, 1, PAYLOAD_BINS + 1)[1:-1]))
    totals = Counter(tier for _, tier in training)
    bins: dict[int, Counter[Tier]] = defaultdict(Counter)
    for size, tier in training:
        bins[int(np.searchsorted(edges, size))][tier] += 1
    fallback = totals.most_common(1)[0][0]
    guess = {
        number: max(TIERS, key=lambda tier: found[tier] / totals[tier] if totals[tier] else -1.0)
        for number, found in bins.items()
    }
    return [guess.get(int(np.searchsorted(edges, size)), fallback) for size in payloads]
