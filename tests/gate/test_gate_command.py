"""``tiergate gate check``: exit codes that CI can trust, and output that tools can read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tiergate.cli import main
from tiergate.record import GateRecord, RunRecord, encode_record, read_record

MakeRecord = Callable[..., RunRecord]
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "gate.schema.json"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Check = Callable[..., Done]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the command on a record, or on a path."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TIERGATE_")]:
        monkeypatch.delenv(name)

    def run(subject: RunRecord | GateRecord | str, *words: str) -> Done:
        if not isinstance(subject, str):
            (tmp_path / "run.json").write_bytes(encode_record(subject))
            subject = "run.json"
        code = main(["gate", "check", subject, *words])
        return Done(code, *capsys.readouterr())

    return run


def test_a_kept_gate_exits_with_0(check: Check, make_record: MakeRecord) -> None:
    done = check(make_record())
    assert done.code == 0
    assert done.out.startswith("gate: PASS for size-heuristic, agents seed 7\n")
    assert done.err == ""


def test_a_missed_gate_exits_with_1_and_names_the_worst_first(check: Check, make_record: MakeRecord) -> None:
    done = check(make_record(lost=2))
    assert done.code == 1
    head, worst, *_ = done.out.splitlines()
    assert head.startswith("gate: FAIL")
    assert worst.split() == "fail requests failed, timed out or dropped: 2, budget = 0".split()


@pytest.mark.parametrize(
    ("words", "code", "warning"),
    [
        ([], 4, ""),
        (["--inconclusive", "fail"], 4, ""),
        (["--inconclusive", "warn"], 0, "tiergate: warning: the gate is inconclusive\n"),
        (["--inconclusive", "pass"], 0, ""),
    ],
)
def test_what_ci_sees_of_an_inconclusive_gate_can_be_chosen(
    check: Check, make_record: MakeRecord, words: list[str], code: int, warning: str
) -> None:
    done = check(make_record(p95=(99.0, (90.0, 110.0))), *words)
    assert (done.code, done.err) == (code, warning)
    assert done.out.startswith("gate: INCONCLUSIVE")


def test_the_choice_does_not_excuse_a_failure(check: Check, make_record: MakeRecord) -> None:
    assert check(make_record(lost=1), "--inconclusive", "pass").code == 1


def test_json_is_all_that_stands_on_standard_output(check: Check, make_record: MakeRecord) -> None:
    done = check(make_record(p95=(99.0, (90.0, 110.0))), "--json", "--inconclusive", "warn")
    assert done.code == 0
    assert json.loads(done.out)["verdict"] == "inconclusive"
    assert json.loads(done.out)["schema"] == "tiergate.gate/1"
    assert done.err == "tiergate: warning: the gate is inconclusive\n"


def test_the_written_record_keeps_its_schema_and_can_be_read(
    check: Check, make_record: MakeRecord, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    assert check(make_record(lost=1), "-o", "out/gate.json").code == 1
    path = tmp_path / "out" / "gate.json"
    schema = json.loads(SCHEMA.read_text())
    assert list(Draft202012Validator(schema).iter_errors(json.loads(path.read_text()))) == []
    read = read_record(path)
    assert isinstance(read, GateRecord)
    assert read.verdict == "fail"


def test_budgets_of_a_file_replace_the_configured_ones(
    check: Check, make_record: MakeRecord, tmp_path: Path
) -> None:
    (tmp_path / "strict.toml").write_text('[budgets]\nachieved_rps = "> 1"\n"requests.lost" = "= 0"\n')
    done = check(make_record(), "--budgets", "strict.toml", "--json")
    assert done.code == 4
    assert [one["metric"] for one in json.loads(done.out)["checks"]] == ["achieved_rps", "requests.lost"]


def test_an_unknown_metric_is_wrong_usage(check: Check, make_record: MakeRecord, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text('[budgets]\n"requests.lots" = "= 0"\n')
    done = check(make_record(), "--budgets", "b.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "tiergate: error: budgets: unknown metric 'requests.lots' (did you mean 'requests.lost'?)\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "run.json: cannot read the record: No such file or directory"),
        (b"", "run.json: not a tiergate record: "),
        (b'{"schema": "tiergate.run/1", "variants": [', "run.json: not a tiergate record: "),
        (b'{"schema": "tiergate.run/1"}', "run.json: not a tiergate record: "),
        (b"[1, 2]", "run.json: not a tiergate record: "),
        (b'{"name": "something else"}', "run.json: not a tiergate record: "),
        (b'{"schema": "tiergate.run/9"}', "run.json: unknown record schema 'tiergate.run/9' (known: "),
        (b"\xff\xfe\x00", "run.json: not a tiergate record: "),
    ],
)
def test_a_missing_foreign_or_damaged_file_is_one_clear_line(
    check: Check, tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    done = check("run.json", "--json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"tiergate: error: {message}")
    assert done.err.count("\n") == 1


def test_a_record_cut_short_is_refused(check: Check, make_record: MakeRecord, tmp_path: Path) -> None:
    data = encode_record(make_record())
    (tmp_path / "run.json").write_bytes(data[: len(data) // 2])
    assert check("run.json").code == 2


def test_a_gate_record_is_no_run_record(check: Check) -> None:
    done = check(GateRecord(verdict="pass"))
    assert done.code == 2
    assert done.err == "tiergate: error: run.json: this is no run record and no bench record\n"


def test_a_folder_is_no_record(check: Check) -> None:
    done = check(".")
    assert done.code == 2
    assert done.err.startswith("tiergate: error: .: cannot read the record: ")
