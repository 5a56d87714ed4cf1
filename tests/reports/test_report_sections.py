"""The exporter, what it refuses, and what the charts of the page are made from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from parsed_page import Page
from profile_page_desk import make_advice, make_profile

from tiergate.errors import UsageError
from tiergate.hooks import ExporterDeclaration
from tiergate.record import GateRecord, RunRecord, SeriesPoint
from tiergate_reports.plugin import render, tiergate_exporters
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


def test_the_plugin_declares_one_exporter() -> None:
    (declared,) = tiergate_exporters()
    assert isinstance(declared, ExporterDeclaration)
    assert (declared.name, declared.suffix, declared.render) == ("html", ".html", render)


def test_other_selections_of_records_are_refused_in_one_line(
    run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    gate = gate_of()
    refused: list[list[RunRecord | GateRecord]] = [
        [],
        [run_record, run_record],
        [gate, run_record],
        [gate, gate],
        [run_record, gate, gate],
    ]
    for records in refused:
        with pytest.raises(UsageError) as caught:
            render(records)
        assert "\n" not in str(caught.value)
        assert "(give RUN.json first, OLD-PROFILE.json PROFILE.json," in str(caught.value)


def test_advice_and_a_profile_are_sections_of_the_run_s_page(
    run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    advised, profiled = make_advice(), make_profile()
    for others in ([gate_of(), advised, profiled], [profiled, advised, gate_of()]):
        page = Page(render([run_record, *others]))
        names = [one["id"] for one in page.all("section")]
        assert names[:2] == ["verdict", "advised"]
        assert names[-2:] == ["profiled", "environment"]
        assert "Store sessions in SQLite. Stores are compared with json, on generated." in page.words(
            "advised"
        )
        assert "The hottest function is _cosine" in page.words("profiled")
        links = {one["download"] for one in page.all("a") if one.get("download")}
        assert links == {"run.json.gz", "gate.json.gz", "advice.json.gz", "profile.json.gz"}
    with pytest.raises(UsageError):
        render([run_record, profiled, profiled])
