"""Two small trees of tests, and how to play them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from duet_desk import FEW, Play, Trees, played, two_trees

from tiergate.gate.paired.engine import Outcome
from tiergate.gate.sequential import Rules


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """Make a base and a new tree, each with one file of tests."""
    return lambda base, new: two_trees(tmp_path, base, new)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Compare two texts of tests."""

    def run(base: str, new: str, rules: Rules = FEW, patience_s: float = 60.0) -> Outcome:
        return played(two_trees(tmp_path, base, new), rules, patience_s)

    return run
