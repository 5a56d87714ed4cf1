"""What routers that choose a tier by an estimate share: the estimate is theirs, everything else is here.

The parts: an `Estimator`, cut-offs that the `Guard` keeps in balance and may set aside, and `Affinity`, which
picks the worker within the tier. To decide changes nothing, so that a decision can be explained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite
from typing import ClassVar, NamedTuple

from tiergate.routing import (
    TIERS,
    Choice,
    Explanation,
    PoolView,
    RequestFacts,
    Router,
    RouterSetup,
    Tier,
    WorkerView,
    features_of,
)
from tiergate_plugins.routing.affinity import Affinity
from tiergate_plugins.routing.expectation import Estimator, Expectation
from tiergate_plugins.routing.least_work_left import lightest

JUDGE_EVERY_S = 0.5
"""Pause between two looks of the guard."""

MIN_SECONDS = 1.0
MIN_ANSWERED = 50
"""Before it watched so long, and saw so many answers, the guard does not judge the traffic."""

LONGEST_S = 1e6
"""No service time counts as longer."""


class Decision(NamedTuple):
    """Where a request goes, and what that followed from."""

    expected: Expectation
    belongs: Tier
    choice: Choice
    among: Sequence[WorkerView]


class TieredRouter(Router):
    """Sends a request to the tier that its expected time calls for, and in it to its session's worker.

    Args:
        setup: of the router.
        estimator: expects service times.
    """

    keeps_sessions: ClassVar[bool] = True

    def __init__(self, setup: RouterSetup, estimator: Estimator) -> None:
        # They need numpy, which takes long to import; to list plugins nobody should wait for it.
        from tiergate_plugins.routing.guard import Guard
        from tiergate_plugins.routing.watch import Watch

        super().__init__(setup)
        self._estimator = estimator
        self._affinity = Affinity()
        self._guard = Guard(setup.cutoffs, _trained_variability(setup))
        self._watch = Watch()
        self._pool = PoolView([])
        self._began: float | None = None
        self._judged_at = 0.0

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """The tier of the estimate, and in it the session's worker."""
        decision = self._decide(facts, pool)
        choice = decision.choice
        now = self.setup.clock()
        if self._began is None:
            self._began = self._judged_at = now
        self._watch.arrived(choice.estimate_s, now)
        self._affinity.placed(facts.session, choice, decision.among)
        self._pool = pool
        return choice

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """The decision, with the estimate and how sure it is."""
        decision = self._decide(facts, pool)
        expected, choice = decision.expected, decision.choice
        return Explanation(
            features=features_of(facts),
            estimate_s=choice.estimate_s,
            uncertainty=expected.factor(),
            tier=choice.tier,
            worker=choice.worker,
            reason=self._reason(decision),
        )

    def completed(self, facts: RequestFacts, choice: Choice, service_s: float) -> None:
        """Learn from what it took, and have the guard look at the traffic now and then."""
        if not isfinite(service_s) or service_s < 0:
            return
        self._estimator.learn(facts, service_s)
        now = self.setup.clock()
        self._watch.served(choice.estimate_s, min(service_s, LONGEST_S), now)
        if self._began is not None and now - self._judged_at >= JUDGE_EVERY_S:
            self._judged_at = now
            self._judge(now, now - self._began)

    def notices(self) -> Sequence[str]:
        """What the guard did so far."""
        return self._guard.notices()

    def _decide(self, facts: RequestFacts, pool: PoolView) -> Decision:
        expected = self._estimator.expect(facts)
        belongs = expected.tier(self._guard.cutoffs)
        tier, workers = serving(belongs, pool)
        if self._guard.has_stepped_back and has_tiers(pool):
            # A worker that has yet to be started has the least work left of all.
            worker = lightest(pool) if workers else None
            there, name = (worker.tier, worker.name) if worker else (tier, None)
            choice = Choice(there, name, expected.seconds, is_fallback=True)
            return Decision(expected, belongs, choice, [worker] if worker else [])
        choice = self._affinity.choice(tier, facts.session, expected.seconds, workers)
        return Decision(expected, belongs, choice, workers)

    def _judge(self, now: float, watched_s: float) -> None:
        traffic = self._watch.traffic(now)
        if traffic is None or watched_s < MIN_SECONDS or self._watch.answered(now) < MIN_ANSWERED:
            return
        if not has_tiers(self._pool):
            return
        workers = dict(self._pool.capacity) or Counter(worker.tier for worker in self._pool.workers)
        self._guard.judge(traffic, workers, watched_s)

    def _reason(self, decision: Decision) -> str:
        guard, choice = self._guard, decision.choice
        expected, cutoffs = decision.expected, guard.cutoffs
        if choice.is_fallback:
            return f"Stepped back to the least work left: {guard.reason}."
        about = f"about {1000 * expected.seconds:.3g} ms are expected, from {expected.basis}"
        if expected.spread is not None:
            chance = expected.chances(cutoffs)[TIERS.index(decision.belongs)]
            about += f"; the {decision.belongs} tier is right with a probability of {chance:.2f}"
        limits = f"hot below {1000 * cutoffs.hot_s:.3g} ms, warm below {1000 * cutoffs.warm_s:.3g} ms"
        if choice.tier != decision.belongs:
            return f"The {decision.belongs} tier has no worker, {choice.tier} stands in: {about} ({limits})."
        return f"The {choice.tier} tier: {about} ({limits})."


def has_tiers(pool: PoolView) -> bool:
    """Whether there is more than one tier; a single one has nothing to starve, and nothing to set aside."""
    return len({*pool.capacity, *(worker.tier for worker in pool.workers)}) > 1


def serving(tier: Tier, pool: PoolView) -> tuple[Tier, list[WorkerView]]:
    """The tier that serves what belongs in `tier`, and its workers: the nearest with any, colder ones first.

    A tier that starts workers on demand serves without one; then the list is empty.

    Raises:
        LookupError: the pool has no worker, and no tier that could start one.
    """
    position = TIERS.index(tier)
    for candidate in (tier, *TIERS[position + 1 :], *reversed(TIERS[:position])):
        workers = pool.of_tier(candidate)
        if workers or pool.capacity.get(candidate):
            return candidate, workers
    raise LookupError("no worker is ready")


def _trained_variability(setup: RouterSetup) -> float | None:
    """Variability of the service time in the training trace; None for too few requests."""
    from tiergate.tiering import Traffic

    if len(setup.training) < MIN_ANSWERED:
        return None
    return Traffic.of([seen.service_s for seen in setup.training], 1.0).variability()
