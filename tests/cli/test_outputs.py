"""Files that commands write, and what they refuse before a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.cli import main
from tiergate.cli.files import replace_file
from tiergate.cli.output import printable
from tiergate.errors import RunError
from tiergate.record import GateRecord, encode_record

Cli = Callable[..., tuple[int, str, str]]

Captured = pytest.CaptureFixture[str]


def refused(captured: Captured, *words: str | Path) -> str:
    """The one line with which a command refuses wrong usage."""
    assert main([str(word) for word in words]) == 2
    said = captured.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_a_page_never_replaces_the_record_it_is_made_of(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "gate.json"
    before = encode_record(GateRecord(verdict="pass"))
    path.write_bytes(before)
    assert "would replace the record" in refused(capsys, "report", path, "-o", tmp_path / "." / "gate.json")
    assert path.read_bytes() == before


def test_record_and_page_need_two_files(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.json"
    assert "the same file" in refused(capsys, "load", "--quick", "-o", path, "--html", path)
    assert not path.exists()


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "1e300"])
def test_a_rate_is_a_number_that_can_be_sent(rate: str, capsys: Captured) -> None:
    assert "--rate must be a number above 0 and at most 1000000" in refused(capsys, "load", f"--rate={rate}")


def test_a_format_needs_a_source(capsys: Captured) -> None:
    assert "--from, which is not given" in refused(capsys, "load", "--format", "beads")


def test_a_device_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    replace_file(pipe, b"whole")
    assert reader.communicate(timeout=30)[0] == b"whole"
    assert pipe.is_fifo()


def test_of_a_link_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_file_that_cannot_be_written_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_output_is_one_line() -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tiergate", "config", "show"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_output_is_no_error() -> None:
    command = f"{sys.executable} -m tiergate config show >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_words_that_are_no_text_can_be_written() -> None:
    word = os.fsdecode(b"a\xff\xc3\xa9")
    assert printable(word).encode()
    assert printable("é 😀") == "é 😀"


@pytest.mark.integration
def test_sigterm_cleans_up_as_ctrl_c_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tiergate", "load", "--quick"]
    process = subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "measure" in process.stderr.readline()
    give_up = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < give_up:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "nothing was written" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["load", "--from", "plan.md", "-o", "plan.md"], "plan.md"),
        (["load", "--from", "plan.md", "--html", "./plan.md"], "plan.md"),
        (["load", "--trace", "t.jsonl", "-o", "t.jsonl"], "t.jsonl"),
        (["profile", "--from", "plan.md", "-o", "plan.md"], "plan.md"),
        (["advise", "plan.md", "-o", "plan.md"], "plan.md"),
        (["advise", "plan.md", "--html", "link.md"], "link.md"),
        (["advise", "plan.md", "--record", "r.json", "-o", "r.json"], "r.json"),
        (["advise", "plan.md", "--triggers", "t.toml", "-o", "t.toml"], "t.toml"),
        (["advise", "sqlite:work.db", "-o", "work.db"], "work.db"),
        (["advise", "json:store", "-o", "store/advice.json"], "store/advice.json"),
        (["trace", "make", "agents", "--from", "plan.md", "-o", "plan.md"], "plan.md"),
    ],
)
def test_no_command_replaces_what_it_reads(cli: Cli, tmp_path: Path, words: list[str], output: str) -> None:
    for name in ("plan.md", "t.jsonl", "r.json", "t.toml", "work.db"):
        (tmp_path / name).write_text("- [ ] mine\n")
    (tmp_path / "link.md").symlink_to("plan.md")
    (tmp_path / "store").mkdir()
    before = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    code, out, errors = cli(*words)
    assert (code, out) == (2, "")
    [line] = errors.splitlines()
    assert "would replace a source" in line
    assert output in line
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()} == before
    assert list((tmp_path / "store").iterdir()) == []
