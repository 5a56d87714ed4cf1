"""``tiergate reconcile`` as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tiergate.cli import main
from tiergate.record import ReconcileRecord
from tiergate.record_schema import json_schema

pytest.importorskip("sparse_dot_topn", reason="tiergate[reconcile] is not installed")

OLD = """# Plan

1. [x] Write the store
2. [ ] Write the router (needs 1)
3. [ ] Draw the report
"""
NEW = OLD.replace("[ ] Write the router", "[x] Write the router").replace(
    "Draw the report", "Draw the report page"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "old.md").write_text(OLD)
    (tmp_path / "new.md").write_text(NEW)
    return tmp_path


def run(*words: str) -> int:
    return main(["reconcile", *words])


def test_the_summary_says_what_was_found_and_what_to_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (here / "old.md").read_bytes()
    assert run("old.md", "new.md") == 0
    out = capsys.readouterr().out
    assert "2 sources, 2 sessions, 6 tasks: 3 same" in out
    assert "status-conflict" in out
    assert "--apply sqlite:merged.db" in out
    assert (here / "old.md").read_bytes() == before
    assert sorted(path.name for path in here.iterdir()) == ["new.md", "old.md"]


def test_json_is_the_record_and_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("old.md", "new.md", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json_schema(ReconcileRecord)).validate(document)
    assert document["schema"] == "tiergate.reconcile/1"


def test_every_output_is_written(here: Path) -> None:
    assert run("old.md", "-o", "r.html", "--markdown", "r.md", "--json", "r.json", "-q") == 0
    assert (here / "r.html").read_text().startswith("<!doctype html>")
    assert (here / "r.md").read_text().startswith("# 1 session reconciled")
    assert main(["report", "r.json", "-o", "again.html"]) == 0
    assert (here / "again.html").read_bytes() == (here / "r.html").read_bytes()


@pytest.mark.parametrize(
    ("kinds", "code"), [("status-conflict", 1), ("cycle", 0), ("cycle,status-conflict", 1), ("any", 1)]
)
def test_findings_fail_where_they_are_asked_to(here: Path, kinds: str, code: int) -> None:
    assert run("old.md", "new.md", "--fail-on", kinds) == code


def test_a_plan_is_applied_once_and_undone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("old.md", "new.md", "--apply", "sqlite:merged.db")
    assert run(*words, "--dry-run") == 0
    assert not (here / "merged.db").exists()
    assert run(*words) == 0
    assert "2 sessions made" in capsys.readouterr().out
    assert run(*words) == 0
    assert "nothing to change" in capsys.readouterr().out
    assert main(["reconcile", "log", "sqlite:merged.db", "-v"]) == 0
    assert "applied" in capsys.readouterr().out
    assert main(["reconcile", "undo", "sqlite:merged.db"]) == 0
    assert "2 sessions removed" in capsys.readouterr().out
    assert main(["reconcile", "undo", "sqlite:merged.db"]) == 0
    assert "was undone before" in capsys.readouterr().out


def test_a_store_is_a_source_that_is_written_back_to(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "old.md", "sqlite:work.db"]) == 0
    assert run("work.db", "new.md", "--apply", "sqlite:work.db") == 0
    out = capsys.readouterr().out
    assert "1 session made" in out
    assert main(["sessions", "verify", "sqlite:work.db"]) == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["none.md"], "none.md: no such file or folder"),
        (["old.md", "old.md"], "old.md: the source is given twice"),
        (["old.md", "--fail-on", "cycel"], "did you mean 'cycle'"),
        (["old.md", "--dry-run"], "--dry-run needs --apply"),
        (["old.md", "--review"], "--review needs --answers"),
        (["old.md", "--review", "--answers", "a.toml"], "needs a terminal"),
        (["old.md", "-o", "old.md"], "-o would replace a source"),
        (["old.md", "-o", "r.html", "--markdown", "r.html"], "-o and --markdown name the same file"),
        (["old.md", "-o", "none/r.html"], "the folder does not exist"),
        (["old.md", "--evidence", "none.toml"], "cannot read the checks"),
        (["old.md", "--decisions", "none.toml"], "cannot read the decision tree"),
        (["old.md", "--root", "none"], "none: no such folder"),
        (["old.md", "--matcher", "ngram"], "did you mean 'ngrams'"),
        (["old.md", "--apply", "sqlit:x.db"], "did you mean 'sqlite'"),
    ],
)
def test_a_mistake_is_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], error: str
) -> None:
    (here / "x").mkdir()
    assert run(*words) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert error in said[0]


def test_a_missing_extra_comes_with_the_command_that_mends_it(tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("- [ ] Parse\n")
    code = (
        "import sys, importlib.util as found; real = found.find_spec;"
        "found.find_spec = lambda name, *a: None if name == 'sparse_dot_topn' else real(name, *a);"
        "from tiergate.cli import main; sys.exit(main(['reconcile', 'plan.md']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'tiergate[reconcile]'" in line
