"""``tiergate profile``: one real run, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tiergate.cli import main
from tiergate.hooks import ExporterDeclaration
from tiergate.plugins import PluginHost
from tiergate.profile_record import ProfileRecord
from tiergate.record import read_record

REQUESTS = 60
PLAN = """# Plan
- [ ] Parse the header
- [ ] Write the index
- [x] Read the index
"""


@pytest.mark.integration
def test_a_short_trace_is_profiled(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TIERGATE_", "PYTEST_"))}
    env |= {"TMPDIR": str(tmp_path / "tmp"), "TIERGATE_TIERS": "hot=1,warm=1,cold=1"}
    (tmp_path / "tmp").mkdir()
    (tmp_path / "plan.md").write_text(PLAN)

    def run(*words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "tiergate", *words]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    made = ("trace", "make", "agents", "--from", "plan.md", "--requests", str(REQUESTS), "-o", "t.jsonl")
    assert run(*made)[0] == 0
    profile = ("profile", "--quick", "--from", "plan.md", "--trace", "t.jsonl")
    code, out, errors = run(*profile, "--rate", "300", "-o", "p.json", "--html", "p.html")
    assert code == 0, errors
    assert list((tmp_path / "tmp").iterdir()) == []
    assert (tmp_path / "plan.md").read_text() == PLAN
    record = read_record(tmp_path / "p.json")
    assert isinstance(record, ProfileRecord)
    check_processes(record)
    check_sums(record)
    check_places(record)
    check_output(record, out, (tmp_path / "p.html").read_text(encoding="utf-8"))
    check_other_forms(record, tmp_path)
    code, out, errors = run("-q", *profile, "--operation", "serch")
    assert (code, out) == (2, "")
    assert errors == (
        "tiergate: error: workload agents: unknown operation 'serch' (did you mean 'search'?)\n"
    )


def check_processes(record: ProfileRecord) -> None:
    found = [(process.name, process.tier) for process in record.processes]
    assert found == [("coordinator", ""), ("cold-1", "cold"), ("hot-1", "hot"), ("warm-1", "warm")]
    assert all(process.samples and not process.cut_short for process in record.processes)
    assert sum(operation.requests for operation in record.operations) == 3 * REQUESTS
    assert record.overhead.pairs == 3
    assert record.overhead.service_interval is not None


def check_sums(record: ProfileRecord) -> None:
    working = [stack for stack in record.stacks if stack.component != "idle"]
    by_part: Counter[str] = Counter()
    for stack in working:
        by_part[stack.component] += stack.seconds
    assert {one.name: one.self_s for one in record.components} == pytest.approx(dict(by_part))
    assert sum(one.share for one in record.components) == pytest.approx(1.0)
    assert sum(process.busy_s for process in record.processes) == pytest.approx(by_part.total())
    assert record.tail is not None
    whole = sum(one.share_of_p95 or 0.0 for one in record.components)
    assert whole + record.tail.waiting + record.tail.unseen == pytest.approx(1.0, abs=1e-6)
    assert {stack.operation for stack in working} - {""} <= {one.name for one in record.operations}


def check_places(record: ProfileRecord) -> None:
    """No path of this machine is in the record."""
    assert [frame.file for frame in record.frames if frame.file.startswith("/")] == []
    assert any(frame.file.startswith("tiergate_plugins/operations/") for frame in record.frames)


def check_output(record: ProfileRecord, out: str, page: str) -> None:
    """Terminal, page and record say the same."""
    for one in record.components[:3]:
        assert one.name in out
        assert one.name in page
        assert f"{one.share:.1%}" in out
        assert f"{100 * one.share:.1f} %" in page
    assert f"sampling made service times {record.overhead.service:.3g}x" in out
    assert "profile again" in out


def check_other_forms(record: ProfileRecord, folder: Path) -> None:
    """Other tools get the same seconds."""
    seconds = sum(stack.seconds for stack in record.stacks)
    assert main(["report", str(folder / "p.json"), "-o", str(folder / "p.speedscope.json")]) == 0
    found = json.loads((folder / "p.speedscope.json").read_text())
    frames = found["shared"]["frames"]
    assert [profile["name"] for profile in found["profiles"]] == [one.name for one in record.processes]
    for profile in found["profiles"]:
        assert profile["type"] == "sampled"
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= frame < len(frames) for sample in profile["samples"] for frame in sample)
        assert profile["endValue"] == pytest.approx(sum(profile["weights"]))
    assert sum(one["endValue"] for one in found["profiles"]) == pytest.approx(seconds)
    assert main(["report", str(folder / "p.json"), "-o", str(folder / "p.folded")]) == 0
    lines = (folder / "p.folded").read_text().splitlines()
    assert sum(int(line.rpartition(" ")[2]) for line in lines) / 1e6 == pytest.approx(seconds, rel=0.01)
    assert all(line.count(" ") == 1 for line in lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--profiler", "pyinstrment"], "unknown profiler 'pyinstrment' (did you mean 'pyinstrument'?)"),
        (["--interval", "0"], "'--interval': 0.0 is not in the range 0.05<=x<=1000"),
        (["--router", "hotest"], "unknown router 'hotest'"),
        (["--rate", "0"], "--rate must be a number above 0"),
        (["-o", "x.json", "--html", "x.json"], "-o and --html name the same file"),
        (["-o", "gone/x.json"], "gone/x.json: cannot be written"),
        (["--trace", "gone.jsonl"], "gone.jsonl"),
        (["--trace", "gone.jsonl", "--seed", "1"], "--seed and --trace exclude each other"),
    ],
)
def test_a_wrong_option_is_one_line_and_code_2(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["profile", *words]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert line.startswith("tiergate: error: ")
    assert message in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["profile"], "a trace of tools can only be sent to the server that has them"),
        (["advise", "plan.md"], "a trace of tools has no sessions"),
    ],
)
def test_a_trace_of_tools_is_refused(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.md").write_text(PLAN)
    head = '{"schema": "tiergate.trace/1", "workload": "tools", "seed": 0, "requests": 2}\n'
    (tmp_path / "t.jsonl").write_text(head + '{"at": 0.0, "op": "echo"}\n{"at": 0.5, "op": "echo"}\n')
    assert main(["-q", *words, "--trace", "t.jsonl"]) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert f"t.jsonl: {message}" in line


def test_other_records_have_no_stacks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    host = PluginHost()
    assert {"speedscope", "collapsed"} <= {one.name for one in host.all(ExporterDeclaration)}
    record = tmp_path / "gate.json"
    record.write_text('{"schema": "tiergate.gate/1", "verdict": "pass"}')
    assert main(["report", str(record), "-o", str(tmp_path / "x.folded")]) == 2
    assert "stacks are those of one profile record" in capfd.readouterr().err
    assert not (tmp_path / "x.folded").exists()
