"""A migration that is killed at any step is resumed to the root hash of its source; names stay whole."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("crash_driver.py")
STORES = ("json:{}", "sqlite:{}.db", "jsonfile:{}.json")


def kill_and_resume(folder: Path, source: str, target: str, first: int, stride: int) -> int:
    """How many migrations were killed; every one of them was resumed and checked."""
    command = [sys.executable, str(DRIVER), str(folder), source, target, str(first), str(stride)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.integration
@pytest.mark.parametrize(
    ("source", "target", "first"), [("json:{}", "sqlite:{}.db", 7), ("sqlite:{}.db", "json:{}", 3)]
)
def test_killed_at_some_steps(tmp_path: Path, source: str, target: str, first: int) -> None:
    assert kill_and_resume(tmp_path, source, target, first, 41) >= 5


@pytest.mark.soak
@pytest.mark.integration
@pytest.mark.parametrize(("source", "target"), [*permutations(STORES, 2)])
def test_killed_at_every_step(tmp_path: Path, source: str, target: str) -> None:
    assert kill_and_resume(tmp_path, source, target, 1, 1) >= 100
