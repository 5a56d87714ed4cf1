"""The router contract, kept by every router that is found and by one that is built quite differently."""

from __future__ import annotations

import math
import random
import zlib

import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.plugins import PluginHost
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router, RouterSetup
from tiergate.testing import RouterContract, make_setup, varied_facts

FOUND = PluginHost().all(RouterDeclaration)


def test_the_built_in_routers_are_found() -> None:
    names = {declaration.name for declaration in FOUND}
    assert names >= {
        *("shared-queue", "random", "power-of-two", "least-work-left"),
        *("operation-table", "size-heuristic", "learned", "oracle"),
    }


class TestFound(RouterContract):
    """Every router that entry points lead to."""

    @pytest.fixture(params=FOUND, ids=lambda declaration: declaration.name)
    def declaration(self, request: pytest.FixtureRequest) -> RouterDeclaration:
        found: RouterDeclaration = request.param
        return found


class RoundRobin(Router):
    """Every worker in turn, whatever the request; keeps a state, unlike the built-in routers."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._turn = 0

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        if not pool.workers:
            raise LookupError("no worker is ready")
        worker = pool.workers[self._turn % len(pool.workers)]
        self._turn += 1
        return Choice(worker=worker.name)


class TestRoundRobin(RouterContract):
    """A router that takes no heed of the request."""

    @pytest.fixture
    def declaration(self) -> RouterDeclaration:
        return RouterDeclaration(
            name="round-robin", summary="every worker in turn", build=RoundRobin, chooses_tier=False
        )


class Learner(Router):
    """Draws a tier at random, weighted by what requests took there: seeded, and learns from `completed`."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._draw = random.Random(setup.seed)
        self._seconds: dict[str, float] = {}

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        if not pool.workers:
            raise LookupError("no worker is ready")
        tiers = sorted({worker.tier for worker in pool.workers})
        weights = [1 / (1 + self._seconds.get(tier, 0.0)) for tier in tiers]
        tier = self._draw.choices(tiers, weights)[0]
        return Choice(tier, estimate_s=self._seconds.get(tier, 0.0))

    def completed(self, facts: RequestFacts, choice: Choice, service_s: float) -> None:
        if not 0 <= service_s < math.inf:
            return
        tier = choice.tier or ""
        self._seconds[tier] = 0.9 * self._seconds.get(tier, 0.0) + 0.1 * service_s


LEARNER = RouterDeclaration(name="learner", summary="learns and draws", build=Learner)


class TestLearner(RouterContract):
    """A router that draws and learns."""

    @pytest.fixture
    def declaration(self) -> RouterDeclaration:
        return LEARNER


class Hashed(Router):
    """Keeps a session on a worker by its hash, told of nothing else; says what it thinks of the pool."""

    keeps_sessions = True

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup)
        self._pools: set[int] = set()

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        if not pool.workers:
            raise LookupError("no worker is ready")
        self._pools.add(len(pool.workers))
        worker = max(pool.workers, key=lambda found: zlib.crc32(f"{facts.session!r}{found.name}".encode()))
        return Choice(worker.tier, worker.name)

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        before = set(self._pools)
        choice = self.choose(facts, pool)
        self._pools = before
        return Explanation(
            features={"session": facts.session},
            estimate_s=0.0,
            uncertainty=None,
            tier=choice.tier,
            worker=choice.worker,
            reason=f"{facts.session!r} has the highest hash with {choice.worker}.",
        )

    def notices(self) -> list[str]:
        return [f"the pool had {size} workers" for size in sorted(self._pools)]


class TestHashed(RouterContract):
    """A router that keeps sessions, explains itself and gives notices, all in its own way."""

    @pytest.fixture
    def declaration(self) -> RouterDeclaration:
        return RouterDeclaration(name="hashed", summary="the highest hash", build=Hashed)


@pytest.mark.parametrize("is_oracle", [False, True])
def test_only_an_oracle_is_given_service_times(is_oracle: bool) -> None:
    declaration = RouterDeclaration(name="r", summary="", build=Learner, is_oracle=is_oracle)
    facts = varied_facts(seed=1, count=20)
    sealed = make_setup(declaration, facts).sealed
    assert (sealed is not None) == is_oracle
    if sealed is not None:
        assert set(sealed) == set(range(20))


def test_varied_facts_depend_on_the_seed_alone() -> None:
    assert varied_facts(3, 50) == varied_facts(3, 50)
    assert varied_facts(3, 50) != varied_facts(4, 50)
    scopes = {facts.scope for facts in varied_facts(3, 50)}
    assert len(scopes) == 3
