"""Figures, metric names and budgets in words."""

from __future__ import annotations

import doctest
import math

import pytest

from tiergate_reports import figures, metrics
from tiergate_reports.charts import scale
from tiergate_reports.table import cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.04213, "0.0421"),
        (9.996, "10.0"),
        (999.9, "1,000"),
        (123456.7, "123,457"),
        (-2.5, "-2.50"),
    ],
)
def test_numbers_keep_significant_digits(value: float, text: str) -> None:
    assert figures.number(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_said_to_be_unavailable(value: float) -> None:
    for write in (
        figures.number,
        figures.count,
        figures.milliseconds,
        figures.percent,
        figures.score,
        figures.ratio,
        figures.size,
    ):
        assert write(value) == "n/a"


def test_shares_are_not_rounded_to_none_or_all() -> None:
    assert [figures.percent(share) for share in (0, 0.00001, 0.5, 0.99999, 1)] == [
        "0 %",
        "< 0.1 %",
        "50.0 %",
        "> 99.9 %",
        "100 %",
    ]


def test_units_are_shown() -> None:
    assert figures.milliseconds(12.34) == "12.3 ms"
    assert figures.seconds(620.4) == "620 s"
    assert figures.per_second(79.7) == "79.7 requests/s"
    assert figures.size(412_300_000) == "393 MiB"
    assert figures.size(12) == "12.0 bytes"


def test_an_interval_of_a_count_is_not_shown() -> None:
    assert figures.span((0, 0)) == ""
    assert figures.span(None) == ""
    assert figures.span((1, 2), figures.milliseconds) == "1.00 ms to 2.00 ms"


def test_a_dash_never_meets_a_minus_sign() -> None:
    assert figures.compact_span((1, 2)) == "1.00–2.00"
    assert figures.compact_span((-1, 2)) == "-1.00 to 2.00"


def test_a_missing_figure_gives_its_reason() -> None:
    shown = cell(None, figures.number, reason="no long requests")
    assert (shown.text, shown.note, shown.tone) == ("n/a", "no long requests", "missing")
    assert cell(math.nan, figures.number).text == "n/a"


@pytest.mark.parametrize(
    ("metric", "words", "written"),
    [
        ("by_length.short.response_ms.p95", "p95 response time, short requests", "5.00 ms"),
        ("by_class.cold.response_ms.p999", "p99.9 response time, cold requests", "5.00 ms"),
        ("tier_accuracy.balanced_accuracy", "balanced tier accuracy", "5.000"),
        ("requests.lost", "lost requests", "5"),
        ("affinity.hit_rate", "affinity hit rate", "500.0 %"),
        ("resources.peak_rss_bytes", "peak memory", "5.00 bytes"),
        ("resources.worker_seconds", "worker seconds", "5.00 s"),
        ("achieved_rps", "achieved rate", "5.00 requests/s"),
        ("made.up", "made.up", "5.00"),
    ],
)
def test_metrics_have_words_and_units(metric: str, words: str, written: str) -> None:
    assert metrics.label(metric) == words
    assert metrics.writer(metric)(5) == written


def test_better_is_lower_for_times_and_higher_for_scores() -> None:
    assert metrics.lower_is_better("by_length.long.response_ms.p95")
    assert metrics.lower_is_better("tier_accuracy.regret")
    assert not metrics.lower_is_better("tier_accuracy.balanced_accuracy")
    assert not metrics.lower_is_better("achieved_rps")


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("< 100 ms", metrics.Budget(100, below=True)),
        ("≤ 0.1 s", metrics.Budget(100, below=True)),
        ("> 0.9", metrics.Budget(0.9, below=False)),
        (">= 90 %", metrics.Budget(0.9, below=False)),
        ("= 0", None),
        ("< 3 furlongs", None),
        ("quick", None),
    ],
)
def test_budgets_are_read_or_left_alone(text: str, budget: metrics.Budget | None) -> None:
    assert metrics.parse_budget(text) == budget


@pytest.mark.parametrize("module", [figures, metrics, scale])
def test_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
