"""Budgets beside another record: judged by the interval of the ratio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.errors import UsageError
from tiergate.gate.checking import check_record
from tiergate.gate.relative import Figure, check_relative, split
from tiergate.record import RunRecord, encode_record

MakeRecord = Callable[..., RunRecord]
METRIC = "by_length.short.response_ms.p95"


@pytest.fixture
def base(tmp_path: Path, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a file in the working directory: short requests took 50 ms, from 49 to 51."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.json").write_bytes(encode_record(make_record(p95=(50.0, (49.0, 51.0)))))
    return "base.json"


@pytest.mark.parametrize(
    ("p95", "verdict"),
    [((50.0, (49.0, 51.0)), "pass"), ((70.0, (69.0, 71.0)), "fail"), ((55.0, (52.0, 58.0)), "inconclusive")],
)
def test_the_whole_interval_of_the_ratio_decides(
    base: str, make_record: MakeRecord, p95: tuple[float, tuple[float, float]], verdict: str
) -> None:
    gate = check_record(make_record(p95=p95), {METRIC: f"<= 110 % of {base}"})
    assert gate.verdict == verdict
    (check,) = gate.checks
    assert check.value == pytest.approx(p95[0] / 50.0)
    assert check.interval is not None
    assert check.interval[0] < p95[0] / 50.0 < check.interval[1]


def test_absolute_and_relative_budgets_stand_beside_each_other(base: str, make_record: MakeRecord) -> None:
    budgets = {METRIC: f"<= 110 % of {base}", "requests.lost": "= 0"}
    gate = check_record(make_record(p95=(50.0, (49.0, 51.0)), lost=2), budgets)
    assert {check.metric: check.verdict for check in gate.checks} == {METRIC: "pass", "requests.lost": "fail"}
    assert gate.verdict == "fail"


@pytest.mark.parametrize(
    ("metric", "text", "said"),
    [
        ("response_ms.p9", "<= 110 % of base.json", "did you mean"),
        (METRIC, "<= 110 % of nothing.json", "nothing.json"),
        (METRIC, "<= 110 percent of base.json", "is not a budget"),
    ],
)
def test_what_makes_no_sense_is_named(
    base: str, make_record: MakeRecord, metric: str, text: str, said: str
) -> None:
    assert Path(base).exists()
    with pytest.raises(Exception, match=said):
        check_record(make_record(), {metric: text})


@given(st.floats(0.1, 10), st.floats(1, 500))
def test_a_record_beside_itself_is_100_percent(value: float, percent: float) -> None:
    _, budgets = split({"m": f"<= {percent:.3f} % of other.json"})
    figure = Figure(value, (value, value))
    (check,) = check_relative(budgets, lambda _: figure, lambda _file, _metric: figure)
    assert check.verdict == ("pass" if float(f"{percent:.3f}") >= 100 else "fail")


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_figure_without_a_ratio_is_refused(bad: float) -> None:
    _, budgets = split({"m": "<= 110 % of other.json"})
    good = Figure(1.0, (0.9, 1.1))
    with pytest.raises(UsageError, match="has no ratio"):
        list(check_relative(budgets, lambda _: Figure(bad, (bad, bad)), lambda _file, _metric: good))


def test_a_figure_that_one_record_lacks_is_undecided() -> None:
    _, budgets = split({"m": "<= 110 % of other.json"})
    good, none = Figure(1.0, (0.9, 1.1)), Figure(None, None)
    (check,) = check_relative(budgets, lambda _: good, lambda _file, _metric: none)
    assert (check.verdict, check.reason) == ("inconclusive", "other.json has no such figure")
