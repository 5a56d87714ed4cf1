"""Ctrl-C in the middle of a run: one clear line, exit code 130, no worker and no file left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc"),
]


def descendants(folder: Path) -> set[int]:
    """Every process that was started with that folder for temporary files."""
    wanted = f"TMPDIR={folder}".encode()
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def wait_for_processes(folder: Path, most: int, least: int, patience_s: float = 30.0) -> int:
    ends = monotonic() + patience_s
    while not least <= (found := len(descendants(folder))) <= most and monotonic() < ends:
        sleep(0.02)
    return found


@pytest.mark.parametrize(
    ("with_worker", "signals"),
    [
        (False, [signal.SIGINT]),
        (True, [signal.SIGINT]),
        (True, [signal.SIGTERM]),
        (True, [signal.SIGINT] * 2),
        (True, [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]),
    ],
)
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, with_worker: bool, signals: list[signal.Signals]
) -> None:
    folder, output = tmp_path / "temporary", tmp_path / "run.json"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tiergate", "load", "--quick", "-o", str(output)],
        cwd=tmp_path,
        env={**kept, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "measure the training trace alone …\n"
        if with_worker:
            assert wait_for_processes(folder, 99, 2) >= 2
        for number in signals:
            process.send_signal(number)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert out == ""
    assert errors.splitlines() == [
        "tiergate: warning: the run was stopped; its workers and temporary files are gone,"
        " and nothing was written",
        "tiergate: interrupted",
    ]
    assert wait_for_processes(folder, 0, 0) == 0
    assert list(folder.iterdir()) == []
    assert not output.exists()
