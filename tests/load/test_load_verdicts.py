"""What a run says when it cannot be judged: too alike, too few, or past its knee."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tiergate.load import remarks as remarks_module
from tiergate.load.cutoffs import TrainingTrace, all_hot, search
from tiergate.load.remarks import falling_behind, remarks, too_few
from tiergate.record import NOTHING_TO_TIER
from tiergate.routing import TIERS

WORKERS = {"hot": 2, "warm": 1, "cold": 2}


def training(service: list[float]) -> TrainingTrace:
    starts = [0.01 * number for number in range(len(service))]
    return TrainingTrace(starts=starts, service=service, low=service, high=service)


@pytest.mark.parametrize("service", [[0.002] * 50, [0.002, 0.0021] * 25])
def test_requests_that_cannot_be_parted_are_all_hot(service: list[float]) -> None:
    with pytest.raises(ValueError, match="too alike"):
        search(training(service), WORKERS)
    found = all_hot(training(service), WORKERS)
    assert {found.cutoffs.tier(one) for one in service} == {TIERS[0]}
    assert found.ambiguous == 0
    assert found.short_slowdown_p95 >= 1


def prepared(short_s: float, long_s: float, requests: int = 400) -> Any:
    """As much of a preparation as a verdict looks at: as many requests of each tier, all of them short."""
    return SimpleNamespace(
        is_sealed=True,
        timetable=SimpleNamespace(requests=[None] * requests),
        training=SimpleNamespace(short_s=short_s, long_s=long_s),
        labels=[TIERS[number % 3] for number in range(requests)],
        judged=SimpleNamespace(sealed=SimpleNamespace(all_service_s=lambda: [short_s] * requests)),
        rate_rps=100.0,
    )


def plan(*, is_routed: bool = True, clients: int | None = None) -> Any:
    return SimpleNamespace(is_routed=is_routed, effort=SimpleNamespace(rounds=3), clients=clients)


@pytest.mark.parametrize(("times", "says"), [(1.0, True), (3.9, True), (4.1, False), (100.0, False)])
def test_service_times_that_hardly_differ_are_nothing_to_tier(times: float, says: bool) -> None:
    reasons = too_few(plan(), prepared(0.001, 0.001 * times))
    assert [reason.startswith(NOTHING_TO_TIER) for reason in reasons] == [True] * says


def test_a_target_without_tiers_is_not_judged_by_them() -> None:
    assert too_few(plan(is_routed=False), prepared(0.001, 0.002)) == []
    few = too_few(plan(is_routed=False), prepared(0.001, 0.002, requests=30))
    assert few == ["30 short requests in the trace; a 95th percentile needs 200"]


@pytest.mark.parametrize(
    ("achieved", "clients", "says"), [(89.0, None, True), (91.0, None, False), (5.0, 8, False)]
)
def test_who_falls_behind_what_is_offered_is_named(achieved: float, clients: int | None, says: bool) -> None:
    variant: Any = SimpleNamespace(name="random", achieved_rps=achieved)
    said = list(falling_behind(plan(clients=clients), prepared(0.001, 0.1), variant))
    assert ["random fell behind: 89 of 100 requests/s" in one for one in said] == [True] * says


def test_where_there_is_nothing_to_tier_no_remark_is_about_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks_module, "_on_tiers", lambda _plan, _prepared: ["about tiers"])
    given = SimpleNamespace(is_routed=True, is_of_tools=False, oracle_cache=None, sessions=None, clients=None)
    for spread, says in ((2.0, []), (100.0, ["about tiers"])):
        made = prepared(0.001, 0.001 * spread)
        made.sealed_at, made.refused = "", {}
        assert remarks(given, made, {}, [], []) == says
