"""The work of the rows about tiers: short and long requests that wait, or that compute."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from tiergate.errors import RunError
from tiergate.operation import Request
from tiergate.pool import Pool, TierSpec
from tiergate.routing import Choice, Cutoffs, Observation
from tiergate_plugins.benchmarks.pool_arrivals import facts_of
from tiergate_plugins.benchmarks.pool_found import DEADLINE_S, sender

SHORT_S, LONG_S, LONG_SHARE = 0.001, 0.1, 0.05
"""95 % of the requests take 1 ms, 5 % take 100 ms."""

MEAN_S = (1 - LONG_SHARE) * SHORT_S + LONG_SHARE * LONG_S
CUTOFFS = Cutoffs(hot_s=0.01, warm_s=0.01)


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of work, on so many workers; each side of it has a pool of its own.

    Attributes:
        name: begins the names of its operations.
        cold: workers for the long requests; one is for the short ones.
        load: offered work over what the workers, or the cores, can do.
        requests: of a round.
    """

    name: str
    cold: int
    load: float
    requests: int
    rounds: int
    short_target: str

    def tiers(self) -> list[TierSpec]:
        """Long requests get the cores that short ones leave."""
        return [TierSpec("hot", 1), TierSpec("cold", self.cold, nice=10)]

    def flat(self) -> list[TierSpec]:
        """As many workers, all alike."""
        return [TierSpec("shared", 1 + self.cold)]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.load * (1 + self.cold) / MEAN_S


WAITS = Case("wait", cold=3, load=0.6, requests=1600, rounds=8, short_target="<= 0.125")
COMPUTES = Case("compute", cold=1, load=0.4, requests=900, rounds=6, short_target="<= 0.25")


async def arguments_of(case: Case, pool: Pool) -> dict[str, dict[str, Any]]:
    """What a short and a long request say; loops are counted in a worker, while nothing else runs."""
    if case.name == "wait":
        return {"short": {"seconds": SHORT_S}, "long": {"seconds": LONG_S}}
    request = Request(0, "bench_loops_a_second", None, {"loops": 1_000_000})
    reply = await sender(pool)(request, Choice(tier="hot"), deadline_s=DEADLINE_S)
    if reply.failure is not None:
        raise RunError(f"the loops of a second cannot be counted: {reply.failure.message}")
    return {
        "short": {"loops": int(reply.result * SHORT_S)},
        "long": {"loops": int(reply.result * LONG_S)},
    }


def request_of(case: Case, arguments: dict[str, dict[str, Any]], number: int, draw: Random) -> Request:
    kind = "long" if draw.random() < LONG_SHARE else "short"
    return Request(number, f"bench_{case.name}_{kind}", None, arguments[kind])


def training_of(case: Case, arguments: dict[str, dict[str, Any]]) -> list[Observation]:
    """As a training trace shows it: what a request of each operation takes when it is alone."""
    draw = Random(2)
    requests = [request_of(case, arguments, number, draw) for number in range(400)]
    return [
        Observation(facts_of(one), LONG_S if one.operation.endswith("long") else SHORT_S) for one in requests
    ]
