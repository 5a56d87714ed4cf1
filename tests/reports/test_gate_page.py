"""What a page says of a gate: its verdict first, then what was judged and what could not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from parsed_page import Page

from tiergate.record import GateBenchmark, GateCheck, GateRecord, GateUnpaired, RunRecord
from tiergate_reports.plugin import render


@pytest.mark.parametrize(
    ("verdict", "word", "because"),
    [
        ("pass", "Pass", "It passes because 3 checks hold: p95 response of short requests 17.8 ms"),
        ("fail", "Fail", "It fails because of p95 response of short requests 122 ms"),
        ("inconclusive", "Inconclusive", "It is inconclusive because these are undecided: p95 response"),
    ],
)
def test_the_verdict_comes_first_and_in_words(
    run_record: RunRecord, gate_of: Callable[..., GateRecord], verdict: str, word: str, because: str
) -> None:
    text = render([run_record, gate_of(verdict)])
    shown = Page(text).words("verdict")
    assert shown.startswith(f"Verdict {word} ")
    assert because in shown
    assert f"<title>{word}: size-heuristic" in text
    assert "size-heuristic completed 12,000 of 12,000 requests over 5 rounds and lost none" in shown
    assert "against shared-queue, short requests take less time (×0.250" in shown
    assert "long ones take more time (×1.38" in shown


def test_too_few_requests_are_said_first(run_record: RunRecord, gate_of: Callable[..., GateRecord]) -> None:
    run = replace(run_record, too_few=["48 long requests, 100 are needed", "1 round gives no interval"])
    shown = Page(render([run, gate_of("inconclusive", checks=[])])).words("verdict")
    reason = "48 long requests, 100 are needed; 1 round gives no interval."
    assert f"Why there can be no verdict: {reason}" in shown
    assert "because the run is too small for a verdict; 0 of 0 checks would hold" in shown
    alike = replace(run_record, too_few=["nothing to tier: all take 2 ms"])
    shown = Page(render([alike, gate_of("inconclusive", checks=[])])).words("verdict")
    assert "because there is nothing to tier; 0 of 0 checks would hold" in shown
    assert "The gate made no checks." in shown


def test_a_check_without_a_value_says_why(run_record: RunRecord, gate_of: Callable[..., GateRecord]) -> None:
    check = GateCheck(
        metric="tier_accuracy.regret",
        value=None,
        interval=None,
        budget="< 0.2",
        verdict="inconclusive",
        reason="undefined here",
    )
    shown = Page(render([run_record, gate_of("inconclusive", checks=[check])])).words("verdict")
    assert "regret n/a not measured < 0.2 Inconclusive undefined here" in shown
    assert "regret not measured (budget < 0.2)" in shown


def test_a_gate_alone_gets_a_small_page(gate_of: Callable[..., GateRecord]) -> None:
    page = Page(render([gate_of("fail")]))
    assert page.words("verdict").startswith("Verdict Fail At least one budget is broken.")
    assert [attributes["id"] for attributes in page.all("section")] == ["verdict"]


def test_paired_benchmarks_are_shown(gate_of: Callable[..., GateRecord]) -> None:
    benchmarks = [
        GateBenchmark(
            name="b.py::load <json>",
            ratio=1.21,
            interval=(1.15, 1.27),
            verdict="regressed",
            seconds=4.2,
            reason="it is slower by 10 %",
            base_s=0.002,
            new_s=0.00242,
        ),
        GateBenchmark(name="save", ratio=0.99, interval=(0.97, 1.02), verdict="same", seconds=3.0),
    ]
    lost = [GateUnpaired(name="gone <b>", side="new", problem="missing", detail="renamed?")]
    gate = gate_of("fail", checks=[], benchmarks=benchmarks, unpaired=lost, remarks=["the machine <slept>"])
    shown = " ".join(Page(render([gate])).words("verdict").split())
    assert "At least one benchmark got slower" in shown
    row = "+21.0 % +15.0 %–+27.0 % 2.00 ms 2.42 ms Regressed 4.20 s it is slower by 10 %"
    assert f"load <json> b.py {row}" in shown
    assert "save −1.0 % −3.0 %–+2.0 % — — Same 3.00 s" in shown
    assert "gone <b> new missing renamed?" in shown
    assert "the machine <slept>" in shown
    assert "The gate made no checks." not in shown
