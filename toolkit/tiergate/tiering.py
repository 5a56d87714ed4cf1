"""What a distribution of service times calls for: work per tier, workers per tier, cut-offs.

Pure functions over a `Traffic`; a router gives the one that it watches, a plan the one that was measured.
Work is in workers: seconds of service that arrive in a second. What a tier has to do over the workers it has
is its offered load; at 1 its queue grows for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log

import numpy as np
from numpy.typing import NDArray

from tiergate.routing import TIERS, Cutoffs, Tier

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests by what they were expected to take, in classes that ascend.

    Attributes:
        expected_s: what each class was expected to take, in seconds: this is what cut-offs are held against.
        rate_rps: requests of it per second.
        service_s: what they took on average, in seconds.
        service_s2: the average of its square.
        seconds: how long the traffic was watched.
    """

    expected_s: Floats
    rate_rps: Floats
    service_s: Floats
    service_s2: Floats
    seconds: float

    @classmethod
    def of(cls, service_s: Sequence[float], rate_rps: float) -> Traffic:
        """Traffic of requests with these measured times, as if they had been foreseen exactly.

        Raises:
            ValueError: there is no request, or the rate is not above 0.
        """
        if not len(service_s) or not rate_rps > 0:
            raise ValueError("traffic needs at least one request and a rate above 0")
        times, counts = np.unique(np.asarray(service_s, dtype=float), return_counts=True)
        rate = counts / len(service_s) * rate_rps
        return cls(times, rate, times, times**2, len(service_s) / rate_rps)

    def variability(self) -> float:
        """Squared coefficient of variation of the service time: variance over squared mean."""
        total = self.rate_rps.sum()
        mean = (self.rate_rps * self.service_s).sum() / total
        return float((self.rate_rps * self.service_s2).sum() / total / mean**2 - 1) if mean else 0.0

    def part(self, low_s: float, high_s: float) -> Traffic:
        """The classes that were expected to take `low_s` or more and less than `high_s`."""
        chosen = (self.expected_s >= low_s) & (self.expected_s < high_s)
        return Traffic(
            self.expected_s[chosen],
            self.rate_rps[chosen],
            self.service_s[chosen],
            self.service_s2[chosen],
            self.seconds,
        )

    def work(self) -> float:
        """Seconds of service that arrive in a second."""
        return float((self.rate_rps * self.service_s).sum())

    def work_error(self) -> float:
        """Standard error of `work`, if requests arrive as a Poisson process (compound Poisson)."""
        return float(((self.rate_rps * self.service_s2).sum() / self.seconds) ** 0.5)


def by_tier(traffic: Traffic, cutoffs: Cutoffs) -> dict[Tier, Traffic]:
    """The traffic of each tier."""
    edges = (0.0, cutoffs.hot_s, cutoffs.warm_s, inf)
    return {tier: traffic.part(edges[index], edges[index + 1]) for index, tier in enumerate(TIERS)}


def recommend_workers(traffic: Traffic, cutoffs: Cutoffs, workers: int) -> dict[Tier, int]:
    """How to share so many workers among the tiers, so that the largest offered load is least.

    One for each tier, and each further one for whichever is loaded most: that greedy way is optimal for a
    largest quotient (Ibaraki & Katoh, Resource Allocation Problems, 1988, chapter 5).

    Raises:
        ValueError: there are fewer workers than tiers.
    """
    if workers < len(TIERS):
        raise ValueError(f"{workers} workers cannot serve {len(TIERS)} tiers; give at least one to each")
    work = {tier: part.work() for tier, part in by_tier(traffic, cutoffs).items()}
    shares = dict.fromkeys(TIERS, 1)
    for _ in range(workers - len(TIERS)):
        shares[max(TIERS, key=lambda tier: work[tier] / shares[tier])] += 1
    return shares


def worker_advice(traffic: Traffic, cutoffs: Cutoffs, workers: Mapping[str, int]) -> str | None:
    """One sentence where these workers should be shared otherwise among the tiers; None where not.

    Raises:
        ValueError: there are fewer workers than tiers.
    """
    better = recommend_workers(traffic, cutoffs, sum(workers.values()))
    work = {tier: part.work() for tier, part in by_tier(traffic, cutoffs).items()}

    def largest(shares: Mapping[Tier, int] | Mapping[str, int]) -> float:
        return max(work[tier] / shares[tier] if shares.get(tier) else inf for tier in TIERS if work[tier])

    now, then = largest(workers), largest(better)
    if then >= now:
        return None
    wanted, there = (
        ", ".join(f"{shares.get(tier, 0)} {tier}" for tier in TIERS) for shares in (better, workers)
    )
    return (
        f"The measured work calls for {wanted} workers instead of {there}: "
        f"the largest offered load of a tier would be {then:.2f} instead of {now:.2f}."
    )


def balance(
    traffic: Traffic, workers: Mapping[str, int], around: Cutoffs, reach: float, enough: float
) -> Cutoffs:
    """The cut-offs nearest to `around` at which no tier has an offered load above `enough`.

    Where there are none, those with the least largest load. Nearest is the least sum of logarithms of
    factors; both cut-offs stay within a factor of `reach`, and between classes of the traffic.
    """
    totals = np.concatenate([[0.0], np.cumsum(traffic.rate_rps * traffic.service_s)])
    hot = _candidates(traffic.expected_s, around.hot_s, reach)[:, None]
    warm = _candidates(traffic.expected_s, around.warm_s, reach)[None, :]
    below_hot = totals[np.searchsorted(traffic.expected_s, hot)]
    below_warm = totals[np.searchsorted(traffic.expected_s, warm)]
    counts = [max(workers.get(tier, 0), 1e-9) for tier in TIERS]
    loads = [
        below_hot / counts[0],
        (below_warm - below_hot) / counts[1],
        (totals[-1] - below_warm) / counts[2],
    ]
    largest = np.maximum(np.maximum(loads[0], loads[1]), loads[2])
    distance = np.abs(np.log(hot / around.hot_s)) + np.abs(np.log(warm / around.warm_s))
    in_order = hot < warm
    fine = in_order & (largest <= enough)
    if fine.any():
        best = np.where(fine, distance, inf).argmin()
    else:
        # Among equally loaded ones the nearest: distances are far below 1e6.
        best = np.where(in_order, largest + distance * 1e-6, inf).argmin()
    row, column = np.unravel_index(best, in_order.shape)
    return Cutoffs(float(hot[row, 0]), float(warm[0, column]))


def _candidates(expected_s: Floats, around_s: float, reach: float) -> Floats:
    """The cut-off itself, and the middles between the classes within reach of it."""
    middles = np.sqrt(expected_s[:-1] * expected_s[1:])
    near = middles[(middles >= around_s / reach) & (middles <= around_s * reach)]
    return np.concatenate([[around_s], near])


def wait_quantile(traffic: Traffic, workers: int, quantile: float) -> float:
    """Seconds within which so large a share of requests begins to be served by one queue with these workers.

    M/G/k with the mean of Lee & Longton (Queueing processes associated with airline passenger check-in,
    1959) and an exponential tail of those that wait (Tijms, A First Course in Stochastic Models, section
    9.6). Infinite from an offered load of 1 on.
    """
    work = traffic.work()
    if not work:
        return 0.0
    if work >= workers:
        return inf
    waits = erlang_c(workers, work)
    mean_s = work / float(traffic.rate_rps.sum())
    mean_if_waits = (1 + traffic.variability()) / 2 * mean_s / (workers - work)
    return max(0.0, mean_if_waits * log(waits / (1 - quantile)))


def erlang_c(workers: int, work: float) -> float:
    """The probability that a request has to wait in an M/M/k queue; `work` is below `workers`."""
    terms = [exp(count * log(work) - lgamma(count + 1)) for count in range(workers)]
    last = exp(workers * log(work) - lgamma(workers + 1)) * workers / (workers - work)
    return last / (sum(terms) + last)


def long_ratio(traffic: Traffic, cutoffs: Cutoffs, workers: Mapping[str, int]) -> float:
    """Expected 95th percentile of the response time of long requests, over that of one shared queue.

    Long are the longest 5 % of the requests; the one in their middle, by what was expected, stands for them.
    Above 2, tiering takes from them more than they are owed.
    Infinite where the tier that serves them cannot keep up, and the shared queue could; 1 where neither can.
    """
    ascending = np.cumsum(traffic.rate_rps)
    middle = int(np.searchsorted(ascending, 0.975 * ascending[-1]))
    service_s = float(traffic.service_s[middle])
    tier = cutoffs.tier(float(traffic.expected_s[middle]))
    apart = wait_quantile(by_tier(traffic, cutoffs)[tier], workers.get(tier, 0), 0.95)
    shared = wait_quantile(traffic, sum(workers.values()), 0.95)
    if shared == inf:
        return 1.0
    return (service_s + apart) / (service_s + shared)
