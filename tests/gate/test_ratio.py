"""The ratio of two sides: what it must not depend on, how noise is borne, and whether its intervals hold."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.gate.ratio import Estimate, estimate
from tiergate.gate.student import t_above, t_quantile
from tiergate.record import GatePair

seconds = st.floats(1e-7, 10.0, allow_nan=False)
samples = st.lists(
    st.lists(st.builds(GatePair, seconds, seconds), min_size=1, max_size=8), min_size=2, max_size=12
)


def drawn(random: np.random.Generator, generations: int, ratio: float = 1.0) -> list[list[GatePair]]:
    """Pairs as a busy machine gives them.

    Most spells of slowness cover both blocks of a pair, some one of them; each layout favours a side.
    """
    found = []
    for _ in range(generations):
        favour = exp(random.normal(0, 0.01))
        spell = np.where(random.random(60) < 0.5, 1.0, random.uniform(1.5, 2.0, 60))
        own = np.where(random.random((2, 60)) < 0.1, random.uniform(1.2, 2.0, (2, 60)), 1.0)
        base, new = spell * own * np.exp(random.normal(0, 0.05, (2, 60)))
        times = zip(base, new * ratio * favour, strict=True)
        found.append([GatePair(float(one), float(other)) for one, other in times])
    return found


@given(samples)
def test_exchanging_the_sides_inverts_the_ratio(generations: list[list[GatePair]]) -> None:
    there = estimate(generations)
    back = estimate([[GatePair(pair.new_s, pair.base_s) for pair in pairs] for pairs in generations])
    assert back.log_ratio == pytest.approx(-there.log_ratio, abs=1e-9)
    assert back.freedom == there.freedom


@given(samples, st.floats(0.01, 100.0))
def test_a_machine_that_is_faster_changes_nothing(generations: list[list[GatePair]], factor: float) -> None:
    faster = [
        [GatePair(pair.base_s * factor, pair.new_s * factor) for pair in pairs] for pairs in generations
    ]
    assert estimate(faster).log_ratio == pytest.approx(estimate(generations).log_ratio, abs=1e-9)


@given(samples)
def test_the_interval_holds_the_ratio_and_widens_with_confidence(generations: list[list[GatePair]]) -> None:
    found = estimate(generations)
    narrow, wide = found.interval(0.9), found.interval(0.99)
    assert wide[0] < narrow[0] < found.ratio < narrow[1] < wide[1]
    assert found.error > 0


@given(samples)
def test_equal_samples_give_equal_estimates(generations: list[list[GatePair]]) -> None:
    assert estimate(generations) == estimate(generations)


@pytest.mark.parametrize("generations", [[], [[GatePair(1, 1)]], [[GatePair(1, 1)], []]])
def test_one_generation_has_no_interval(generations: Sequence[Sequence[GatePair]]) -> None:
    with pytest.raises(ValueError, match="at least two generations"):
        estimate(generations)


def test_a_generation_whose_layout_favours_one_side_by_half_hardly_moves_the_ratio() -> None:
    random = np.random.default_rng(3)
    generations = drawn(random, 12)
    odd = [GatePair(pair.base_s, pair.new_s * 1.5) for pair in generations[4]]
    moved = estimate([*generations[:4], odd, *generations[5:]])
    assert abs(moved.log_ratio) < 0.015
    assert abs(moved.log_ratio) < log(1.5) / 12, "less than a mean would move"


def test_spells_of_slowness_do_not_hide_a_slowdown() -> None:
    found = estimate(drawn(np.random.default_rng(4), 20, ratio=1.05))
    assert found.ratio == pytest.approx(1.05, abs=0.012)
    assert found.interval()[0] > 1.02


def test_95_percent_intervals_hold_the_truth_about_so_often() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(300):
        low, high = estimate(drawn(random, 9, ratio=1.03)).interval()
        covered += low < 1.03 < high
    assert covered / 300 > 0.92


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 33])
@pytest.mark.parametrize("chance", [0.6, 0.9, 0.975, 0.999, 0.99999])
def test_students_t_agrees_with_scipy(freedom: int, chance: float) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy comes with tiergate[reconcile]")
    assert t_quantile(chance, freedom) == pytest.approx(stats.t.ppf(chance, freedom), rel=1e-9)
    value = stats.t.ppf(chance, freedom)
    assert t_above(value, freedom) == pytest.approx(1 - chance, rel=1e-6)
    assert t_above(-value, freedom) == pytest.approx(chance, rel=1e-9)


def test_the_chance_of_an_estimate_within_the_margin_is_no_evidence() -> None:
    assert Estimate(0.005, 0.001, 9, 8).chance_beyond(0.01) > 0.5
    assert Estimate(0.03, 0.001, 9, 8).chance_beyond(0.01) < 1e-6
