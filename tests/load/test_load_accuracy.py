"""Scores of tier accuracy against hand-computed ones, and their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.load.accuracy import (
    Judged,
    by_payload_size,
    confusion,
    control,
    errors,
    majority,
    score_intervals,
    scores,
)
from tiergate.routing import TIERS, RequestFacts, Tier

MakeFacts = Callable[..., RequestFacts]
Pairs = Sequence[tuple[Tier, Tier]]
PAIRS = st.lists(st.tuples(st.sampled_from(TIERS), st.sampled_from(TIERS)), min_size=1, max_size=60)


def judged_of(make_facts: MakeFacts, pairs: Pairs, *, groups: int | None = None) -> list[Judged]:
    """Requests by label and choice, each of another session, or of so many sessions in turn."""
    return [
        Judged(make_facts(number, session=f"s{number % groups if groups else number}"), label, chosen)
        for number, (label, chosen) in enumerate(pairs)
    ]


def by_hand(pairs: Pairs) -> tuple[float, float, float]:
    recalls, f1s = [], []
    for tier in TIERS:
        hits = sum(label == chosen == tier for label, chosen in pairs)
        belong = sum(label == tier for label, _ in pairs)
        chose = sum(chosen == tier for _, chosen in pairs)
        if belong:
            recall, precision = hits / belong, hits / chose if chose else 0.0
            recalls.append(recall)
            f1s.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(label == chosen for label, chosen in pairs) / len(pairs), fmean(recalls), fmean(f1s)


def test_scores_of_a_small_example(make_facts: MakeFacts) -> None:
    counts: dict[tuple[Tier, Tier], int] = {
        ("hot", "hot"): 6,
        ("hot", "warm"): 2,
        ("warm", "warm"): 1,
        ("warm", "cold"): 1,
        ("cold", "cold"): 2,
    }
    pairs = [pair for pair, count in counts.items() for _ in range(count)]
    matrix = confusion(judged_of(make_facts, pairs))
    assert matrix.tolist() == [[6, 2, 0], [0, 1, 1], [0, 0, 2]]
    found = scores(matrix)
    assert found.accuracy == pytest.approx(9 / 12)
    assert found.balanced_accuracy == pytest.approx((6 / 8 + 1 / 2 + 1) / 3)
    assert found.macro_f1 == pytest.approx((12 / 14 + 2 / 5 + 4 / 5) / 3)


@given(PAIRS)
def test_scores_agree_with_their_definitions(make_facts: MakeFacts, pairs: Pairs) -> None:
    found = scores(confusion(judged_of(make_facts, pairs)))
    assert (found.accuracy, found.balanced_accuracy, found.macro_f1) == pytest.approx(by_hand(pairs))


def test_a_tier_that_does_not_occur_is_not_scored(make_facts: MakeFacts) -> None:
    found = scores(confusion(judged_of(make_facts, [("hot", "hot"), ("hot", "cold"), ("warm", "warm")])))
    assert found.balanced_accuracy == pytest.approx((1 / 2 + 1) / 2)


def test_always_hot_scores_well_by_raw_accuracy_only(make_facts: MakeFacts) -> None:
    found = scores(confusion(judged_of(make_facts, [("hot", "hot")] * 95 + [("cold", "hot")] * 5)))
    assert found.accuracy == 0.95
    assert found.balanced_accuracy == 0.5


def test_nothing_judged_is_no_score() -> None:
    with pytest.raises(ValueError, match="no request was judged"):
        scores(np.zeros((3, 3), dtype=int))


@settings(max_examples=40, deadline=None)
@given(PAIRS, st.integers(1, 20))
def test_an_interval_holds_its_value_and_stays_within_0_and_1(
    make_facts: MakeFacts, pairs: Pairs, groups: int
) -> None:
    judged = judged_of(make_facts, pairs, groups=groups)
    found = scores(confusion(judged))
    for name, (low, high) in score_intervals(judged, 1).items():
        assert 0 <= low <= getattr(found, name) <= high <= 1 + 1e-12
        assert low < high


def test_an_interval_is_not_degenerate_when_all_are_right(make_facts: MakeFacts) -> None:
    pairs: Pairs = [(tier, tier) for tier in TIERS for _ in range(20)]
    for low, high in score_intervals(judged_of(make_facts, pairs), 1).values():
        assert 0.8 < low < 0.99
        assert high == 1.0


def test_an_interval_widens_where_requests_resemble_each_other(make_facts: MakeFacts) -> None:
    pairs: Pairs = [("hot", "hot"), ("warm", "warm"), ("cold", "cold"), ("hot", "warm")] * 60
    widths = []
    for groups in (240, 40, 8, 4):
        low, high = score_intervals(judged_of(make_facts, pairs, groups=groups), 1)["balanced_accuracy"]
        widths.append(high - low)
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]


def test_an_interval_depends_on_its_seed_alone(make_facts: MakeFacts) -> None:
    judged = judged_of(make_facts, [("hot", "hot"), ("cold", "warm"), ("cold", "cold")] * 5)
    assert score_intervals(judged, 4) == score_intervals(judged, 4)


def test_intervals_hold_the_true_rate_about_as_often_as_they_claim(make_facts: MakeFacts) -> None:
    random = np.random.default_rng(9)
    held = 0
    for _ in range(150):
        pairs: Pairs = [
            (tier, tier if random.random() < rate else TIERS[TIERS.index(tier) - 1])
            for tier, rate, count in (("hot", 0.95, 60), ("warm", 0.8, 30), ("cold", 0.9, 20))
            for _ in range(count)
        ]
        low, high = score_intervals(judged_of(make_facts, pairs), 1)["balanced_accuracy"]
        held += low <= (0.95 + 0.8 + 0.9) / 3 <= high
    assert held / 150 > 0.9


def test_errors_are_grouped_with_the_first_example(make_facts: MakeFacts) -> None:
    pairs: Pairs = [("hot", "hot"), ("hot", "warm"), ("cold", "warm"), ("hot", "warm")]
    found = errors(judged_of(make_facts, pairs))
    assert [(one.belongs, one.chosen, one.requests, one.example) for one in found] == [
        ("hot", "warm", 2, 1),
        ("cold", "warm", 1, 2),
    ]


@given(st.sets(st.sampled_from(TIERS), min_size=1), st.integers(1, 9))
def test_the_majority_reaches_one_over_the_number_of_tiers(
    make_facts: MakeFacts, occurring: set[Tier], more: int
) -> None:
    first, *rest = sorted(occurring)
    labels = [first] * (more + 1) + list(rest)
    facts = [make_facts(number) for number in range(len(labels))]
    found = control("majority", facts, labels, majority(labels, len(labels)))
    assert found.balanced_accuracy == pytest.approx(1 / len(occurring))
    assert found.accuracy == pytest.approx((more + 1) / len(labels))


def test_payload_size_parts_what_it_can_part() -> None:
    training: list[tuple[int, Tier]] = [(10 + n % 5, "hot") for n in range(80)]
    training += [(500 + n % 5, "cold") for n in range(20)]
    assert by_payload_size(training, [11, 502, 9, 900]) == ["hot", "cold", "hot", "cold"]


def test_payload_size_says_nothing_where_all_are_alike() -> None:
    training: list[tuple[int, Tier]] = [(10, "hot"), (10, "hot"), (10, "cold"), (10, "warm")]
    assert len(set(by_payload_size(training, [10, 20, 30]))) == 1
