"""Triggers, conditions and verdicts: nothing is justified without a measurement of its gain."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.advice_record import AdviceMetric, AdviceStep
from tiergate.advise.from_records import record_metrics
from tiergate.advise.judging import holds, judge, with_unit, written
from tiergate.advise.run import ALWAYS, metric_names
from tiergate.advise.triggers import Condition, Step, condition, default_text, read_triggers
from tiergate.errors import SourceError, UsageError
from tiergate.plugins import PluginHost
from tiergate.record import GateRecord

METRICS = ["tasks", "service.sqlite", "requests.offered_load"]


def metric(name: str, value: float | None, *interval: float, **more: str) -> AdviceMetric:
    ends = (interval[0], interval[1]) if interval else None
    return AdviceMetric(name=name, title=f"the {name}", value=value, interval=ends, **more)


def verdict(*, tasks: AdviceMetric, gain: AdviceMetric | None, current: str = "jsonfile") -> AdviceStep:
    step = Step(
        title="SQLite",
        applies=["jsonfile"],
        when=["tasks > 100"],
        gain=["service.sqlite <= 0.9"] if gain is not None else [],
        effort="an hour",
        cost="nothing",
        next="{move} sqlite:FILE",
    )
    found = {one.name: one for one in (tasks, gain) if one is not None}
    return judge("sqlite", step, found, current, {"move": "tiergate import x"})


MANY, FEW = metric("tasks", 695, 695, 695), metric("tasks", 12, 12, 12)
FASTER = metric("service.sqlite", 0.5, 0.4, 0.6, unit="x")


def test_a_trigger_and_a_gain_that_both_hold_justify() -> None:
    found = verdict(tasks=MANY, gain=FASTER)
    assert found.verdict == "justified"
    assert found.why == (
        "The tasks is 695 (asked: > 100), and the service.sqlite is 0.5x [0.4x, 0.6x] (asked: <= 0.9x)."
    )
    assert found.next == "tiergate import x sqlite:FILE"
    assert [(one.metric, one.holds) for one in (*found.triggers, *found.gain)] == [
        ("tasks", True),
        ("service.sqlite", True),
    ]


@pytest.mark.parametrize(
    ("tasks", "gain", "current", "expected", "why"),
    [
        (FEW, FASTER, "jsonfile", "not yet", "Its trigger does not hold"),
        (metric("tasks", 120, 80, 160), FASTER, "jsonfile", "inconclusive", "cannot be decided"),
        (metric("tasks", None, note="ask"), FASTER, "jsonfile", "inconclusive", "is not known (ask)"),
        (MANY, metric("service.sqlite", 0.95, 0.92, 0.97), "jsonfile", "not yet", "gains too little"),
        (MANY, metric("service.sqlite", 0.88, 0.8, 0.95), "jsonfile", "inconclusive", "gains cannot be"),
        (MANY, metric("service.sqlite", None), "jsonfile", "inconclusive", "is not known"),
        (MANY, None, "jsonfile", "inconclusive", "nothing here measures what the step would gain"),
        (MANY, FASTER, "sqlite", "not yet", "The sessions lie in sqlite"),
    ],
)
def test_anything_less_does_not(
    tasks: AdviceMetric, gain: AdviceMetric | None, current: str, expected: str, why: str
) -> None:
    found = verdict(tasks=tasks, gain=gain, current=current)
    assert found.verdict == expected
    assert why in found.why


@given(
    st.sampled_from(["<", "<=", ">", ">="]),
    st.floats(-10, 10),
    st.tuples(st.floats(-10, 10), st.floats(-10, 10)).map(sorted),
)
def test_a_condition_holds_for_the_whole_interval_or_not_at_all(
    operator: str, bound: float, ends: list[float]
) -> None:
    low, high = ends
    found = holds(Condition("m", operator, bound), metric("m", (low + high) / 2, low, high))
    each = [
        {"<": v < bound, "<=": v <= bound, ">": v > bound, ">=": v >= bound}[operator] for v in (low, high)
    ]
    assert found is (all(each) if len(set(each)) == 1 else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tasks > 100", Condition("tasks", ">", 100.0)),
        (" service.zstd+current<=0.9 ", Condition("service.zstd+current", "<=", 0.9)),
        ("bytes >= 10e9", Condition("bytes", ">=", 10e9)),
    ],
)
def test_conditions_are_read(text: str, expected: Condition) -> None:
    assert condition(text, "here") == expected


@pytest.mark.parametrize(
    "text", ["", "tasks", "tasks = 3", "tasks > many", "tasks > 1 and 2", "> 3", "a > 1e"]
)
def test_what_is_no_condition_is_said(text: str) -> None:
    with pytest.raises(SourceError, match="is no condition"):
        condition(text, "here")


def test_the_triggers_that_ship_name_what_there_is() -> None:
    names = metric_names(PluginHost())
    steps = read_triggers(None, names)
    assert {"json-store", "sqlite", "zstd-cache", "tiered-pool", "cluster-pool", "shared-store"} <= set(steps)
    assert {"learned-router", "live-prediction", "grpc", "object-storage", "merge-services"} <= set(steps)
    assert set(ALWAYS) <= set(names)
    assert "tasks_per_session.max > 100" in steps["sqlite"].when
    assert "sessions.concurrent > 1000" in steps["shared-store"].when


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("tasks >", "taks >"), r"t\.toml, json-store: unknown metric 'taks' \(did you mean 'tasks'\?\)"),
        (("tasks > 100", "tasks"), "'tasks' is no condition"),
        (("when =", "wen ="), "no file of triggers"),
        (("[json-store]", "[json-store"), "no file of triggers"),
        (('["tasks > 100"]', "[]"), "no file of triggers"),
    ],
)
def test_a_wrong_file_is_refused_by_place(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(default_text().replace(change[0], change[1], 1))
    with pytest.raises((SourceError, UsageError), match=message):
        read_triggers(path, metric_names(PluginHost()))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_triggers(tmp_path / "gone.toml", METRICS)


def test_records_of_other_kinds_and_two_of_one_are_refused() -> None:
    with pytest.raises(UsageError, match=r"g\.json: advice takes nothing from a record tiergate.gate/1"):
        list(record_metrics([("g.json", GateRecord(verdict="pass", benchmarks=[], checks=[]))]))
    notes = {one.name: one.note for one in record_metrics([])}
    assert "tiergate load" in notes["run.balanced_accuracy"]
    assert "tiergate profile" in notes["profile.wire"]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.133, "share", "13.3 %"),
        (778_702, "bytes", "779 kB"),
        (10e9, "bytes", "10 GB"),
        (0, "bytes", "0 bytes"),
        (0.527, "x", "0.527x"),
        (35_107, "tasks", "35,107 tasks"),
        (1, "", "1"),
    ],
)
def test_numbers_have_their_units(value: float, unit: str, expected: str) -> None:
    assert with_unit(value, unit) == expected


def test_a_counted_figure_has_no_interval_to_show() -> None:
    assert written(MANY) == "695"
    assert written(metric("x", None)) == "not known"
