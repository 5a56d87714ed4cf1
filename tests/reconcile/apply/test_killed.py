"""An apply or an undo that is killed at any step leaves the old or the new state, and a log that tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("kill_applying.py")
SCHEMES = ("json", "jsonfile", "sqlite", "plain")


def kill_and_check(folder: Path, scheme: str, first: int, stride: int) -> int:
    """How many processes were killed; what each left was checked."""
    command = [sys.executable, str(DRIVER), str(folder), scheme, str(first), str(stride)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.integration
@pytest.mark.parametrize(("scheme", "first"), [("json", 5), ("jsonfile", 11), ("sqlite", 7), ("plain", 3)])
def test_killed_at_some_steps(tmp_path: Path, scheme: str, first: int) -> None:
    assert kill_and_check(tmp_path, scheme, first, 97) >= 10


@pytest.mark.soak
@pytest.mark.integration
@pytest.mark.parametrize("scheme", SCHEMES)
def test_killed_at_every_step(tmp_path: Path, scheme: str) -> None:
    assert kill_and_check(tmp_path, scheme, 1, 1) >= 200
