"""How likely two texts are one task: a logistic model of three readable features.

`tiergate_plugins.reconcile.fit` made the coefficients, from product and restaurant lists and no task store.
"""

from __future__ import annotations

import math

from tiergate_plugins.reconcile.texts import Item

Features = tuple[float, float, float]
"""Cosine of n-grams, 0..1; how far it is above that of the best other candidate, where there is one to be
preferred, -1..1; likeness of the titles by their words, 0..1."""

INTERCEPT = -6.232
COEFFICIENTS: Features = (6.889, 3.247, 6.119)

LIKELY = 0.6
"""From this probability on two tasks are held to be one: a false match, which merges what is not the same,
costs half as much again as a miss, which leaves a pair for review."""


def features(one: Item, other: Item, cosine: float, margin: float = 0.0) -> Features:
    """The features of a pair; the order of the two does not matter.

    Args:
        margin: cosine less that of the best other candidate of either.
    """
    return cosine, margin, title_likeness(one, other)


def title_likeness(one: Item, other: Item) -> float:
    """How much of their words the titles share, 0..1, in whatever order.

    Half of it is the likeness of what they share, which a short title has wholly with any that holds its
    words; the other half that of all their words.
    """
    from rapidfuzz import fuzz

    first, second = sorted((one.title, other.title))
    return float(fuzz.token_set_ratio(first, second) + fuzz.token_sort_ratio(first, second)) / 200


def probability(
    values: Features, intercept: float = INTERCEPT, coefficients: Features = COEFFICIENTS
) -> float:
    """That the two are one task."""
    total = intercept + sum(weight * value for weight, value in zip(coefficients, values, strict=True))
    return 1 / (1 + math.exp(-total))


def reason(values: Features) -> str:
    """The features in words."""
    cosine, margin, title = values
    said = f"titles {title:.0%} alike, title and notes {cosine:.0%}"
    if margin > 0:
        return f"{said}, {margin:.0%} more than any other"
    return said
