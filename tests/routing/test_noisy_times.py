"""A machine that pauses: service times ten times as long for a moment must not change what goes where."""

from __future__ import annotations

from random import Random

import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.routing import Cutoffs, Observation, RouterSetup
from tiergate.testing import make_facts, make_pool
from tiergate.tracetime import TimedRequest, replay
from tiergate_plugins.routing import learned, operation_table, size_heuristic

DECLARED: dict[str, RouterDeclaration] = {
    found.name: found
    for module in (operation_table, size_heuristic, learned)
    for found in module.tiergate_routers()
}
CUTOFFS = Cutoffs(hot_s=0.005, warm_s=0.05)
TIMES = {"get": 0.001, "path": 0.02, "scan": 0.2}
TIERS = {"get": "hot", "path": "warm", "scan": "cold"}
POOL = make_pool({"hot": 1, "warm": 1, "cold": 2})
RATE_RPS = 100.0
PAUSE_S, EVERY_S = 0.8, 10.0


def trace(seed: int, seconds: float, *, pauses: bool) -> list[TimedRequest]:
    """Poisson arrivals; with pauses those that come in one take ten times as long."""
    random = Random(f"noise {seed}")
    found: list[TimedRequest] = []
    now, first = random.expovariate(RATE_RPS), random.uniform(0.5, 2.0)
    while now < seconds:
        operation = random.choices(list(TIMES), weights=(90, 6, 4))[0]
        facts = make_facts(len(found), operation=operation, read_bytes=1000)
        slow = 10.0 if pauses and (now - first) % EVERY_S < PAUSE_S else 1.0
        found.append(TimedRequest(now, facts, TIMES[operation] * random.uniform(0.9, 1.1) * slow))
        now += random.expovariate(RATE_RPS)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", DECLARED)
def test_tiers_keep_on_a_machine_that_pauses(name: str, seed: int) -> None:
    training = [Observation(one.facts, one.service_s) for one in trace(77, 10.0, pauses=False)]
    setup = RouterSetup(cutoffs=CUTOFFS, training=training)
    requests = trace(seed, 20.0, pauses=True)
    assert max(one.service_s for one in requests if one.facts.operation == "get") > CUTOFFS.hot_s
    choices, router = replay(DECLARED[name].build, setup, requests, POOL)
    meant = [choice.meant_tier for choice in choices]
    assert meant == [TIERS[one.facts.operation] for one in requests], router.notices()


def test_a_replay_is_the_same_whenever_it_is_made() -> None:
    """The clock is the trace's: what forgets by time forgets alike, and the wall has no say."""
    training = [Observation(one.facts, one.service_s) for one in trace(77, 10.0, pauses=True)]

    def no_wall_clock() -> float:
        raise AssertionError("a replay asked for the time of the wall")

    setup = RouterSetup(cutoffs=CUTOFFS, training=training, clock=no_wall_clock)
    for declaration in DECLARED.values():
        one, other = (replay(declaration.build, setup, trace(1, 30.0, pauses=True), POOL) for _ in range(2))
        assert one[0] == other[0]
        assert one[1].notices() == other[1].notices()
