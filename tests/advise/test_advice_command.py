"""``tiergate advise``: a real measurement of a small source, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiergate.advice_record import AdviceRecord
from tiergate.cli import main
from tiergate.record import read_record

PLAN = "# Plan\n" + "".join(f"- [ ] Write part {number} of the parser\n" for number in range(120))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.md").write_text(PLAN)
    return tmp_path


def test_advice_on_a_plan_is_measured_and_traceable(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ("--requests", "40", "--passes", "3", "-o", "a.json", "--html", "a.html")
    assert main(["advise", "plan.md", *words]) == 0
    out = capfd.readouterr().out
    record = read_record(here / "a.json")
    assert isinstance(record, AdviceRecord)
    assert (here / "plan.md").read_text() == PLAN
    assert record.current == "jsonfile"
    assert record.measured_tasks == 120
    metrics = {one.name: one for one in record.metrics}
    assert metrics["tasks"].value == 120
    assert metrics["service.sqlite"].source == "measured"
    assert metrics["service.sqlite"].interval is not None
    for step in record.advice:
        for clause in (*step.triggers, *step.gain):
            assert clause.metric in metrics
        if step.verdict == "justified":
            assert step.gain
            assert all(clause.holds for clause in step.gain)
    steps = {one.step: one for one in record.advice}
    assert steps["sqlite"].triggers[0].holds is True
    assert steps["sqlite"].next == "tiergate import plan.md sqlite:FILE --dry-run"
    assert steps["object-storage"].verdict == "not yet"
    assert steps["learned-router"].verdict == "inconclusive"
    page = (here / "a.html").read_text(encoding="utf-8")
    said = " ".join(out.split())
    for step in record.advice:
        assert step.why in said
        assert step.step in page
    assert "No trace was given" in out
    assert "No trace was given" in page


def test_own_triggers_and_own_requests_decide(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "plan.md", "sqlite:plan.db"]) == 0
    assert main(["trace", "make", "agents", "--from", "plan.md", "--requests", "30", "-o", "t.jsonl"]) == 0
    (here / "t.toml").write_text(
        '[many]\ntitle = "Many"\nwhen = ["tasks >= 120"]\ngain = ["service.json > 0.0001"]\n'
        'effort = "none"\ncost = "none"\nnext = "{move} json:DIR"\n'
    )
    capfd.readouterr()
    words = ("--trace", "t.jsonl", "--triggers", "t.toml", "--passes", "3", "--json")
    assert main(["-q", "advise", "sqlite:plan.db", *words]) == 0
    found = json.loads(capfd.readouterr().out)
    [many] = found["advice"]
    assert (many["verdict"], many["next"]) == ("justified", "tiergate migrate sqlite:plan.db json:DIR")
    assert found["current"] == "sqlite"
    metrics = {one["name"]: one for one in found["metrics"]}
    assert metrics["requests.offered_load"]["value"] > 0
    assert not any("No trace" in remark for remark in found["remarks"])


def test_a_sample_of_many_tasks_is_drawn_and_said(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(6):
        (here / f"plan{number}.md").write_text(PLAN.replace("parser", f"part {number}"))
    for number in range(6):
        assert main(["import", f"plan{number}.md", "json:all"]) == 0
    capfd.readouterr()
    words = ("--tasks", "250", "--requests", "20", "--passes", "3", "--json")
    assert main(["-q", "advise", "json:all", *words]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["measured_tasks"] == 240
    assert any("2 of 6 sessions, drawn at random: 240 of 720 tasks" in one for one in found["remarks"])
    assert {one["name"]: one["value"] for one in found["metrics"]}["tasks"] == 720


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no source is given"),
        (["gone.md"], "gone.md"),
        (["plan.md", "--current", "sqlit"], "unknown store 'sqlit' (did you mean 'sqlite'?)"),
        (["plan.md", "--triggers", "gone.toml"], "gone.toml: cannot be read"),
        (["plan.md", "--record", "plan.md"], "plan.md: not a tiergate record"),
        (["plan.md", "--passes", "2"], "'--passes': 2 is not in the range"),
        (["empty.md"], "empty.md"),
    ],
)
def test_a_wrong_option_is_one_line_and_code_2(
    here: Path, capfd: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    (here / "empty.md").write_text("# Nothing to do\n")
    assert main(["-q", "advise", *words]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert message in line


def test_the_triggers_are_printed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "--print-triggers"]) == 0
    (here / "mine.toml").write_text(capfd.readouterr().out)
    assert main(["advise", "plan.md", "--triggers", "mine.toml", "--passes", "1"]) == 2  # after it was read
    assert "--passes" in capfd.readouterr().err
