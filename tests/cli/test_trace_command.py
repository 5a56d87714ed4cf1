"""``tiergate trace`` and ``tiergate load --trace`` at the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import sleep

import pytest

from tiergate.load.effort import EFFORTS

Cli = Callable[..., tuple[int, str, str]]
BEADS = '{"id": "a", "title": "A", "status": "open"}\n{"id": "b", "title": "B", "status": "closed"}\n'


@pytest.fixture
def trace(cli: Cli, tmp_path: Path) -> Path:
    assert cli("trace", "make", "ycsb-d", "--seed", "4", "--requests", "200", "-o", "trace.jsonl")[0] == 0
    return tmp_path / "trace.jsonl"


def test_make_writes_the_same_trace_to_a_file_and_to_the_output(cli: Cli, trace: Path) -> None:
    code, out, err = cli("trace", "make", "ycsb-d", "--seed", "4", "--requests", "200")
    assert (code, err) == (0, "")
    assert out.encode() == trace.read_bytes()
    said = cli("trace", "make", "ycsb-d", "--seed", "4", "--requests", "200", "-o", "again.jsonl")[1]
    digest = sha256(trace.read_bytes()).hexdigest()
    assert said == f"wrote again.jsonl: 200 requests of ycsb-d, sha256 {digest}\n"
    assert cli("trace", "make", "ycsb-d", "--seed", "5", "--requests", "200")[1] != out


def test_show_says_what_a_trace_is_like(cli: Cli, trace: Path) -> None:
    code, out, err = cli("trace", "show", trace.name)
    assert (code, err) == (0, "")
    first, *lines = out.splitlines()
    assert first == "trace.jsonl: 200 requests of ycsb-d, seed 4"
    assert lines[0].startswith("  task_get: ")
    assert "burstiness " in out
    assert lines[-1] == f"sha256: {sha256(trace.read_bytes()).hexdigest()}"


def test_show_as_json(cli: Cli, trace: Path) -> None:
    document = json.loads(cli("trace", "show", trace.name, "--json")[1])
    assert document["schema"] == "tiergate.trace-facts/1"
    assert document["sha256"] == sha256(trace.read_bytes()).hexdigest()
    assert sum(document["operations"].values()) == document["requests"] == 200
    assert document["tasks"] == EFFORTS["default"].tasks
    assert document["mean_rps"] == pytest.approx(199 / document["duration_s"], rel=1e-3)
    assert 0.5 < document["burstiness"] < 2


def test_a_trace_of_a_task_store_needs_it_again(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "issues.jsonl").write_text(BEADS)
    assert (
        cli("trace", "make", "agents", "--from", "issues.jsonl", "--requests", "30", "-o", "t.jsonl")[0] == 0
    )
    document = json.loads(cli("trace", "show", "t.jsonl", "--json")[1])
    assert (document["sessions"], document["tasks"]) == (1, None)
    code, out, err = cli("load", "--trace", "t.jsonl")
    assert (code, out) == (2, "")
    assert err == (
        "tiergate: error: t.jsonl:1: its sessions are somebody's own (name their task store with --from)\n"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["trace", "make", "agent"], "did you mean 'agents'?"),
        (["trace", "make", "agents", "--requests", "0"], "0 is not in the range"),
        (["trace", "make", "agents", "--format", "beads"], "--from, which is not given"),
        (["trace", "make", "agents", "--from", "missing"], "missing: no such file or folder"),
        (["trace", "show", "missing"], "missing: cannot read the trace: No such file or directory"),
        (["trace", "show", "issues.jsonl"], "issues.jsonl:1: not a trace: its first line names no schema"),
        (["load", "--trace", "missing"], "missing: cannot read the trace: No such file or directory"),
        (["load", "--trace", "t", "--seed", "3"], "t: --seed and --trace exclude each other"),
        (["load", "--trace", "t", "--workload", "agents"], "t: --workload and --trace exclude each other"),
    ],
    ids=" ".join,
)
def test_mistakes_are_one_line(cli: Cli, tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "issues.jsonl").write_text(BEADS)
    code, out, err = cli(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert "(" in err


def test_a_session_that_is_not_in_the_store_is_named_by_line(cli: Cli, trace: Path, tmp_path: Path) -> None:
    (tmp_path / "issues.jsonl").write_text(BEADS)
    code, _, err = cli("load", "--trace", trace.name, "--from", "issues.jsonl")
    session = json.loads(trace.read_text().splitlines()[1])["session"]
    assert code == 2
    assert err == (
        f"tiergate: error: trace.jsonl:2: session {session!r} is not in the store"
        " (give the task store that the trace was recorded on with --from)\n"
    )


def record(folder: Path, lines: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tiergate", "trace", "record", *words],
        input=lines,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_recorded_trace_has_every_request_and_passes_all_lines_on(cli: Cli, tmp_path: Path) -> None:
    lines = (
        '{"id": 7, "op": "task_get", "session": "s", "args": {"task": "t"}}\n'
        "this is no request\n"
        '{"op": "tasks_query", "args": {"limit": 3}}\n'
        '{"op": "fly"}\n'
    )
    done = record(tmp_path, lines, "-o", "day.jsonl", "--workload", "ycsb-a", "--seed", "9")
    assert (done.returncode, done.stdout) == (0, lines)
    assert "2 lines are not in the trace; the first: line 2: not a request" in done.stderr
    head, first, second = map(json.loads, (tmp_path / "day.jsonl").read_text().splitlines())
    assert head == {"schema": "tiergate.trace/1", "workload": "ycsb-a", "seed": 9, "requests": 2}
    assert first == {"at": 0.0, "op": "task_get", "session": "s", "args": {"task": "t"}}
    assert (second["op"], second["args"]) == ("tasks_query", {"limit": 3})
    assert second["at"] >= 0
    assert cli("trace", "show", "day.jsonl")[0] == 0


def test_a_recording_of_nothing_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    done = record(tmp_path, '{"op": "fly"}\n', "-o", "day.jsonl")
    assert done.returncode == 2
    assert "standard input: " in done.stderr
    assert "'fly'" in done.stderr
    assert not (tmp_path / "day.jsonl").exists()


def test_a_recording_ends_with_an_interrupt_and_keeps_what_came_and_when(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tiergate", "trace", "record", "-o", "day.jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for pause_s in (0.0, 0.3):
            sleep(pause_s)
            running.stdin.write(b'{"op": "tasks_query"}\n')
            running.stdin.flush()
            assert running.stdout.readline() == b'{"op": "tasks_query"}\n'
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 0
    first, second = map(json.loads, (tmp_path / "day.jsonl").read_text().splitlines()[1:])
    assert second["at"] - first["at"] > 0.25
