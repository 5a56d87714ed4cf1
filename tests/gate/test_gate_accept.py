"""Accepted slowdowns: the file, the command, the day on which they end; and what explain says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.cli import main
from tiergate.errors import UsageError
from tiergate.gate.accepted import Accepted, read_accepted, with_accepted, written
from tiergate.record import GateBenchmark, GatePair, GateRecord, GateRules, encode_record

SLOW = GateBenchmark(
    name="b.py::test_slow",
    ratio=1.2,
    interval=(1.15, 1.25),
    decision_interval=(1.1, 1.3),
    verdict="regressed",
    seconds=1.0,
    reason="after 5 generations it is slower by 10.0 % at least",
    base_s=0.001,
    new_s=0.0012,
    samples=[[GatePair(0.001, 0.0012)] * 4, [GatePair(0.001, 0.0011)] * 4],
)
RECORD = GateRecord(
    verdict="fail",
    benchmarks=[SLOW],
    rules=GateRules(tolerance=0.01, same_within=0.025, false_alarms=0.01, missed=0.05, looks=[5], budget_s=5),
)
Gate = Callable[..., tuple[int, str, str]]
DAY = date(2030, 1, 31)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
entries = st.lists(st.builds(Accepted, texts, texts, st.dates()), unique_by=lambda one: one.name)


@given(entries)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, wanted: list[Accepted]) -> None:
    file = tmp_path_factory.mktemp("accepted") / "file.toml"
    file.write_text(written(wanted), encoding="utf-8")
    assert read_accepted(file) == sorted(wanted, key=lambda one: one.name)
    assert written(wanted) == written(list(reversed(wanted))), "the order of entries changes nothing"


def test_an_accepted_slowdown_passes_up_to_its_day_and_fails_after_it() -> None:
    entry = [Accepted("b.py::test_slow", "worth it", DAY)]
    there = with_accepted(RECORD, entry, DAY)
    assert (there.verdict, there.benchmarks[0].accepted) == ("pass", "worth it")
    after = with_accepted(RECORD, entry, date(2030, 2, 1))
    assert (after.verdict, after.benchmarks[0].accepted) == ("fail", "")
    assert after.remarks == ["b.py::test_slow: accepted until 2030-01-31 only (worth it)"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accepted = 1", "no list of tables"),
        ("[[accepted]]\nname = 'a'", "a name, a reason and a last day"),
        ("[[accepted]]\nname = 'a'\nreason = ' '\nuntil = 2030-01-01", "a reason is no empty one"),
        ("[[accepted]]\nname = 'a'\nreason = 'b'\nuntil = '2030-01-01'", "until is no date"),
        ("[[accepted", "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "f.toml").write_text(text)
    with pytest.raises(UsageError, match=rf"f\.toml.*{said}"):
        read_accepted(tmp_path / "f.toml")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Run ``tiergate gate`` with these words: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["gate", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_accept_keeps_lists_replaces_and_removes_entries(gate: Gate, tmp_path: Path) -> None:
    assert gate("accept")[:2] == (0, "nothing is accepted\n")
    assert gate("accept", "b", "--reason", "worth it", "--until", "2030-01-31")[0] == 0
    assert gate("accept", "a", "--reason", 'x "y"', "--until", "2031-01-01")[0] == 0
    assert gate("accept", "b", "--reason", "still", "--until", "2032-01-01")[0] == 0
    assert [one.name for one in read_accepted(tmp_path / "tiergate-accepted.toml")] == ["a", "b"]
    listed = gate("accept")[1]
    assert "2032-01-01" in listed
    assert "worth it" not in listed
    assert gate("accept", "b", "--remove")[0] == 0
    assert [one.name for one in read_accepted(tmp_path / "tiergate-accepted.toml")] == ["a"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["b"], "--reason TEXT --until DATE"),
        (["b", "--reason", " ", "--until", "2030-01-31"], "--reason TEXT --until DATE"),
        (["b", "--reason", "x", "--until", "tomorrow"], "--until"),
        (["b", "--remove"], "there is no entry for 'b'"),
    ],
)
def test_accept_says_in_one_line_what_is_missing(gate: Gate, words: list[str], said: str) -> None:
    code, out, err = gate("accept", *words)
    assert (code, out) == (2, "")
    assert said in err.strip().splitlines()[-1]


def test_explain_tells_the_rules_the_interval_and_draws_every_generation(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_bytes(encode_record(RECORD))
    code, out, _ = gate("explain", "gate.json", "test_slow")
    assert code == 0
    assert "the verdict follows from +10.0 % to +30.0 %" in out
    assert "1% of runs at most" in out
    assert out.count(": 4 pairs") == 2
    assert gate("explain", "gate.json")[1].startswith("b.py::test_slow: regressed")


def test_explain_offers_the_nearest_name(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_bytes(encode_record(RECORD))
    code, _, err = gate("explain", "gate.json", "b.py::test_slaw")
    assert code == 2
    assert "did you mean 'b.py::test_slow'?" in err
