"""The table of where the time of a decision goes."""

from __future__ import annotations

from random import Random

import pytest

from tiergate.routing import TIERS
from tiergate_plugins.routing import steps


def test_every_step_of_every_decision_takes_time() -> None:
    took = list(steps.steps(60))
    assert len(took) == 60
    assert {len(one) for one in took} == {len(steps.STEPS)}
    assert all(seconds > 0 for one in took for seconds in one)


def test_requests_reach_every_tier_and_return_to_their_sessions() -> None:
    seen = steps.requests(500)
    assert {steps.CUTOFFS.tier(one.service_s) for one in seen} == set(TIERS)
    assert len({one.facts.session for one in seen}) < 350
    assert {worker.tier for worker in steps.view(Random(1)).workers} == set(TIERS)


def test_quantiles_are_values_that_were_seen() -> None:
    assert steps.quantile_us([3e-6, 1e-6, 2e-6], 0.5) == pytest.approx(2.0)
    assert steps.quantile_us([3e-6, 1e-6, 2e-6], 0.95) == pytest.approx(2.0)
