"""The page of benchmarks: what is shown is what the records say."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from parsed_page import Page

from tiergate.record import BenchRecord, BenchRow, Environment
from tiergate_reports.plugin import render

MACHINE = Environment(python="3.11.7", platform="Linux", cpu="cpu", cores=2, load_avg=0.5, git_commit="abc")


def row(name: str, **changes: Any) -> BenchRow:
    one = BenchRow(
        name=name, value=0.193, interval=(0.186, 0.205), unit="x", peer="Peer", target="<= 0.35", reached=True
    )
    return replace(one, **changes)


def record(area: str, *rows: BenchRow, **changes: Any) -> BenchRecord:
    one = BenchRecord(
        area=area,
        created_at="2026-03-04T05:06:07+00:00",
        duration_s=402.0,
        environment=MACHINE,
        rows=list(rows),
    )
    return replace(one, **changes)


def test_rows_are_shown_with_interval_target_peer_and_verdict() -> None:
    rows = (
        row("round trip"),
        row(
            "balance", value=15.3, interval=(14.2, 16.5), unit="ms", peer=None, target="<= 10", reached=False
        ),
        row("counted", value=3.0, interval=(3.0, 3.0), unit="", peer=None, target=None, reached=None),
    )
    page = Page(render([record("pool", *rows)]))
    assert "1 of 2 reached Missed: balance." in page.words("verdict")
    words = page.words("area-pool")
    assert "round trip beside Peer ×0.193 ×0.186 to ×0.205 ≤ 0.35 Reached" in words
    assert "balance 15.3 ms 14.2 ms to 16.5 ms ≤ 10 Missed" in words
    assert "counted 3.00 — —" in words
    assert "402 s, cpu, 2 cores, Python 3.11.7" in words


def test_several_areas_stand_on_one_page_and_machines_that_differ_are_told() -> None:
    other = record("flow", row("two"), environment=replace(MACHINE, cores=8))
    page = Page(render([record("pool", row("one")), other]))
    assert "Benchmarks: pool and flow" in page.words()
    assert "2 of 2 reached Every row that has a target reaches it." in page.words("verdict")
    assert "flow was measured with another number of cores than pool: 8, not 2." in page.words("verdict")


def test_no_rows_and_markup_are_shown_as_they_are() -> None:
    evil = "</script><b>&"
    page = render([record(evil, remarks=[evil]), record("empty", row(evil, details={evil: 1.5}))])
    assert evil not in page
    assert "Nothing was measured." in Page(page).words()
    assert page.count(" id=") == len({one.split(chr(34))[1] for one in page.split(" id=")[1:]})
