"""What other tools read: each format against a parser, with names that try to break out of it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.errors import UsageError
from tiergate.gate.outputs.github import summary, workflow_commands
from tiergate.gate.outputs.junit import junit
from tiergate.gate.outputs.series import bencher, bigger_is_better, smaller_is_better
from tiergate.record import BenchmarkVerdict, GateBenchmark, GateCheck, GateRecord, GateUnpaired

EVIL = "tests/t.py::test_<script>alert(1)</script>|`x`\x00\x1b[31m%0A::error::\n::warning::ü[a](b)"


def benchmark(name: str, verdict: BenchmarkVerdict, ratio: float = 1.0, accepted: str = "") -> GateBenchmark:
    """A benchmark of 2 ms a call."""
    return GateBenchmark(
        name=name,
        ratio=ratio,
        interval=(ratio * 0.99, ratio * 1.01),
        verdict=verdict,
        seconds=1.5,
        reason="because",
        base_s=0.002 / ratio,
        new_s=0.002,
        accepted=accepted,
    )


RECORD = GateRecord(
    verdict="fail",
    subject="work beside main",
    created_at="2030-01-02T03:04:05+00:00",
    duration_s=12.0,
    benchmarks=[
        benchmark("tests/b.py::test_slow", "regressed", 1.2),
        benchmark("tests/b.py::test_taken", "regressed", 1.1, accepted="worth it"),
        benchmark("tests/b.py::test_fast", "improved", 0.8),
        benchmark("tests/b.py::test_same", "same"),
        benchmark(EVIL, "inconclusive", 1.02),
    ],
    checks=[
        GateCheck(
            metric="response_ms.p95", value=120.0, interval=(110, 130), budget="< 100 ms", verdict="fail"
        )
    ],
    unpaired=[
        GateUnpaired(name="tests/b.py::test_gone", side="new", problem="missing", detail="renamed?"),
        GateUnpaired(name="tests/b.py::test_broken", side="new", problem="failed", detail="ValueError: <x>"),
    ],
)


def test_junit_counts_what_it_holds_and_a_parser_reads_it() -> None:
    root = ElementTree.fromstring(junit(RECORD))
    (suite,) = root
    cases = list(suite)
    assert root.tag == "testsuites"
    assert {case.tag for case in cases} == {"testcase"}
    assert suite.attrib["tests"] == "8" == str(len(cases))
    assert suite.attrib["failures"] == "2"
    assert suite.attrib["errors"] == "1"
    assert suite.attrib["skipped"] == "2"
    outcome = {case.attrib["name"]: [child.tag for child in case] for case in cases}
    assert outcome["test_slow"] == ["failure"]
    assert outcome["test_taken"] == outcome["test_fast"] == ["system-out"]
    assert outcome["test_broken"] == ["error"]
    assert outcome["test_gone"] == ["skipped"]
    assert all(float(case.attrib["time"]) >= 0 for case in cases)
    assert {case.attrib["classname"] for case in cases} >= {"tests/b.py", "gate"}


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_no_name_breaks_any_format(name: str, detail: str) -> None:
    record = GateRecord(
        verdict="fail",
        benchmarks=[benchmark(name, "regressed", 1.3)],
        unpaired=[GateUnpaired(name=name, side="base", problem="failed", detail=detail)],
    )
    assert len(ElementTree.fromstring(junit(record))[0]) == 2
    for line in workflow_commands(record):
        assert line.startswith("::error title=")
        assert "\n" not in line
        assert "\r" not in line
    rows = [line for line in summary(record).splitlines() if line.startswith("| ❌ slower")]
    assert len(rows) == 1
    if all(ord(char) < 0xD800 or ord(char) > 0xDFFF for char in name):
        assert json.loads(smaller_is_better(record))[0]["name"] == name
        assert list(json.loads(bencher(record))) == [name]


def test_annotations_are_errors_for_what_fails_and_warnings_for_what_is_undecided() -> None:
    lines = list(workflow_commands(RECORD))
    levels = [line.partition(" ")[0] for line in lines]
    assert levels == ["::error", "::warning", "::error", "::warning", "::error"]
    assert "test_taken" not in "".join(lines)
    assert "%0A%3A%3Awarning" in lines[1].partition("title=")[2].partition("::because")[0]


def test_the_summary_holds_no_markup_of_a_name_and_begins_with_the_worst() -> None:
    text = summary(RECORD)
    assert text.startswith("### ❌ Performance gate: fail")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    rows = [line for line in text.splitlines() if "::" in line and line.startswith("| ")]
    assert "test\\_slow" in rows[0]
    assert "accepted" in rows[1]


def test_github_action_benchmark_reads_both_files() -> None:
    smaller, bigger = json.loads(smaller_is_better(RECORD)), json.loads(bigger_is_better(RECORD))
    for rows in (smaller, bigger):
        assert len(rows) == len(RECORD.benchmarks)
        for row in rows:
            assert set(row) == {"name", "unit", "value", "range", "extra"}
            assert isinstance(row["value"], float)
    assert smaller[0]["value"] == 0.002
    assert bigger[0]["value"] == pytest.approx(500.0)


def test_bencher_gets_nanoseconds_with_their_ends() -> None:
    found = json.loads(bencher(RECORD))["tests/b.py::test_slow"]["latency"]
    assert found["value"] == pytest.approx(2e6)
    assert found["lower_value"] == pytest.approx(1.98e6)
    assert found["upper_value"] == pytest.approx(2.02e6)


@pytest.mark.parametrize("time", [None, float("nan"), float("inf"), -1.0, 0.0])
@pytest.mark.parametrize("write", [smaller_is_better, bigger_is_better, bencher])
def test_a_time_that_is_none_is_refused_by_name(write, time: float | None) -> None:  # type: ignore[no-untyped-def]
    broken = msgspec.structs.replace(benchmark("b", "same"), new_s=time)
    with pytest.raises(UsageError, match=r"^b: its time is .*, which is no time"):
        write(GateRecord(verdict="pass", benchmarks=[broken]))
