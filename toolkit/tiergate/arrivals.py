"""When requests are meant to start: processes of open arrivals, which no answer holds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random
from typing import Protocol

from tiergate.errors import UsageError

NOMINAL_RPS = 100.0
"""Rate of a trace before a run stretches it."""


class Arrivals(Protocol):
    """A process of arrivals. The same arguments must always give the same times."""

    @property
    def name(self) -> str:
        """What records and reports call it."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """What it was built with, by name."""

    def starts(self, seed: int, count: int, rate_rps: float = NOMINAL_RPS) -> Sequence[float]:
        """Ascending start times in seconds of `count` requests, at a mean rate."""


@dataclass(frozen=True, slots=True)
class Poisson:
    """Requests that arrive independently of each other."""

    name = "poisson"

    @property
    def parameters(self) -> Mapping[str, float]:
        """None."""
        return {}

    def starts(self, seed: int, count: int, rate_rps: float = NOMINAL_RPS) -> list[float]:
        """Gaps that are exponentially distributed."""
        random = Random(f"arrivals {seed}")
        return list(accumulate(random.expovariate(rate_rps) for _ in range(count)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnOff:
    """Bursts: a Poisson process whose rate is that of one of two states, on and off.

    A Markov-modulated Poisson process with two states, whose sojourns are exponentially distributed (Fischer &
    Meier-Hellstern, The Markov-modulated Poisson process (MMPP) cookbook, 1993). It is scaled by requests and
    not by seconds, so that the bursts of a trace stay what they are at every rate.

    Attributes:
        on_share: share of the time that is spent in bursts, above 0 and below 1.
        on_ratio: rate inside a burst over the mean rate, at least 1; ``on_share * on_ratio`` is the share of
            the requests that fall into bursts, at most 1.
        cycle_requests: mean number of requests of a burst and the pause after it together.

    Raises:
        UsageError: a parameter is outside its limits.
    """

    on_share: float = 0.1
    on_ratio: float = 5.0
    cycle_requests: float = 100.0
    name = "bursts"

    def __post_init__(self) -> None:
        if not 0 < self.on_share < 1:
            raise UsageError(
                f"on_share must be above 0 and below 1, not {self.on_share:g}", where="arrivals bursts"
            )
        if not 1 <= self.on_ratio <= 1 / self.on_share:
            raise UsageError(
                f"on_ratio must be from 1 to 1/on_share, {1 / self.on_share:g} here, not {self.on_ratio:g}",
                where="arrivals bursts",
            )
        if not 1 <= self.cycle_requests < float("inf"):
            raise UsageError(
                f"cycle_requests must be at least 1, not {self.cycle_requests:g}", where="arrivals bursts"
            )

    @property
    def parameters(self) -> Mapping[str, float]:
        """The attributes."""
        return {
            "on_share": self.on_share,
            "on_ratio": self.on_ratio,
            "cycle_requests": self.cycle_requests,
        }

    @property
    def off_ratio(self) -> float:
        """Rate between bursts over the mean rate."""
        return (1 - self.on_share * self.on_ratio) / (1 - self.on_share)

    def starts(self, seed: int, count: int, rate_rps: float = NOMINAL_RPS) -> list[float]:
        """The state at the start is drawn as it is at any moment."""
        random = Random(f"arrivals {seed}")
        is_on = random.random() < self.on_share
        now, found = 0.0, list[float]()
        while len(found) < count:
            share, ratio = (
                (self.on_share, self.on_ratio) if is_on else (1 - self.on_share, self.off_ratio)
            )
            ends = now + random.expovariate(1.0) * share * self.cycle_requests / rate_rps
            # What is left of a gap at the end of a state is drawn anew in the next: it has no memory.
            while ratio > 0 and len(found) < count:
                now += random.expovariate(ratio * rate_rps)
                if now > ends:
                    break
                found.append(now)
            now, is_on = ends, not is_on
        return found


def stretched(starts: Sequence[float], rate_rps: float) -> list[float]:
    """The same pattern of starts at another mean rate; it begins at 0.

    The mean is that of the gaps: ``(len(starts) - 1) / (last - first)``.
    """
    if len(starts) < 2 or starts[-1] == starts[0]:
        return [0.0] * len(starts)
    factor = (len(starts) - 1) / rate_rps / (starts[-1] - starts[0])
    return [(start - starts[0]) * factor for start in starts]


def rate_of(starts: Sequence[float]) -> float:
    """Requests a second of a pattern of starts; 0 where all start at once."""
    span = starts[-1] - starts[0] if starts else 0.0
    return (len(starts) - 1) / span if span else 0.0


def burstiness(starts: Sequence[float]) -> float | None:
    """Variance of the gaps between starts over the square of their mean; 1 for Poisson, more for bursts.

    None from fewer than three requests, or where all start at once.
    """
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    mean = sum(gaps) / len(gaps) if gaps else 0.0
    if len(gaps) < 2 or not mean:
        return None
    return sum((gap - mean) ** 2 for gap in gaps) / len(gaps) / mean**2


def parse_arrivals(text: str) -> Arrivals:
    """A process as the command line writes it: ``poisson``, or ``bursts`` or ``bursts:on_share=0.2,…``.

    Raises:
        UsageError: there is no such process, or a parameter is unknown, no number or outside its limits.
    """
    name, _, rest = text.partition(":")
    where = f"arrivals {text!r}"
    if name == "poisson" and not rest:
        return Poisson()
    if name != "bursts":
        raise UsageError("is no process of arrivals", where=where, hint="known: poisson, bursts")
    values: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        if key not in OnOff.__annotations__ or key == "name":
            known = ", ".join(OnOff().parameters)
            raise UsageError(f"bursts has no parameter {key!r}", where=where, hint=f"known: {known}")
        try:
            values[key] = float(value)
        except ValueError:
            raise UsageError(f"{key} must be a number, not {value!r}", where=where) from None
    return OnOff(**values)
