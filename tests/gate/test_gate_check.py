"""The verdict: by the whole interval, never by the value alone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config import Config
from tiergate.errors import UsageError
from tiergate.gate.budgets import known_metrics, parse_budgets
from tiergate.gate.check import check_run, metrics
from tiergate.record import NOTHING_TO_TIER, GateCheck, GateRecord, RunRecord

MakeRecord = Callable[..., RunRecord]
TIME = "by_length.short.response_ms.p95"
SHARE = "tier_accuracy.balanced_accuracy"


def judged(record: RunRecord, **budgets: str) -> GateRecord:
    """The verdict on budgets by the names `time`, `share` and `lost`."""
    names = {"time": TIME, "share": SHARE, "lost": "requests.lost"}
    return check_run(record, parse_budgets({names[name]: text for name, text in budgets.items()}))


def only(gate: GateRecord) -> GateCheck:
    [check] = gate.checks
    return check


def test_a_good_run_keeps_the_default_budgets(make_record: MakeRecord) -> None:
    gate = check_run(make_record(), parse_budgets(Config().budgets))
    assert gate.verdict == "pass"
    assert [check.verdict for check in gate.checks] == ["pass"] * 3
    assert gate.subject == "size-heuristic, agents seed 7"


@pytest.mark.parametrize(
    ("interval", "text", "verdict"),
    [
        ((18.0, 22.0), "< 23 ms", "pass"),
        ((18.0, 22.0), "< 17 ms", "fail"),
        ((18.0, 22.0), "< 21 ms", "inconclusive"),
        ((18.0, 22.0), "< 19 ms", "inconclusive"),
        ((18.0, 22.0), "<= 22 ms", "pass"),
        ((18.0, 22.0), "< 22 ms", "inconclusive"),
        ((18.0, 22.0), "< 18 ms", "fail"),
        ((18.0, 22.0), "> 17 ms", "pass"),
        ((18.0, 22.0), "> 23 ms", "fail"),
        ((18.0, 22.0), "= 20 ms", "inconclusive"),
        ((18.0, 22.0), "= 30 ms", "fail"),
        ((20.0, 20.0), "= 20 ms", "pass"),
    ],
)
def test_the_interval_decides(
    make_record: MakeRecord, interval: tuple[float, float], text: str, verdict: str
) -> None:
    gate = judged(make_record(p95=(20.0, interval)), time=text)
    assert gate.verdict == only(gate).verdict == verdict
    assert only(gate).interval == interval
    assert (only(gate).reason == "") is (verdict != "inconclusive")


@given(st.floats(1, 100), st.floats(0, 50), st.floats(0.5, 200))
def test_a_verdict_never_contradicts_either_end(
    make_record: MakeRecord, low: float, width: float, limit: float
) -> None:
    gate = judged(make_record(p95=(low, (low, low + width))), time=f"< {limit:.6f} ms")
    exact = float(f"{limit:.6f}")
    expected = "pass" if low + width < exact else "fail" if low >= exact else "inconclusive"
    assert gate.verdict == expected


def test_one_failure_outweighs_what_is_inconclusive(make_record: MakeRecord) -> None:
    gate = judged(make_record(p95=(20.0, (18.0, 22.0))), time="< 20 ms", share="> 0.99", lost="= 0")
    assert [check.verdict for check in gate.checks] == ["inconclusive", "fail", "pass"]
    assert gate.verdict == "fail"


def test_counts_are_exact(make_record: MakeRecord) -> None:
    check = only(judged(make_record(lost=1), lost="= 0"))
    assert (check.value, check.interval, check.verdict) == (1.0, (1.0, 1.0), "fail")
    assert check.title == "requests failed, timed out or dropped"


def test_a_metric_without_an_interval_cannot_be_decided(make_record: MakeRecord) -> None:
    gate = check_run(make_record(), parse_budgets({"resources.cpu_s": "< 100"}))
    assert only(gate).verdict == "inconclusive"
    assert only(gate).reason == "the run gives no interval for it"


def test_a_router_without_tiers_has_no_accuracy_to_judge(make_record: MakeRecord) -> None:
    check = only(judged(make_record(balanced=None), share="> 0.9"))
    assert (check.value, check.verdict, check.reason) == (None, "inconclusive", "the router chooses no tier")


@pytest.mark.parametrize("balanced", [None, (0.95, (0.92, 0.97))])
def test_a_group_without_requests_was_not_measured_whatever_the_router(
    make_record: MakeRecord, balanced: tuple[float, tuple[float, float]] | None
) -> None:
    record = make_record(balanced=balanced)
    check = only(check_run(record, parse_budgets({"by_class.cold.response_ms.p95": "< 1 s"})))
    assert (check.value, check.verdict, check.reason) == (None, "inconclusive", "it was not measured")


def test_undefined_regret_is_inconclusive(make_record: MakeRecord) -> None:
    check = only(check_run(make_record(), parse_budgets({"tier_accuracy.regret": "< 0.2"})))
    assert (check.value, check.verdict) == (None, "inconclusive")


@pytest.mark.parametrize(
    ("ambiguous", "verdict"), [(0.09, "pass"), (0.10, "pass"), (0.11, "inconclusive"), (0.5, "inconclusive")]
)
def test_too_many_unsure_labels_leave_accuracy_undecided(
    make_record: MakeRecord, ambiguous: float, verdict: str
) -> None:
    gate = judged(make_record(ambiguous=ambiguous), share="> 0.9", lost="= 0")
    assert gate.checks[0].verdict == gate.verdict == verdict
    assert gate.checks[1].verdict == "pass"


@pytest.mark.parametrize(("ambiguous", "verdict"), [(0.10, "pass"), (0.11, "inconclusive")])
def test_classes_rest_on_the_labels_too(make_record: MakeRecord, ambiguous: float, verdict: str) -> None:
    record = make_record(ambiguous=ambiguous)
    metric = "by_class.hot.response_ms.p95"
    variant = msgspec.structs.replace(
        record.variants[0], intervals={**record.variants[0].intervals, metric: (1.0, 2.0)}
    )
    record = msgspec.structs.replace(record, variants=[variant])
    check = only(check_run(record, parse_budgets({metric: "< 100 s"})))
    assert check.verdict == verdict
    assert check.reason == ("11% of the requests have no sure label" if verdict == "inconclusive" else "")


def test_unsure_labels_cannot_fail_a_router_either(make_record: MakeRecord) -> None:
    record = make_record(ambiguous=0.2, balanced=(0.2, (0.1, 0.3)))
    check = only(judged(record, share="> 0.9"))
    assert check.verdict == "inconclusive"
    assert check.reason == "20% of the requests have no sure label"


def test_a_run_that_is_too_small_neither_passes_nor_fails_what_it_estimates(make_record: MakeRecord) -> None:
    small = make_record(too_few=["2 rounds; an interval needs 3"])
    passed = judged(small, time="< 100 ms")
    assert only(passed).verdict == "pass"
    assert passed.verdict == "inconclusive"
    failed = judged(small, time="< 1 ms")
    assert failed.verdict == "inconclusive"
    assert only(failed).reason == "the run is too small for a verdict"


def test_where_there_is_nothing_to_tier_no_check_calls_the_run_small(make_record: MakeRecord) -> None:
    alike = make_record(too_few=[f"{NOTHING_TO_TIER}: all take 2 ms"])
    assert only(judged(alike, time="< 1 ms")).reason == f"the run has {NOTHING_TO_TIER}"


def test_a_run_that_is_too_small_still_fails_by_what_it_counted(make_record: MakeRecord) -> None:
    gate = judged(make_record(too_few=["too few"], lost=3), time="< 100 ms", lost="= 0")
    assert gate.verdict == "fail"


def test_a_record_without_the_configured_router_is_refused(make_record: MakeRecord) -> None:
    with pytest.raises(UsageError, match="the record has no variant 'oracle'"):
        judged(make_record(configured_router="oracle"), lost="= 0")


def test_every_number_of_a_record_can_have_a_budget(make_record: MakeRecord) -> None:
    known = set(known_metrics())
    measured = metrics(make_record().variants[0])
    assert set(measured) <= known
    assert {"tier_accuracy.regret", "by_class.cold.response_ms.p95", "affinity.hit_rate"} <= known


def test_the_metrics_are_the_numbers_of_a_variant(make_record: MakeRecord) -> None:
    found = metrics(make_record(lost=2).variants[0])
    assert found["requests.lost"] == 2.0
    # What was not measured has no number, and no zero either.
    assert "by_class.cold.response_ms.p95" not in found
    assert "affinity.hit_rate" not in found
    assert found[TIME] == 20.0
    assert "is_oracle" not in found
    assert not any(name.startswith(("intervals", "histogram")) for name in found)
