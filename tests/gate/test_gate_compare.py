"""Two records that exist already: run records, and files that pytest-benchmark itself has written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.cli import main
from tiergate.errors import UsageError
from tiergate.gate.compare import DRIFT, compare_results, compare_runs
from tiergate.gate.pytest_results import Result, Results, read_results
from tiergate.record import RunRecord, encode_record, read_record

MakeRecord = Callable[..., RunRecord]
MACHINE = {"python": "3.12", "cpu": "one"}


def result(factor: float = 1.0, spread: float = 0.02) -> Result:
    """A hundred rounds of about a millisecond."""
    return Result(0.00098 * factor, 0.00099 * factor, 0.001 * factor, 0.001 * factor * spread, 100)


@pytest.mark.parametrize(
    ("factor", "spread", "verdict"),
    [
        (1.0, 0.02, "same"),
        (1.2, 0.02, "regressed"),
        (0.8, 0.02, "improved"),
        (1.2, 3.0, "inconclusive"),
        (1.07, 0.5, "inconclusive"),
    ],
)
def test_the_verdict_follows_from_the_interval(factor: float, spread: float, verdict: str) -> None:
    found = compare_results(
        Results({"a": result(1, spread)}, MACHINE), Results({"a": result(factor, spread)}, MACHINE), 0.05
    )
    (one,) = found.benchmarks
    assert one.verdict == verdict
    assert one.interval[0] <= one.ratio <= one.interval[1]
    assert DRIFT in found.remarks


def test_marks_that_disagree_widen_the_interval() -> None:
    # A lucky minimum alone says nothing.
    new = Result(0.00098, 0.0012, 0.00125, 0.00002, 100)
    (one,) = compare_results(Results({"a": result()}, MACHINE), Results({"a": new}, MACHINE), 0.05).benchmarks
    assert one.verdict == "inconclusive"


def test_other_environments_and_what_only_one_file_has_are_named() -> None:
    base = Results({"a": result(), "gone": result()}, MACHINE)
    new = Results({"a": result(), "new": result()}, {"python": "3.13", "cpu": "one"})
    found = compare_results(base, new, 0.05)
    assert "the environments differ in python: 3.12 and 3.13" in found.remarks
    assert [(one.name, one.side) for one in found.unpaired] == [("gone", "new"), ("new", "base")]
    assert found.verdict == "inconclusive"


def test_nothing_in_common_is_an_error_that_offers_a_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'test_parse_b'"):
        compare_results(
            Results({"test_parse_a": result()}, {}), Results({"test_parse_b": result()}, {}), 0.05
        )


def test_runs_are_compared_by_their_own_intervals(make_record: MakeRecord) -> None:
    base = make_record(p95=(50.0, (49.0, 51.0)))
    slower = make_record(p95=(80.0, (78.0, 82.0)))
    (one,) = compare_runs(base, slower, 0.05).benchmarks
    assert one.verdict == "regressed"
    assert one.ratio == pytest.approx(1.6)
    (one,) = compare_runs(base, base, 0.05).benchmarks
    assert one.verdict == "same"


def test_runs_on_other_machines_or_of_other_requests_say_so(make_record: MakeRecord) -> None:
    base = make_record()
    new = msgspec.structs.replace(
        base,
        environment=msgspec.structs.replace(base.environment, cores=base.environment.cores + 2),
        workload=msgspec.structs.replace(base.workload, sha256="1" * 64),
    )
    remarks = compare_runs(base, new, 0.05).remarks
    assert any("differ in cores" in remark for remark in remarks)
    assert any("different requests" in remark for remark in remarks)


@pytest.mark.integration
def test_files_that_pytest_benchmark_writes_are_read(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(benchmark):\n    benchmark(sum, range(100))\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--benchmark-json=r.json"]
    # What tells a pytest that it is a worker of another one would switch its benchmarks off.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run(
        [*command, "--benchmark-max-time=0.1"], cwd=tmp_path, check=True, capture_output=True, env=environ
    )
    found = read_results(tmp_path / "r.json")
    assert found is not None
    assert list(found.results) == ["test_it.py::test_it"]
    assert found.machine["python"]
    main(
        [
            "gate",
            "compare",
            str(tmp_path / "r.json"),
            str(tmp_path / "r.json"),
            "-o",
            str(tmp_path / "g.json"),
        ]
    )
    record = read_record(tmp_path / "g.json")
    assert [one.ratio for one in getattr(record, "benchmarks", [])] == [1.0]


def file_of(tmp_path: Path, name: str, **stats: Any) -> str:
    """A file of one benchmark."""
    stats = {"min": 1.0, "q1": 1.0, "median": 1.0, "iqr": 0.1, "rounds": 5, **stats}
    document = {"machine_info": {}, "benchmarks": [{"fullname": "b", "stats": stats}]}
    (tmp_path / name).write_text(json.dumps(document))
    return str(tmp_path / name)


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        ({"median": float("nan")}, "its median is nan, which is no time"),
        ({"min": -1.0}, "its min is -1.0, which is no time"),
        ({"rounds": 0}, "its rounds is 0, which is no count"),
        ({"q1": "fast"}, "its q1 is fast, which is no time"),
    ],
)
def test_figures_that_are_none_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stats: dict[str, Any], said: str
) -> None:
    code = main(["gate", "compare", file_of(tmp_path, "a.json"), file_of(tmp_path, "b.json", **stats)])
    assert code == 2
    assert capsys.readouterr().err.endswith(f"b.json: b: {said}\n")


def test_files_of_two_kinds_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_record: MakeRecord
) -> None:
    (tmp_path / "run.json").write_bytes(encode_record(make_record()))
    assert main(["gate", "compare", file_of(tmp_path, "a.json"), str(tmp_path / "run.json")]) == 2
    assert "the other is not" in capsys.readouterr().err
