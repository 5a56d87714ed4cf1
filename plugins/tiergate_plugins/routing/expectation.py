"""What is expected of a request's service time, with its uncertainty, and who expects it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import erf, exp, log, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

from tiergate.routing import TIERS, Cutoffs, RequestFacts, Tier

SHORTEST_S = 1e-9
"""Service times below this are taken as this: a logarithm needs one."""

_TWO_SIDED = NormalDist().inv_cdf(0.975)


class Expectation(NamedTuple):
    """The distribution that a request's service time is expected to have.

    Attributes:
        seconds: its median.
        spread: scale of the natural logarithm, which follows Student's t; None when only the median is known.
        freedom: degrees of freedom of that distribution.
        basis: what it was taken from, as part of a sentence.
    """

    seconds: float
    spread: float | None = None
    freedom: float = 1.0
    basis: str = ""

    def tier(self, cutoffs: Cutoffs) -> Tier:
        """The most probable tier; that of the median when the distribution is not known."""
        middle = cutoffs.tier(self.seconds)
        if self.spread is None or middle != "warm":
            return middle  # At the ends half of the probability or more is on the median's side.
        hot, warm, cold = self.chances(cutoffs)
        if hot >= warm and hot >= cold:
            return "hot"
        return "warm" if warm >= cold else "cold"

    def chances(self, cutoffs: Cutoffs) -> tuple[float, float, float]:
        """The probability that the request belongs in each tier, in the order of `TIERS`."""
        if self.spread is None:
            belongs = cutoffs.tier(self.seconds)
            hot, warm, cold = (1.0 if tier == belongs else 0.0 for tier in TIERS)
            return hot, warm, cold
        below_hot = self._below(cutoffs.hot_s)
        below_warm = self._below(cutoffs.warm_s)
        return below_hot, below_warm - below_hot, 1.0 - below_warm

    def factor(self) -> float | None:
        """The service time lies within this factor of the median, either way, with a probability of 95 %."""
        if self.spread is None:
            return None
        freedom = self.freedom
        # The inverse of `student_below`.
        normal = _TWO_SIDED * (8 * freedom + 3) / (8 * freedom + 1)
        quantile = sqrt(freedom * (exp(min(700.0, normal * normal / freedom)) - 1))
        return exp(min(700.0, self.spread * quantile))

    def _below(self, seconds: float) -> float:
        """The probability of a service time below this."""
        spread = self.spread or SHORTEST_S
        return student_below(
            (log(max(seconds, SHORTEST_S)) - log(max(self.seconds, SHORTEST_S))) / spread, self.freedom
        )


def student_below(value: float, freedom: float) -> float:
    """The distribution function of Student's t.

    By Wallace's approximation (Bounds on normal approximations to Student's and the chi-square
    distributions, 1959): off by less than 0.01 from three degrees of freedom on.
    """
    normal = (8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log1p(value * value / freedom))
    return 0.5 * (1 + erf((normal if value > 0 else -normal) / sqrt(2)))


class Estimator(ABC):
    """Expects service times from facts; may learn from what was measured."""

    @abstractmethod
    def expect(self, facts: RequestFacts) -> Expectation:
        """What is expected of this request; changes nothing."""

    def learn(self, facts: RequestFacts, service_s: float) -> None:  # noqa: B027
        """Told what a request took; one that does not learn ignores it."""
