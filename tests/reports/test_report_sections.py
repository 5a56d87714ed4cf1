"""What the charts of the page are made from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tiergate.record import GateRecord, RunRecord, SeriesPoint
from tiergate_reports.sections import panels, routers


def test_of_a_long_series_the_worst_seconds_stay() -> None:
    series = [
        SeriesPoint(at_s=float(n), requests=1, p50_ms=1, p95_ms=999 if n == 777 else 1) for n in range(2000)
    ]
    kept = panels.thinned(series)
    assert len(kept) <= panels.MOST_POINTS
    assert [point.at_s for point in kept if point.p95_ms == 999] == [777]
    assert panels.thinned(series[:3]) == series[:3]
    assert panels.thinned([]) == []


def test_budgets_and_the_best_control_are_drawn(
    run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    found = routers.target(run_record, gate_of())
    assert (found.x, found.y, found.no_skill) == (100, 0.9, 0.402)
    bare = routers.target(run_record, None)
    assert (bare.x, bare.y) == (None, None)


def test_a_histogram_gives_the_curve_and_percentiles_stand_in_for_a_damaged_one(
    run_record: RunRecord,
) -> None:
    variant = run_record.variants[0]
    fine = panels.percentile_points(variant, "hot")
    coarse = panels.percentile_points(replace(variant, histogram={"hot": "no such thing"}), "hot")
    known = variant.by_class["hot"].response_ms
    assert known is not None
    assert len(fine) > 20
    assert dict(fine)[95] == pytest.approx(known.p95)
    assert [share for share, _ in coarse] == [50.0, 90.0, 95.0, 99.0, 99.9]
    assert dict(coarse)[95.0] == known.p95


def test_a_curve_ends_where_there_are_no_more_requests(run_record: RunRecord) -> None:
    shares = [share for share, _ in panels.percentile_points(run_record.variants[0], "cold")]
    assert max(shares) <= 100 * (1 - 1 / 70)
