"""Student's t distribution without a library of statistics: the base installation has none.

By the continued fraction of the incomplete beta function (Abramowitz & Stegun, Handbook of Mathematical
Functions, 26.5.8 and 26.7.1), evaluated by Lentz's method; the quantile by bisection.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

_TINY = 1e-300
_STEPS = 300
_PRECISION = 1e-14


def t_above(value: float, freedom: int) -> float:
    """The chance of a value above this one."""
    if value < 0:
        return 1.0 - t_above(-value, freedom)
    return 0.5 * incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5)


@lru_cache(maxsize=4096)
def t_quantile(chance: float, freedom: int) -> float:
    """The value below which a share `chance`, above one half, of the distribution lies."""
    low, high = 0.0, 1.0
    while t_above(high, freedom) > 1 - chance:
        high *= 2
    for _ in range(100):
        centre = (low + high) / 2
        low, high = (centre, high) if t_above(centre, freedom) > 1 - chance else (low, centre)
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, for 0 <= x <= 1."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    result = d
    for step in range(1, _STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for part in (even, odd):
            d = 1.0 / _away(1.0 + part * d)
            c = _away(1.0 + part / c)
            result *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return result


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
