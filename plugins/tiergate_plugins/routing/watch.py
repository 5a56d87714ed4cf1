"""The traffic as a router sees it pass: a histogram on a log scale that forgets.

Requests are counted where the router *expected* them, and what they took is added there: so the work of a
tier is known for any cut-offs, also for those that were not tried. Weights grow with time instead of sums
that shrink (Cormode et al., Forward decay, 2009).
"""

from __future__ import annotations

from math import exp, log2

import numpy as np

from tiergate.tiering import Traffic

REMEMBERS_S = 30.0
"""Seconds over which the weight of what was seen decays to 1/e."""

PER_OCTAVE = 4
"""Classes for each doubling of the expected time."""

SHORTEST_S = 2.0**-20
CLASSES = 40 * PER_OCTAVE
"""From a microsecond to twelve days; what lies outside counts in the first or last class. A class is held
against cut-offs by the mean of what was expected in it."""

_RESCALE_S = 200 * REMEMBERS_S


class Watch:
    """Rates and service times by expected time."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._zero = 0.0
        self._before = 0.0
        self._arrived = [0.0] * CLASSES
        self._expected = [0.0] * CLASSES
        self._served = [0.0] * CLASSES
        self._seconds = [0.0] * CLASSES
        self._squares = [0.0] * CLASSES

    def arrived(self, expected_s: float, now: float) -> None:
        """A request arrives that is expected to take so long."""
        if self._began is None:
            self._began = self._zero = now
        weight = self._weight(now)
        number = class_of(expected_s)
        self._arrived[number] += weight
        self._expected[number] += weight * expected_s

    def served(self, expected_s: float, service_s: float, now: float) -> None:
        """A request that was expected to take so long took `service_s`."""
        weight = self._weight(now)
        number = class_of(expected_s)
        self._served[number] += weight
        self._seconds[number] += weight * service_s
        self._squares[number] += weight * service_s * service_s

    def traffic(self, now: float) -> Traffic | None:
        """What passed of late; None before anything arrived, or without time in between.

        A class of which nothing was answered yet is taken to last as long as it was expected to.
        """
        if self._began is None or now <= self._began:
            return None
        weight = self._weight(now)
        # The weighted length of the time that was watched: an integral of the weights.
        seconds = REMEMBERS_S * (1 - exp(-(now - self._began) / REMEMBERS_S))
        arrived, served = np.array(self._arrived), np.array(self._served)
        seen = arrived > 0
        expected = np.array(self._expected)[seen] / arrived[seen]
        answered = np.maximum(served[seen], 1e-300)
        known = served[seen] > 0
        mean = np.where(known, np.array(self._seconds)[seen] / answered, expected)
        square = np.where(known, np.array(self._squares)[seen] / answered, expected**2)
        return Traffic(expected, arrived[seen] / weight / seconds, mean, square, seconds)

    def answered(self, now: float) -> float:
        """How many requests were answered, as far as they are remembered."""
        return sum(self._served) / self._weight(now) if self._began is not None else 0.0

    def _weight(self, now: float) -> float:
        age = now - self._zero
        if age > _RESCALE_S:
            shrink = exp(-age / REMEMBERS_S)
            for values in (self._arrived, self._expected, self._served, self._seconds, self._squares):
                values[:] = [value * shrink for value in values]
            self._zero, age = now, 0.0
        return exp(age / REMEMBERS_S)


def class_of(expected_s: float) -> int:
    """The number of the class of an expected time."""
    if expected_s <= SHORTEST_S:
        return 0
    return min(CLASSES - 1, int(log2(expected_s / SHORTEST_S) * PER_OCTAVE))
