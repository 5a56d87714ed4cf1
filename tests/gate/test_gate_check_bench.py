"""Bench records held to budgets, or to the targets of their own rows, by interval."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from tiergate.errors import UsageError
from tiergate.gate.check_bench import check_bench
from tiergate.record import BenchRecord, BenchRow, Environment, Interval


def row(name: str, value: float, interval: Interval, target: str | None, peer: str | None = None) -> BenchRow:
    """A row in milliseconds."""
    return BenchRow(name=name, value=value, interval=interval, unit="ms", target=target, peer=peer)


RECORD = BenchRecord(
    area="things",
    created_at="2030-01-01T00:00:00+00:00",
    duration_s=1.0,
    environment=Environment(python="3", platform="p", cpu="c", cores=2, load_avg=0.0, git_commit=None),
    rows=[
        row("kept", 1.0, (0.9, 1.1), "<= 2"),
        row("broken", 3.0, (2.5, 3.5), "<= 2"),
        row("open", 2.1, (1.9, 2.3), "<= 2"),
        row("twice", 1.0, (1.0, 1.0), "= 1", "one"),
        row("twice", 2.0, (2.0, 2.0), ">= 1", "other"),
        row("informs", 7.0, (6.0, 8.0), None),
    ],
)


def test_without_budgets_every_row_that_states_a_target_is_held_to_it() -> None:
    gate = check_bench(RECORD, None)
    assert {check.metric: check.verdict for check in gate.checks} == {
        "kept": "pass",
        "broken": "fail",
        "open": "inconclusive",
        "twice beside one": "pass",
        "twice beside other": "pass",
    }
    assert gate.verdict == "fail"


@pytest.mark.parametrize(
    ("budgets", "verdict"),
    [
        ({"kept": "< 2 ms"}, "pass"),
        ({"informs": "<= 5 ms"}, "fail"),
        ({"informs": "<= 6.5"}, "inconclusive"),
        ({"kept": "< 2", "informs": "<= 5"}, "fail"),
    ],
)
def test_budgets_decide_by_the_whole_interval(budgets: Mapping[str, str], verdict: str) -> None:
    assert check_bench(RECORD, budgets).verdict == verdict


@pytest.mark.parametrize(
    ("budgets", "said"),
    [
        ({"keptt": "< 2"}, "did you mean 'kept'?"),
        ({"kept": "< 2 parsecs"}, "unit 'parsecs' does not suit"),
        ({"kept": "about 2"}, "is not a budget"),
        ({}, "there is no budget"),
    ],
)
def test_budgets_that_make_no_sense_are_named(budgets: Mapping[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_bench(RECORD, budgets)
    assert said in str(raised.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_row_that_is_no_number_is_named_and_never_passes(value: float) -> None:
    broken = msgspec.structs.replace(RECORD, rows=[row("kept", value, (0.9, 1.1), "<= 2")])
    with pytest.raises(UsageError, match="kept: its value or its interval is no number"):
        check_bench(broken, None)
