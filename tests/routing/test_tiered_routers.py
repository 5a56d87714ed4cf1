"""Routers that choose a tier by an estimate, in a simulated pool, all parts together."""

from __future__ import annotations

from random import Random

import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.routing import Cutoffs, Observation, PoolView, RouterSetup, Tier, WorkerView
from tiergate.testing import make_facts, make_pool
from tiergate.tracetime import TraceClock
from tiergate_plugins.routing import learned, operation_table, size_heuristic
from tiergate_plugins.routing.simulation import (
    Arrival,
    Served,
    SimulatedPool,
    hit_rate,
    largest_load,
    percentile_s,
)
from tiergate_plugins.routing.tiered import MIN_ANSWERED, TieredRouter, serving

DECLARED: dict[str, RouterDeclaration] = {
    found.name: found
    for module in (operation_table, size_heuristic, learned)
    for found in module.tiergate_routers()
}
CUTOFFS = Cutoffs(hot_s=0.005, warm_s=0.05)
TIMES = {"get": 0.001, "path": 0.02, "scan": 0.2}
POOL = {"hot": 1, "warm": 1, "cold": 2}


def arrivals(seed: int, rate: float, seconds: float, shares: tuple[float, float, float]) -> list[Arrival]:
    random = Random(seed)
    found: list[Arrival] = []
    now = random.expovariate(rate)
    while now < seconds:
        operation = random.choices(list(TIMES), weights=shares)[0]
        session = f"s{int(random.paretovariate(1.0))}"
        facts = make_facts(len(found), operation=operation, session=session, read_bytes=1000)
        found.append(Arrival(now, facts, TIMES[operation] * random.uniform(0.9, 1.1)))
        now += random.expovariate(rate)
    return found


def build(name: str, clock: TraceClock, shares: tuple[float, float, float] = (90, 6, 4)) -> TieredRouter:
    training = [
        Observation(one.facts, one.service_s) for one in arrivals(77, rate=100.0, seconds=5.0, shares=shares)
    ]
    router = DECLARED[name].build(RouterSetup(cutoffs=CUTOFFS, training=training, clock=clock))
    assert isinstance(router, TieredRouter)
    return router


def serve(name: str, requests: list[Arrival]) -> tuple[TieredRouter, list[Served]]:
    clock = TraceClock()
    router = build(name, clock)
    return router, SimulatedPool(POOL, router, clock).run(requests)


@pytest.mark.parametrize("name", DECLARED)
def test_each_goes_to_its_tier_while_all_is_well(name: str) -> None:
    router, served = serve(name, arrivals(1, rate=60.0, seconds=20.0, shares=(90, 6, 4)))
    expected = {"get": "hot", "path": "warm", "scan": "cold"}
    assert {one.choice.tier == expected[one.arrival.facts.operation] for one in served} == {True}
    assert router.notices() == ()
    assert hit_rate(served) >= 0.9
    assert largest_load(served, "cold", 2) <= 1.25
    assert percentile_s(served, 0.0, 0.002, 95) < 0.005


@pytest.mark.parametrize("name", DECLARED)
def test_the_guard_steps_back_from_a_tier_that_starves_and_returns(name: str) -> None:
    calm, rush = (90, 6, 4), (72, 5, 23)
    requests = arrivals(2, rate=60.0, seconds=15.0, shares=calm)
    for start, seconds, shares in ((15.0, 40.0, rush), (55.0, 120.0, calm)):
        for one in arrivals(int(start), rate=60.0, seconds=seconds, shares=shares):
            facts = make_facts(len(requests), operation=one.facts.operation, session=one.facts.session)
            requests.append(Arrival(start + one.at_s, facts, one.service_s))
    router, served = serve(name, requests)
    said = list(router.notices())
    stepped = next(line for line in said if "stepped back" in line)
    assert "the cold tier would starve: its offered load is" in stepped
    assert any("returned to tiers" in line for line in said)
    during = [one for one in served if 40.0 < one.arrival.at_s < 55.0]
    assert {one.choice.tier for one in during if one.arrival.facts.operation == "get"} > {"hot"}
    after = [one for one in served if one.arrival.at_s > 160.0]
    assert {one.choice.tier for one in after if one.arrival.facts.operation == "get"} == {"hot"}


@pytest.mark.parametrize("name", DECLARED)
def test_alike_requests_need_no_tiers(name: str) -> None:
    router = build(name, TraceClock(), shares=(0, 1, 0))
    view = PoolView([WorkerView("hot-1", "hot", 5, 0.9), WorkerView("cold-1", "cold", 0, 0.0)])
    facts = make_facts(0, operation="path")
    assert router.choose(facts, view).worker == "cold-1"
    explained = router.explain(facts, view)
    assert explained.reason.startswith("Stepped back to the least work left: tiers cannot pay")
    assert "too alike" in router.notices()[0]


@pytest.mark.parametrize("name", DECLARED)
def test_in_a_pool_of_one_tier_alike_requests_keep_their_sessions_together(name: str) -> None:
    clock = TraceClock()
    router = build(name, clock, shares=(1, 0, 0))
    served = SimulatedPool({"hot": 4}, router, clock).run(
        arrivals(6, rate=1000.0, seconds=4.0, shares=(1, 0, 0))
    )
    assert hit_rate(served) >= 0.9
    assert not any(one.choice.is_fallback for one in served)


def test_a_trace_that_is_replayed_in_no_time_is_not_judged() -> None:
    router = build("learned", TraceClock())
    pool = make_pool(POOL)
    for one in arrivals(3, rate=500.0, seconds=5.0, shares=(50, 0, 50)):
        router.completed(one.facts, router.choose(one.facts, pool), one.service_s)
    assert router.notices() == ()


def test_few_answers_are_not_judged() -> None:
    clock = TraceClock()
    router = build("learned", clock)
    for one in arrivals(4, rate=10.0, seconds=300.0, shares=(0, 0, 1))[: MIN_ANSWERED - 1]:
        clock.now += 0.05
        router.completed(one.facts, router.choose(one.facts, make_pool(POOL)), one.service_s)
    assert router.notices() == ()


def test_an_explanation_has_the_odds_and_the_limits() -> None:
    router = build("learned", TraceClock())
    explained = router.explain(make_facts(0, operation="scan", read_bytes=1000), make_pool(POOL))
    assert explained.tier == "cold"
    assert explained.estimate_s == pytest.approx(0.2, rel=0.1)
    assert 1.0 < (explained.uncertainty or 0.0) < 2.0
    assert explained.features["operation"] == "scan"
    assert explained.reason.startswith("The cold tier: about ")
    assert "right with a probability of 1.00" in explained.reason
    assert explained.reason.endswith("(hot below 5 ms, warm below 50 ms).")


def test_an_explanation_says_which_tier_stands_in() -> None:
    router = build("operation-table", TraceClock())
    explained = router.explain(make_facts(0, operation="scan"), make_pool({"hot": 1}))
    assert explained.reason.startswith("The cold tier has no worker, hot stands in: about ")


def test_the_table_looks_at_the_operation_alone() -> None:
    router = build("operation-table", TraceClock())
    pool = make_pool(POOL)
    sizes = (0, 10**4, 10**9)
    for operation, tier in (("get", "hot"), ("path", "warm"), ("scan", "cold"), ("never seen", "hot")):
        chosen = {
            router.choose(make_facts(0, operation=operation, read_bytes=size), pool).tier for size in sizes
        }
        assert chosen == {tier}


@pytest.mark.parametrize(
    ("wanted", "there", "taken"),
    [
        ("hot", ("warm", "cold"), "warm"),
        ("hot", ("cold",), "cold"),
        ("warm", ("hot", "cold"), "cold"),
        ("warm", ("hot",), "hot"),
        ("cold", ("hot", "warm"), "warm"),
        ("cold", ("hot",), "hot"),
    ],
)
def test_the_nearest_tier_takes_over(wanted: Tier, there: tuple[str, ...], taken: str) -> None:
    view = make_pool(dict.fromkeys(there, 2))
    tier, workers = serving(wanted, view)
    assert tier == taken
    assert workers == view.of_tier(taken)


def test_a_tier_that_starts_workers_on_demand_is_not_stood_in_for() -> None:
    view = PoolView([WorkerView("hot-1", "hot", 0, 0.0)], capacity={"hot": 1, "cold": 2})
    assert serving("cold", view) == ("cold", [])
    assert serving("warm", view) == ("cold", [])


def test_no_worker_at_all() -> None:
    with pytest.raises(LookupError, match="no worker is ready"):
        serving("hot", PoolView([]))
