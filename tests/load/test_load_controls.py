"""The controls that stand beside a router's accuracy, with the real router on the real workload."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tiergate.catalogue import Catalogue
from tiergate.hooks import RouterDeclaration, WorkloadDeclaration
from tiergate.load.accuracy import Judged, confusion, scores
from tiergate.load.controls import SHUFFLES, controls, route
from tiergate.load.stage import make_stage
from tiergate.plugins import PluginHost
from tiergate.routing import (
    TIERS,
    Choice,
    Cutoffs,
    Observation,
    PoolView,
    RequestFacts,
    Router,
    RouterSetup,
    Tier,
)

COSTS = {"task_get": 1.0, "task_update": 4.0, "tasks_query": 2.0, "critical_path": 3.0, "search": 9.0}


def service_s(facts: RequestFacts, random: Random) -> float:
    """A made-up time that shares no formula with an estimate: a power of the tasks, and noise."""
    tasks: float = (1 + facts.read_tasks) ** 0.8
    return 1e-4 * COSTS[facts.operation] * tasks * random.lognormvariate(0, 0.15)


def observed(host: PluginHost, folder: Path, seed: int) -> list[Observation]:
    """The workload's requests, with a made-up service time each."""
    workload = host.get(WorkloadDeclaration, "agents")
    sessions = workload.sessions(seed, 500)
    random = Random(f"made-up times {seed}")
    with make_stage(host, f"sqlite:{folder}", "local") as stage, stage.filled(sessions) as filled:
        facts = Catalogue(filled.sizes, stage.operations).all_facts(workload.requests(seed, sessions, 700))
    return [Observation(one, service_s(one, random)) for one in facts]


def test_shuffled_features_drop_the_router_to_chance(host: PluginHost, tmp_path: Path) -> None:
    training, judged = observed(host, tmp_path, 1), observed(host, tmp_path, 2)
    cutoffs = Cutoffs(*np.quantile([one.service_s for one in training], [0.6, 0.9]).tolist())
    setup = RouterSetup(cutoffs=cutoffs, training=training)
    declared = host.get(RouterDeclaration, "size-heuristic")
    facts = [one.facts for one in judged]
    labels = [cutoffs.tier(one.service_s) for one in judged]
    assert set(labels) == set(TIERS)

    chosen = route(declared.build(setup), facts)
    real = scores(confusion([Judged(*one) for one in zip(facts, labels, chosen, strict=True)]))
    found = {
        one.name: one
        for one in controls(
            facts,
            labels,
            [(one.facts, cutoffs.tier(one.service_s)) for one in training],
            [declared.build(setup) for _ in range(SHUFFLES)],
        )
    }
    assert list(found) == ["majority", "payload size only", "shuffled features"]
    assert real.balanced_accuracy > 0.75
    assert found["shuffled features"].balanced_accuracy == pytest.approx(1 / 3, abs=0.03)
    assert found["majority"].balanced_accuracy == pytest.approx(1 / 3)
    assert found["payload size only"].balanced_accuracy < real.balanced_accuracy


def test_estimates_do_rank_the_made_up_times_so_that_the_drop_means_something(
    host: PluginHost, tmp_path: Path
) -> None:
    seen = observed(host, tmp_path, 3)
    sizes = [log(one.facts.read_bytes + 1) for one in seen]
    assert np.corrcoef(sizes, [log(one.service_s) for one in seen])[0, 1] > 0.5


def test_a_shuffle_gives_every_request_the_features_of_one_other(
    make_facts: Callable[..., RequestFacts],
) -> None:
    seen: list[int] = []

    class Watching(Router):
        def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
            seen.append(facts.request)
            return Choice("hot")

    facts = [make_facts(number) for number in range(50)]
    labels: list[Tier] = ["hot"] * 50
    controls(facts, labels, [(one, "hot") for one in facts], [Watching(RouterSetup(cutoffs=Cutoffs(1, 2)))])
    assert sorted(seen) == list(range(50))
    assert seen != list(range(50))


def test_a_router_without_tiers_has_no_controls(
    host: PluginHost, make_facts: Callable[..., RequestFacts]
) -> None:
    router = host.get(RouterDeclaration, "shared-queue").build(RouterSetup(cutoffs=Cutoffs(1, 2)))
    with pytest.raises(ValueError, match="chooses no tier"):
        route(router, [make_facts(0)])
