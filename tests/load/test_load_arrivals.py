"""Arrivals: reproducible, ascending, and as random as they should be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.arrivals import BURST_PEAK, BURST_S, BURST_SHARE, NOMINAL_RPS, bursts, poisson

Arrivals = Callable[..., list[float]]


def gaps_of(starts: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise([0.0, *starts])]


def test_poisson_arrivals_have_the_mean_and_the_variance_of_their_rate() -> None:
    starts = poisson(11, 200_000, 50.0)
    gaps = gaps_of(starts)
    assert abs(fmean(gaps) * 50 - 1) < 0.01
    assert abs(pvariance(gaps) * 50**2 - 1) < 0.03
    # Memoryless: the share of gaps beyond the mean is 1/e, and neighbours know nothing of each other.
    assert abs(sum(gap > 1 / 50 for gap in gaps) / len(gaps) - 0.3679) < 0.005
    product = fmean(one * other for one, other in pairwise(gaps))
    assert abs(product * 50**2 - 1) < 0.02


@pytest.mark.parametrize("arrivals", [poisson, bursts])
@given(st.integers(0, 2**48), st.integers(0, 200))
def test_arrivals_ascend_and_depend_on_the_seed_alone(arrivals: Arrivals, seed: int, count: int) -> None:
    starts = arrivals(seed, count)
    assert len(starts) == count
    assert [0.0, *starts] == sorted([0.0, *starts])
    assert starts == arrivals(seed, count)
    assert count < 2 or starts != arrivals(seed + 1, count)


@given(st.integers(0, 2**48), st.integers(1, 300), st.floats(0.1, 1e5))
def test_bursts_keep_the_mean_rate_however_short(seed: int, count: int, rate: float) -> None:
    assert bursts(seed, count, rate)[-1] == pytest.approx(count / rate)


@pytest.mark.parametrize("seed", range(3))
def test_gaps_in_bursts_vary_as_the_process_says(seed: int) -> None:
    # Fischer & Meier-Hellstern, equation for the squared coefficient of variation of a two-state process.
    high = BURST_PEAK * NOMINAL_RPS
    low = NOMINAL_RPS * (1 - BURST_PEAK * BURST_SHARE) / (1 - BURST_SHARE)
    leave = 1 / BURST_S
    enter = leave * BURST_SHARE / (1 - BURST_SHARE)
    rates = high * low + high * enter + low * leave
    expected = 1 + 2 * leave * enter * (high - low) ** 2 / ((leave + enter) ** 2 * rates)
    assert expected == pytest.approx(5.0)
    gaps = gaps_of(bursts(seed, 200_000))
    assert pvariance(gaps) / fmean(gaps) ** 2 == pytest.approx(expected, rel=0.1)


def test_a_burst_comes_at_its_peak_rate_and_is_followed_by_calm() -> None:
    counts = [0] * 40_000
    width = BURST_S / 5
    for start in bursts(5, 80_000):
        counts[min(int(start / width), len(counts) - 1)] += 1
    expected = NOMINAL_RPS * width
    busy = sum(count > 2 * expected for count in counts) / len(counts)
    assert 0.7 * BURST_SHARE < busy < 1.3 * BURST_SHARE
    assert sum(count == 0 for count in counts) / len(counts) > 0.4


@pytest.mark.parametrize("arrivals", [poisson, bursts])
def test_the_same_pattern_at_another_rate_is_stretched(arrivals: Arrivals) -> None:
    assert arrivals(4, 500, 25.0) == pytest.approx([4 * start for start in arrivals(4, 500, 100.0)])
