"""Which worker of a tier takes a request, and what happens where the tier has none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.routing import TIERS, Choice, PoolView, Tier, WorkerView
from tiergate_plugins.routing.tiered import place

SESSIONS = [f"session-{number}" for number in range(400)]


def pool(**tiers: int) -> PoolView:
    return PoolView(
        [
            WorkerView(f"{tier}-{number}", tier, 0, 0.0)
            for tier, count in tiers.items()
            for number in range(1, count + 1)
        ]
    )


def without(view: PoolView, worker: str) -> PoolView:
    return PoolView([found for found in view.workers if found.name != worker])


def homes(view: PoolView, tier: Tier = "hot") -> dict[str, str | None]:
    return {session: place(tier, session, 0.0, view).worker for session in SESSIONS}


def test_a_session_stays_with_its_worker_whatever_the_load() -> None:
    loaded = [WorkerView(f"hot-{number}", "hot", 5 - number, 1.0 * number) for number in (3, 1, 2)]
    assert homes(PoolView(loaded)) == homes(pool(hot=3))


@pytest.mark.parametrize("workers", [2, 3, 4, 8])
def test_a_dead_worker_moves_its_own_sessions_only(workers: int) -> None:
    before = homes(pool(hot=workers))
    after = homes(without(pool(hot=workers), "hot-2"))
    moved = {session for session in SESSIONS if before[session] != after[session]}
    assert moved == {session for session in SESSIONS if before[session] == "hot-2"}
    assert moved
    # They spread over all that are left, and come back with it.
    assert len({after[session] for session in moved}) == workers - 1
    assert homes(pool(hot=workers)) == before


def test_sessions_spread_evenly() -> None:
    counts = Counter(homes(pool(hot=4)).values())
    assert len(counts) == 4
    assert max(counts.values()) < 2 * min(counts.values())


def test_requests_without_a_session_go_to_whoever_is_free() -> None:
    assert place("warm", None, 0.5, pool(hot=1, warm=2)) == Choice("warm", None, 0.5)


def test_the_estimate_is_passed_on() -> None:
    assert place("hot", "s", 0.25, pool(hot=1)) == Choice("hot", "hot-1", 0.25)
    assert place("hot", "s", 0.25, pool(hot=3)).estimate_s == 0.25


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
    view = pool(**dict.fromkeys(there, 2))
    assert place(wanted, None, 0.0, view) == Choice(taken, None, 0.0)
    chosen = place(wanted, "s", 0.0, view)
    assert chosen.tier == taken
    assert chosen.worker in {f"{taken}-1", f"{taken}-2"}


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("session", [None, "s"])
def test_a_pool_without_workers(tier: Tier, session: str | None) -> None:
    with pytest.raises(LookupError, match="no worker is ready"):
        place(tier, session, 0.0, PoolView([]))


@given(st.sampled_from(TIERS), st.none() | st.text(st.characters()), st.data())
def test_a_choice_always_names_a_worker_of_the_tier_it_names(
    tier: Tier, session: str | None, data: st.DataObject
) -> None:
    counts = {name: data.draw(st.integers(0, 3)) for name in TIERS}
    view = pool(**counts)
    if not view.workers:
        return
    chosen = place(tier, session, 0.0, view)
    assert chosen.tier is not None
    names = {worker.name for worker in view.of_tier(chosen.tier)}
    assert names
    assert (chosen.worker is None) == (session is None)
    assert chosen.worker is None or chosen.worker in names
    assert chosen.tier == tier or not counts[tier]


def test_sessions_have_the_same_worker_in_every_process(tmp_path: Path) -> None:
    script = (
        "from tiergate.routing import PoolView, WorkerView\n"
        "from tiergate_plugins.routing.tiered import place\n"
        "view = PoolView([WorkerView(f'hot-{n}', 'hot', 0, 0.0) for n in (1, 2, 3)])\n"
        "print(*(place('hot', f'session-{n}', 0.0, view).worker for n in range(400)))"
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
    assert found == [list(homes(pool(hot=3)).values())] * 2
