"""Shedding load: the long classes first, none for ever; under a given clock, and with a full queue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_calls import Clock, Noted, dispatching, made_call, pool_spec

from tiergate.dispatch import Shed
from tiergate.pool import Overloaded, Pool
from tiergate.recovery.shedding import EASED, LOOK_S, PARTS, PATIENCE, TRICKLE_S, Shedder
from tiergate.routing import TIERS, PoolView, WorkerView

LIMIT = 100
DEADLINE_S = 10.0


@dataclass
class Waits:
    """A pool with one worker a tier, and so much to do."""

    waiting: int = 0
    work_left_s: Mapping[str, float] = field(default_factory=dict)

    def unanswered(self) -> int:
        return self.waiting

    def view(self) -> PoolView:
        return PoolView([WorkerView(f"{tier}-1", tier, 0, self.work_left_s.get(tier, 0.0)) for tier in TIERS])


def made() -> tuple[Shedder, Waits, Clock, Noted]:
    waits, clock, noted = Waits(), Clock(), Noted()
    return Shedder(cast(Pool, waits), LIMIT, DEADLINE_S, noted, clock), waits, clock, noted


def is_let_in(shedder: Shedder, tier: str | None) -> bool:
    try:
        shedder.admit(made_call(tier=tier))
    except Shed:
        return False
    return True


def use_trickle(shedder: Shedder, tiers: Sequence[str] = TIERS) -> None:
    """Take the call that each tier is let in once a second."""
    for tier in tiers:
        is_let_in(shedder, tier)


def test_nothing_is_turned_away_while_the_queue_is_short() -> None:
    shedder, waits, _, noted = made()
    waits.waiting = int(PARTS["cold"] * LIMIT) - 1
    assert all(is_let_in(shedder, tier) for tier in (*TIERS, None) for _ in range(3))
    assert noted.kinds == []


def test_the_message_says_why_and_until_when() -> None:
    shedder, waits, _, _ = made()
    waits.waiting, waits.work_left_s = 60, {"cold": 7.2}
    use_trickle(shedder)
    with pytest.raises(Shed, match=r"tier cold: .*60 requests wait, of 100 at most \(try again in 7 s\)"):
        shedder.admit(made_call(tier="cold"))
    assert shedder.troubles() == ["calls of the cold tier are turned away: 60 requests wait, of 100 at most"]


@given(st.integers(0, LIMIT))
def test_the_longer_classes_are_turned_away_first(waiting: int) -> None:
    shedder, waits, _, _ = made()
    waits.waiting = waiting
    use_trickle(shedder)
    hot, warm, cold = (is_let_in(shedder, tier) for tier in TIERS)
    assert hot >= warm >= cold


def test_a_tier_whose_work_takes_longer_than_callers_wait_is_shed_alone() -> None:
    shedder, waits, _, _ = made()
    waits.work_left_s = {"warm": PATIENCE * DEADLINE_S + 1}
    use_trickle(shedder)
    assert [is_let_in(shedder, tier) for tier in TIERS] == [True, False, True]


def test_work_that_grows_is_noticed_soon_and_not_looked_for_at_every_call() -> None:
    shedder, waits, clock, _ = made()
    looked = 0
    view = waits.view

    def counted() -> PoolView:
        nonlocal looked
        looked += 1
        return view()

    waits.view = counted  # type: ignore[method-assign]
    for _ in range(50):
        assert is_let_in(shedder, "cold")
    assert looked == 1
    waits.work_left_s = {"cold": PATIENCE * DEADLINE_S + 1}
    clock.now += 2 * LOOK_S
    use_trickle(shedder)
    assert not is_let_in(shedder, "cold")


def test_it_ends_well_below_where_it_began_and_not_with_every_other_call() -> None:
    shedder, waits, _, noted = made()
    begins = int(PARTS["cold"] * LIMIT)
    for waiting in (begins, begins - 1, begins, begins - 1, int(EASED * begins)):
        waits.waiting = waiting
        is_let_in(shedder, "cold")
    assert noted.kinds == ["shedding"]
    waits.waiting = int(EASED * begins) - 1
    assert is_let_in(shedder, "cold")
    assert noted.kinds == ["shedding", "shedding-ended"]


def test_it_is_over_once_one_looks_even_if_nobody_calls() -> None:
    shedder, waits, _, noted = made()
    waits.waiting = LIMIT
    is_let_in(shedder, "cold")
    waits.waiting = 0
    assert shedder.troubles() == []
    assert noted.kinds == ["shedding", "shedding-ended"]


@given(st.lists(st.floats(0.01, 0.4), min_size=30, max_size=120), st.sampled_from(TIERS))
def test_no_class_starves_for_ever(pauses: list[float], tier: str) -> None:
    shedder, waits, clock, _ = made()
    waits.waiting = LIMIT
    let_in = [clock.now] if is_let_in(shedder, tier) else []
    for pause in pauses:
        clock.now += pause
        if is_let_in(shedder, tier):
            let_in.append(clock.now)
    gaps = [after - before for before, after in zip(let_in, [*let_in[1:], clock.now], strict=True)]
    assert let_in[0] == Clock().now
    assert max(gaps) < TRICKLE_S + 0.4
    assert all(gap >= TRICKLE_S for gap in gaps[:-1])


@pytest.mark.integration
@pytest.mark.usefixtures("faulty_modules")
def test_a_full_queue_of_real_workers_is_refused_with_words_and_served_afterwards(tmp_path: Path) -> None:
    limit, noted = 8, Noted()

    async def drive() -> list[object]:
        async with dispatching(pool_spec(tmp_path, queue_limit=limit)) as dispatcher:
            dispatcher.gatekeepers.append(Shedder(dispatcher.pool, limit, DEADLINE_S, noted))
            naps = [
                asyncio.create_task(dispatcher.call("nap", None, {"seconds": 0.1})) for _ in range(3 * limit)
            ]
            ended = await asyncio.gather(*naps, return_exceptions=True)
            await dispatcher.call("nap", None, {})
            return list(ended)

    ended = asyncio.run(drive())
    turned_away = [error for error in ended if isinstance(error, BaseException)]
    assert turned_away
    assert all(isinstance(error, Shed | Overloaded) for error in turned_away)
    assert len(ended) - len(turned_away) >= limit - 1
    assert noted.kinds == ["shedding", "shedding-ended"]
