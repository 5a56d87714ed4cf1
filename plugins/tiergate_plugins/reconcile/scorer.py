"""How likely two texts are one task: a logistic model of four readable features.

`tiergate_plugins.reconcile.fit` made the coefficients, from product and restaurant lists and no task store.
"""

from __future__ import annotations

import math

from tiergate_plugins.reconcile.texts import Item, numbers_of

Features = tuple[float, float, float, float]
"""Cosine of n-grams, likeness of titles, common words of titles, agreement of numbers; each 0..1."""

INTERCEPT = -10.573
COEFFICIENTS: Features = (11.159, 0.168, 4.616, 1.541)


def features(one: Item, other: Item, cosine: float) -> Features:
    """The features of a pair; the order of the two does not matter."""
    from rapidfuzz import fuzz

    first, second = sorted((one.title, other.title))
    mine, theirs = numbers_of(first), numbers_of(second)
    either = len(mine | theirs)
    return (
        cosine,
        fuzz.ratio(first, second) / 100,
        fuzz.token_set_ratio(first, second) / 100,
        len(mine & theirs) / either if either else 1.0,
    )


def probability(values: Features) -> float:
    """That the two are one task."""
    total = INTERCEPT + sum(weight * value for weight, value in zip(COEFFICIENTS, values, strict=True))
    return 1 / (1 + math.exp(-total))


def reason(values: Features) -> str:
    """The features in words."""
    cosine, title, _, numbers = values
    said = f"titles {title:.0%} alike, title and notes {cosine:.0%}"
    return said if numbers == 1.0 else f"{said}, numbers differ"
