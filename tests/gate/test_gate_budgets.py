"""Budgets: read with their units, or refused with an example."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.errors import UsageError
from tiergate.gate.budgets import parse_budget, parse_budgets, titles

TIME = "by_length.short.response_ms.p95"
SHARE = "tier_accuracy.balanced_accuracy"


@pytest.mark.parametrize(
    ("metric", "text", "comparison", "limit"),
    [
        (TIME, "< 100 ms", "<", 100.0),
        (TIME, "<100ms", "<", 100.0),
        (TIME, "  <= 0.25 s ", "<=", 250.0),
        (TIME, "< 250 us", "<", 0.25),
        (TIME, "< 250 µs", "<", 0.25),
        (TIME, "< 1e-1 S", "<", 100.0),
        ("lateness_ms.p99", "> 2 s", ">", 2000.0),
        (SHARE, "> 0.9", ">", 0.9),
        (SHARE, ">= 90 %", ">=", 0.9),
        (SHARE, ">= 90%", ">=", 0.9),
        ("requests.lost", "= 0", "=", 0.0),
        ("slowdown", "> -1.5", ">", -1.5),
        ("achieved_rps", "> 1e3", ">", 1000.0),
    ],
)
def test_a_budget_is_read_with_its_unit(metric: str, text: str, comparison: str, limit: float) -> None:
    budget = parse_budget(metric, text)
    assert (budget.metric, budget.comparison) == (metric, comparison)
    assert budget.limit == pytest.approx(limit)
    assert budget.text == text.strip()


@pytest.mark.parametrize(
    ("metric", "text", "message"),
    [
        (TIME, "fast", "'fast' is not a budget (write for example '< 100 ms')"),
        (SHARE, "", "'' is not a budget (write for example '> 0.9')"),
        (TIME, "100 ms", "is not a budget"),
        (TIME, "== 100 ms", "is not a budget"),
        (TIME, "< 100 ms or so", "is not a budget"),
        (TIME, "< 100", "unit '' does not suit the metric (use 'us', 'µs', 'ms', 's')"),
        (TIME, "< 10 %", "unit '%' does not suit the metric"),
        (TIME, "< 2 h", "unit 'h' does not suit the metric"),
        (SHARE, "> 0.9 ms", "unit 'ms' does not suit the metric (use '', '%')"),
        (SHARE, "> 0.9.1", "'0.9.1' is not a number"),
        (SHARE, "> .", "'.' is not a number"),
    ],
)
def test_what_is_no_budget_is_refused_in_one_line(metric: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_budget(metric, text)
    line = str(caught.value)
    assert line.startswith(f"budget of {metric}: ")
    assert message in line
    assert "\n" not in line


@pytest.mark.parametrize("metric", ["tier_accuracy.balanced_acuracy", "by_length.short.response_ms.p59"])
def test_an_unknown_metric_gets_the_nearest_name(metric: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_budget(metric, "< 1")
    assert f"budgets: unknown metric {metric!r} (did you mean " in str(caught.value)


def test_a_metric_like_nothing_is_answered_with_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown metric 'qqqq' \(known: achieved_rps, "):
        parse_budget("qqqq", "> 1")


def test_a_gate_that_checks_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no budget to check"):
        parse_budgets({})


def test_a_table_keeps_its_order() -> None:
    found = parse_budgets({TIME: "< 1 s", SHARE: "> 0.5"})
    assert [budget.metric for budget in found] == [TIME, SHARE]


@given(st.sampled_from(["<", "<=", ">", ">=", "="]), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_a_budget_holds_as_its_comparison_says(comparison: str, limit: int, value: int) -> None:
    expected = {
        "<": value < limit,
        "<=": value <= limit,
        ">": value > limit,
        ">=": value >= limit,
        "=": value == limit,
    }
    assert parse_budget(SHARE, f"{comparison} {limit}").holds(value) is expected[comparison]


def test_known_metrics_have_a_name_for_people_and_others_keep_theirs() -> None:
    found = titles([SHARE, "resources.cpu_s"])
    assert found == {SHARE: "balanced tier accuracy", "resources.cpu_s": "resources.cpu_s"}
