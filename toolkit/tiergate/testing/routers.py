"""The contract suite for routers: what is chosen. `router_words` has what a router says of it."""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice

import msgspec
import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.routing import TIERS, Choice, PoolView, RequestFacts, Router
from tiergate.testing.router_words import RouterWords
from tiergate.testing.samples import SHARED, make_facts, make_pool, make_setup, varied_facts, varied_pools


class RouterContract(RouterWords):
    """Every promise of `tiergate.routing.Router`, tested against one implementation.

    Subclass it, and override the fixture ``declaration``::

        class TestMyRouter(RouterContract):
            @pytest.fixture
            def declaration(self) -> RouterDeclaration:
                return MY_ROUTER

    An oracle is given the service times of the requests it routes; no other router is.
    """

    REQUESTS = 300

    @pytest.fixture
    def declaration(self) -> RouterDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the RouterDeclaration to test")

    @pytest.fixture
    def facts(self) -> list[RequestFacts]:
        """The requests to route. Override it when yours has something else to be tested with."""
        return varied_facts(seed=7, count=self.REQUESTS)

    @pytest.fixture
    def router(self, declaration: RouterDeclaration, facts: list[RequestFacts]) -> Router:
        """A fresh router."""
        return declaration.build(make_setup(declaration, facts))

    @pytest.fixture
    def whole_pool(self, declaration: RouterDeclaration) -> PoolView:
        """A pool in which every tier has workers."""
        return make_pool(dict.fromkeys(TIERS, 2) if declaration.chooses_tier else {SHARED: 6})

    def test_builds_a_router(self, router: Router) -> None:
        assert isinstance(router, Router), "RouterDeclaration.build: makes a fresh router for one run"

    def test_choices_exist(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts], whole_pool: PoolView
    ) -> None:
        for one in facts:
            check_choice(declaration, router.choose(one, whole_pool), whole_pool)

    def test_choices_exist_in_any_pool(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts]
    ) -> None:
        for one, pool in zip(facts, varied_pools(declaration, seed=11), strict=False):
            check_choice(declaration, router.choose(one, pool), pool)

    def test_one_worker_is_enough(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts]
    ) -> None:
        for tier in TIERS if declaration.chooses_tier else (SHARED,):
            pool = make_pool({tier: 1}, waiting=3, work_left_s=0.5)
            for one in facts[:50]:
                check_choice(declaration, router.choose(one, pool), pool)

    def test_an_empty_pool(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts]
    ) -> None:
        pool = make_pool({})
        try:
            choice = router.choose(facts[0], pool)
        except LookupError:
            return  # Router.choose: LookupError: the pool has no worker that this router could use
        check_choice(declaration, choice, pool)

    def test_workers_that_start_on_demand(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts]
    ) -> None:
        tiers = TIERS if declaration.chooses_tier else (SHARED,)
        for pool in (PoolView([], {tiers[-1]: 1}), PoolView([], dict.fromkeys(tiers, 2))):
            for one in facts[:50]:
                try:
                    choice = router.choose(one, pool)
                except LookupError:
                    return  # Router.choose: it can use workers that are ready, and no other
                check_choice(declaration, choice, pool)

    def test_without_training(
        self, declaration: RouterDeclaration, facts: list[RequestFacts], whole_pool: PoolView
    ) -> None:
        router = declaration.build(make_setup(declaration, facts, trained=False))
        for one in facts[:50]:
            check_choice(declaration, router.choose(one, whole_pool), whole_pool)

    def test_the_same_setup_and_inputs_give_the_same_choices(
        self, declaration: RouterDeclaration, facts: list[RequestFacts]
    ) -> None:
        first, second = (_route(declaration, facts) for _ in range(2))
        assert first == second, (
            "Router.choose: must not depend on anything but its arguments, the setup and its clock, and what "
            "`completed` was told"
        )

    def test_routers_share_nothing(
        self, declaration: RouterDeclaration, facts: list[RequestFacts], whole_pool: PoolView
    ) -> None:
        alone = _route(declaration, facts)
        setup = make_setup(declaration, facts)
        other = declaration.build(setup)
        for one in facts:
            other.completed(one, other.choose(one, whole_pool), 9.0)
        assert _route(declaration, facts) == alone, (
            "RouterDeclaration.build: makes a fresh router for one run"
        )

    def test_completed_is_accepted(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts], whole_pool: PoolView
    ) -> None:
        choices = [router.choose(one, whole_pool) for one in facts]
        for service_s, one, choice in zip(ODD_SECONDS * len(facts), facts, choices, strict=False):
            router.completed(one, choice, service_s)
            router.completed(one, Choice("no such tier", "nobody"), service_s)
        for one in facts:
            check_choice(declaration, router.choose(one, whole_pool), whole_pool)

    def test_a_dead_worker_moves_its_own_sessions_only(
        self, router: Router, facts: list[RequestFacts], whole_pool: PoolView
    ) -> None:
        if not router.keeps_sessions:
            pytest.skip("Router.keeps_sessions is False")
        one = next(found for found in facts if found.session)
        sessions = [msgspec.structs.replace(one, session=f"session {number}") for number in range(60)]
        before = [router.choose(found, whole_pool) for found in sessions]
        dead = Counter(choice.worker for choice in before).most_common(1)[0][0]
        left = PoolView([worker for worker in whole_pool.workers if worker.name != dead])
        assert len(left.workers) < len(whole_pool.workers), (
            "Router.keeps_sessions: requests of one session go to one worker of a tier; it named no worker"
        )
        after = [router.choose(found, left) for found in sessions]
        stayed = sum(
            old.worker == new.worker for old, new in zip(before, after, strict=True) if old.worker != dead
        )
        others = sum(choice.worker != dead for choice in before)
        assert all(choice.worker != dead for choice in after), (
            "PoolView.workers: those that are ready to take requests; it chose one that is not"
        )
        # A worker that has too much may pass some on.
        assert stayed >= 0.8 * others, (
            "Router.keeps_sessions: as long as that worker is ready; sessions of other workers moved too"
        )

    def test_a_session_stays(self, router: Router, facts: list[RequestFacts], whole_pool: PoolView) -> None:
        if not router.keeps_sessions:
            pytest.skip("Router.keeps_sessions is False")
        one = next(found for found in facts if found.session)
        sessions = [msgspec.structs.replace(one, session=f"session {number}") for number in range(60)]
        before = [router.choose(found, whole_pool).worker for found in sessions]
        again = [router.choose(found, whole_pool).worker for found in sessions]
        kept = sum(old == new for old, new in zip(before, again, strict=True))
        assert kept >= 0.8 * len(sessions), (
            "Router.keeps_sessions: requests of one session go to one worker of a tier"
        )

    def test_the_pool_is_left_alone(
        self, router: Router, facts: list[RequestFacts], whole_pool: PoolView
    ) -> None:
        before = list(whole_pool.workers)
        for one in facts[:50]:
            router.choose(one, whole_pool)
        assert list(whole_pool.workers) == before, "PoolView: the pool at one moment; a router only reads it"

    def test_an_ordinary_request(self, declaration: RouterDeclaration, whole_pool: PoolView) -> None:
        one = make_facts(0)
        router = declaration.build(make_setup(declaration, [one]))
        check_choice(declaration, router.choose(one, whole_pool), whole_pool)


ODD_SECONDS = (0.0, 1e-9, 0.02, 3600.0, 5e-324, 1e300, math.inf, math.nan, -1.0)
"""Service times that no clock should give, and some that one may."""


def check_choice(declaration: RouterDeclaration, choice: Choice, pool: PoolView) -> None:
    """Fail, quoting the contract, unless the pool can follow a router's choice."""
    assert isinstance(choice, Choice), "Router.choose: where this request goes, as a Choice"
    assert math.isfinite(choice.estimate_s), "Choice.estimate_s: expected service time in seconds, finite"
    assert choice.estimate_s >= 0, (
        "Choice.estimate_s: expected service time in seconds; 0 when it estimates none"
    )
    if declaration.chooses_tier:
        contract = "RouterDeclaration.chooses_tier: True for a policy that names a tier for every request"
        assert choice.tier is not None or not pool.workers, contract
    else:
        contract = "RouterDeclaration.chooses_tier: False for a policy that treats all workers alike"
        assert choice.tier in (None, SHARED), contract
    if choice.tier is not None:
        assert pool.of_tier(choice.tier) or pool.capacity.get(choice.tier), (
            f"Choice.tier: a tier of the pool; {choice.tier!r} has no worker in it, and starts none"
        )
    if choice.worker is not None:
        workers = {worker.name: worker for worker in pool.workers}
        assert choice.worker in workers, f"Choice.worker: a worker of the pool; there is no {choice.worker!r}"
        tier = workers[choice.worker].tier
        assert choice.tier in (None, tier), (
            f"Choice.worker: a worker of the tier; {choice.worker!r} is of {tier!r}"
        )


def _route(declaration: RouterDeclaration, facts: list[RequestFacts]) -> list[Choice]:
    """The choices of a fresh router for these requests, each completed before the next is routed."""
    router = declaration.build(make_setup(declaration, facts))
    choices = []
    for one, pool in zip(facts, islice(varied_pools(declaration, seed=13), len(facts)), strict=True):
        choice = router.choose(one, pool)
        router.completed(one, choice, one.request * 0.001)
        choices.append(choice)
    return choices
