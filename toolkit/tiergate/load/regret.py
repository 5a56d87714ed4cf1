"""Regret: how much of what a perfect router gains over a shared queue a router leaves on the table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tiergate.load.intervals import around, mean_interval
from tiergate.record import Regret


def regret(router: Sequence[float], oracle: Sequence[float], shared: Sequence[float]) -> Regret:
    """``(router - oracle) / (shared queue - oracle)`` of the mean log slowdown, one value per round each.

    The interval is Fieller's by inversion: the values ``r`` for which the rounds do not reject
    ``router - oracle = r * (shared - oracle)``. Undefined where the interval of the denominator touches 0.
    """
    gains = [ours - best for ours, best in zip(shared, oracle, strict=True)]
    losses = [ours - best for ours, best in zip(router, oracle, strict=True)]
    of_gain = mean_interval(gains)
    if of_gain is None:
        return Regret(value=None, interval=None, reason="one round gives no interval")
    if of_gain[0] <= 0 <= of_gain[1]:
        reason = "the oracle's gain over a shared queue cannot be told from none"
        return Regret(value=None, interval=None, reason=reason)
    if of_gain[1] < 0:
        reason = "the oracle is slower than a shared queue here: parting the tiers does not pay"
        return Regret(value=None, interval=None, reason=reason)
    value = fmean(losses) / fmean(gains)
    return Regret(value=value, interval=around(value, _fieller(losses, gains, value)))


def _fieller(losses: Sequence[float], gains: Sequence[float], value: float) -> tuple[float, float]:
    return _edge(losses, gains, value, -1), _edge(losses, gains, value, 1)


def _edge(losses: Sequence[float], gains: Sequence[float], value: float, direction: int) -> float:
    """The farthest ratio in one direction that is not rejected, by bisection."""

    def is_rejected(ratio: float) -> bool:
        rest = mean_interval([loss - ratio * gain for loss, gain in zip(losses, gains, strict=True)])
        return rest is None or not rest[0] <= 0 <= rest[1]

    step = 0.05
    while not is_rejected(value + direction * step) and step < 1e6:
        step *= 2
    inside, outside = 0.0, step
    for _ in range(50):
        middle = (inside + outside) / 2
        if is_rejected(value + direction * middle):
            outside = middle
        else:
            inside = middle
    return value + direction * inside
