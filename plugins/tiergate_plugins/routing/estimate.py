"""Estimates of service time from what the training trace showed.

For each operation and scope a line, ``seconds = fixed + per_byte * bytes read``, fitted by the
Theil-Sen estimator (Sen, Estimates of the regression coefficient based on Kendall's tau, 1968): the
median of the slopes between pairs, which up to 29 % of outliers cannot move far. A slope below
zero is taken as none: reading more never costs less.
Where the training trace shows a single size only, as it does for what reads the whole store, time is
taken as proportional to bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from tiergate.routing import Observation, RequestFacts
from tiergate_plugins.routing.expectation import Estimator, Expectation

MAX_POINTS = 60
"""Points a line is fitted to; the number of pairs grows with the square."""


@dataclass(frozen=True, slots=True)
class Line:
    """Expected seconds for a number of bytes read."""

    fixed_s: float
    per_byte_s: float

    def at(self, read_bytes: int) -> float:
        """Expected service time in seconds."""
        return max(0.0, self.fixed_s + self.per_byte_s * read_bytes)


class ServiceTimeEstimate(Estimator):
    """Expected service time of a request, by operation and scope. Does not learn from what follows."""

    def __init__(self, training: Sequence[Observation]) -> None:
        points: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
        for seen in training:
            points[_key(seen.facts)].append((seen.facts.read_bytes, seen.service_s))
        self._lines = {key: fit_line(found) for key, found in points.items()}
        self._fallback = median(seen.service_s for seen in training) if training else 0.0

    def expect(self, facts: RequestFacts) -> Expectation:
        """The line's service time; that of the median request for an operation never seen."""
        line = self._lines.get(_key(facts))
        if line is None:
            return Expectation(self._fallback, basis="the median request, as this operation was never seen")
        return Expectation(line.at(facts.read_bytes), basis="the line of this operation and scope")


def fit_line(points: Sequence[tuple[int, float]]) -> Line:
    """The Theil-Sen line through at least one point of bytes and seconds."""
    chosen = sorted(points)[:: max(1, len(points) // MAX_POINTS)]
    sizes = {x for x, _ in points}
    if len(sizes) == 1 and (only := sizes.pop()) > 0:
        return Line(0.0, median(y for _, y in points) / only)
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(chosen, 2) if x1 != x2]
    slope = max(0.0, median(slopes)) if slopes else 0.0
    return Line(median(y - slope * x for x, y in points), slope)


def _key(facts: RequestFacts) -> tuple[str, str]:
    return facts.operation, facts.scope.value
