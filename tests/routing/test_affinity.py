"""Which worker of a tier takes a session: where it begins, how long it stays, and where it goes then."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import accumulate
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.routing import Choice, WorkerView
from tiergate_plugins.routing import affinity
from tiergate_plugins.routing.affinity import BOUND, SLACK, Affinity, TierAffinity, score

SESSIONS = [f"session-{number}" for number in range(400)]


def workers(count: int, waiting: dict[int, int] | None = None) -> list[WorkerView]:
    return [
        WorkerView(f"hot-{number}", "hot", (waiting or {}).get(number, 0), 0.0)
        for number in range(1, count + 1)
    ]


def without(views: list[WorkerView], name: str) -> list[WorkerView]:
    return [view for view in views if view.name != name]


def route(tier: TierAffinity, session: str, views: list[WorkerView]) -> str:
    worker = tier.pick(session, views)
    tier.placed(session, worker, views)
    return worker


def zipf(seed: int, exponent: float, count: int, sessions: int = 200) -> list[str]:
    weights = list(accumulate(1 / rank**exponent for rank in range(1, sessions + 1)))
    return Random(seed).choices(SESSIONS[:sessions], cum_weights=weights, k=count)


def replay(sessions: list[str], count: int) -> tuple[float, float]:
    """Hit rate, and the load of the busiest worker over the mean."""
    tier, views = TierAffinity(), workers(count)
    last: dict[str, str] = {}
    hits = 0
    loads: Counter[str] = Counter()
    for session in sessions:
        worker = route(tier, session, views)
        hits += last.get(session) == worker
        last[session] = worker
        loads[worker] += 1
    return hits / (len(sessions) - len(last)), max(loads.values()) * count / len(sessions)


@pytest.mark.parametrize("count", [2, 4, 8, 16])
@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.2])
def test_popular_sessions_stay_together_and_no_worker_gets_too_much(count: int, exponent: float) -> None:
    hits, largest = replay(zipf(5, exponent, 6000), count)
    assert hits >= 0.9
    assert largest <= BOUND


def test_a_session_begins_where_the_hash_is_highest() -> None:
    views = workers(5)
    for session in SESSIONS:
        best = max(views, key=lambda view: score(session, view.name)).name
        assert TierAffinity().pick(session, views) == best


def test_deciding_changes_nothing() -> None:
    tier, views = TierAffinity(), workers(3)
    for session in zipf(1, 1.0, 300):
        assert len({tier.pick(session, views) for _ in range(3)}) == 1
        route(tier, session, views)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_a_dead_worker_moves_its_own_sessions_only(count: int) -> None:
    tier, views = TierAffinity(), workers(count)
    before = {session: route(tier, session, views) for session in SESSIONS}
    left = without(views, "hot-2")
    # Without remembering, so that no worker comes near the bound.
    after = {session: tier.pick(session, left) for session in SESSIONS}
    moved = {session for session in SESSIONS if before[session] != after[session]}
    assert moved == {session for session in SESSIONS if before[session] == "hot-2"}
    assert len({after[session] for session in moved}) == count - 1


@settings(max_examples=60)
@given(st.integers(2, 12), st.floats(0.5, 1.5), st.integers(0, 10**6), st.data())
def test_a_death_disturbs_no_session_of_a_worker_within_the_bound(
    count: int, exponent: float, seed: int, data: st.DataObject
) -> None:
    tier, views = TierAffinity(), workers(count)
    owners = {session: route(tier, session, views) for session in zipf(seed, exponent, 400)}
    dead = data.draw(st.sampled_from([view.name for view in views]))
    left = without(views, dead)
    loads = {view.name: tier.recent(view.name) for view in left}
    allowed = BOUND * (sum(loads.values()) + 1) / len(left) + SLACK - 1
    for session, owner in owners.items():
        chosen = tier.pick(session, left)
        assert chosen != dead
        if owner != dead and loads[owner] <= allowed:
            assert chosen == owner


@settings(max_examples=60)
@given(st.integers(2, 12), st.floats(0.0, 3.0), st.integers(0, 10**6))
def test_no_worker_takes_a_request_beyond_the_bound(count: int, exponent: float, seed: int) -> None:
    tier, views = TierAffinity(), workers(count)
    for session in zipf(seed, exponent, 500):
        chosen = tier.pick(session, views)
        total = sum(tier.recent(view.name) for view in views)
        assert tier.recent(chosen) <= BOUND * (total + 1) / count + SLACK
        tier.placed(session, chosen, views)


def test_a_session_leaves_a_worker_where_too_much_waits_and_does_not_return() -> None:
    tier = TierAffinity()
    home = route(tier, "s", workers(3))
    number = int(home[-1])
    away = route(tier, "s", workers(3, waiting={number: 9}))
    assert away != home
    assert route(tier, "s", workers(3)) == away


def test_it_goes_to_the_worker_with_the_most_room() -> None:
    tier = TierAffinity()
    home = int(route(tier, "s", workers(4))[-1])
    other, third, fourth = (number for number in range(1, 5) if number != home)
    waiting = {home: 9, other: 2, third: 0, fourth: 1}
    assert tier.pick("s", workers(4, waiting)) == f"hot-{third}"


def test_a_tier_that_is_full_everywhere_still_serves() -> None:
    tier = TierAffinity()
    views = workers(3, waiting={1: 1000, 2: 1000, 3: 1000})
    assert {tier.pick(session, views) for session in SESSIONS} == {"hot-1", "hot-2", "hot-3"}


def test_old_sessions_are_forgotten() -> None:
    tier, views = TierAffinity(remembered=10), workers(2)
    for session in ("kept", *SESSIONS[:8], "kept", *SESSIONS[8:17]):
        route(tier, session, views)
    assert set(tier.owners()) == {"kept", *SESSIONS[8:17]}


def test_loads_survive_very_many_requests() -> None:
    tier, views = TierAffinity(), workers(2)
    for session in SESSIONS * 200:
        route(tier, session, views)
    assert sum(tier.recent(view.name) for view in views) == pytest.approx(2 * affinity.WINDOW, rel=0.05)


def test_a_worker_that_was_away_for_long_is_welcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affinity, "_RESCALE", 1.5)
    tier, views = TierAffinity(), workers(3)
    home = route(tier, "s", views)
    for session in SESSIONS:
        route(tier, session, without(views, home))
    assert tier.recent(home) == 0.0
    assert tier.pick("s", views) == home


def test_requests_without_a_session_go_to_whoever_is_free() -> None:
    assert Affinity().choice("warm", None, 0.5, workers(2)) == Choice("warm", None, 0.5)


def test_a_tier_that_starts_its_workers_on_demand_names_none() -> None:
    assert Affinity().choice("cold", "s", 0.5, []) == Choice("cold", None, 0.5)


def test_each_tier_has_its_own_sessions() -> None:
    both = Affinity()
    hot, cold = workers(4), [WorkerView(f"cold-{number}", "cold", 0, 0.0) for number in range(1, 5)]
    for session in SESSIONS[:50]:
        both.placed(session, both.choice("hot", session, 0.0, hot), hot)
    alone = Affinity()
    for session in SESSIONS:
        expected = alone.choice("cold", session, 0.0, cold)
        assert both.choice("cold", session, 0.0, cold) == expected


def test_sessions_begin_at_the_same_worker_in_every_process(tmp_path: Path) -> None:
    script = (
        "from tiergate.routing import WorkerView\n"
        "from tiergate_plugins.routing.affinity import TierAffinity\n"
        "views = [WorkerView(f'hot-{n}', 'hot', 0, 0.0) for n in (1, 2, 3)]\n"
        "print(*(TierAffinity().pick(f'session-{n}', views) for n in range(400)))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert found == [[TierAffinity().pick(session, workers(3)) for session in SESSIONS]] * 2


@given(st.text(st.characters()), st.integers(1, 4))
def test_any_text_is_a_session(session: str, count: int) -> None:
    views = workers(count)
    assert TierAffinity().pick(session, views) in {view.name for view in views}
