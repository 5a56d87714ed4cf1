"""Routers and pools whose workers have yet to be started: the first request that needs one starts it."""

from __future__ import annotations

import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.routing import PoolView, RouterSetup, WorkerView
from tiergate.testing import make_facts, make_setup, varied_facts
from tiergate_plugins.routing import (
    learned,
    least_work_left,
    operation_table,
    oracle,
    power_of_two,
    random_worker,
    size_heuristic,
)

MODULES = (
    learned,
    least_work_left,
    operation_table,
    oracle,
    power_of_two,
    random_worker,
    size_heuristic,
)
DECLARED = {found.name: found for module in MODULES for found in module.tiergate_routers()}
FACTS = varied_facts(seed=3, count=40)


def setup(declaration: RouterDeclaration) -> RouterSetup:
    return make_setup(declaration, FACTS)


@pytest.mark.parametrize("name", DECLARED)
def test_a_pool_without_a_worker_that_starts_them_can_be_used(name: str) -> None:
    declaration = DECLARED[name]
    router = declaration.build(setup(declaration))
    tiers = ("hot", "warm", "cold") if declaration.chooses_tier else ("shared",)
    pool = PoolView([], dict.fromkeys(tiers, 2))
    for one in FACTS:
        explained = router.explain(one, pool)
        choice = router.choose(one, pool)
        assert choice.worker is explained.worker is None
        assert (choice.tier is not None) == declaration.chooses_tier
        assert choice.estimate_s > 0


@pytest.mark.parametrize("name", DECLARED)
def test_a_pool_without_any_can_not(name: str) -> None:
    router = DECLARED[name].build(setup(DECLARED[name]))
    with pytest.raises(LookupError, match="no worker is ready"):
        router.choose(FACTS[0], PoolView([], {"hot": 0}))


@pytest.mark.parametrize("name", ["size-heuristic", "learned"])
def test_what_is_heavy_starts_the_cold_tier(name: str) -> None:
    router = DECLARED[name].build(setup(DECLARED[name]))
    pool = PoolView([WorkerView("hot-1", "hot", 0, 0.0)], {"hot": 1, "cold": 1})
    heavy = next(one for one in FACTS if one.read_bytes > 10**8)
    choice = router.choose(heavy, pool)
    assert (choice.tier, choice.worker, choice.meant_tier) == ("cold", None, "cold")


def test_one_that_stepped_back_starts_what_is_needed_and_means_no_tier_by_it() -> None:
    declaration = DECLARED["operation-table"]
    alike = [seen for seen in setup(declaration).training if seen.service_s < 0.002]
    base = setup(declaration)
    router = declaration.build(RouterSetup(cutoffs=base.cutoffs, training=alike, clock=base.clock))
    assert "too alike" in router.notices()[0]
    pool = PoolView([WorkerView("warm-1", "warm", 9, 0.5)], {"hot": 1, "warm": 1})
    to_start = router.choose(make_facts(0, operation=alike[0].facts.operation), pool)
    assert (to_start.tier, to_start.worker, to_start.meant_tier) == ("hot", None, None)
    ready = PoolView([*pool.workers, WorkerView("hot-1", "hot", 9, 0.9)], pool.capacity)
    to_least = router.choose(make_facts(1, operation=alike[0].facts.operation), ready)
    assert (to_least.tier, to_least.worker, to_least.meant_tier) == ("warm", "warm-1", None)
