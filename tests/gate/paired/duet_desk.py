"""Two small trees, and how to play them with few generations and no plugins but pytest-benchmark."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from getpass import getuser
from pathlib import Path
from textwrap import dedent

from tiergate.gate.paired.engine import Outcome, PairedPlan, compare
from tiergate.gate.paired.generation import Collected
from tiergate.gate.paired.processes import SidePlan
from tiergate.gate.sequential import Rules
from tiergate.record import GateBenchmark

__all__ = ["FEW", "GateBenchmark", "Outcome", "Play", "Trees", "plan_of", "played", "two_trees"]

FEW = Rules(looks=(2, 3))
Trees = Callable[[str, str], tuple[Path, Path]]
Play = Callable[..., Outcome]

ENVIRON = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchmark.plugin"}


BYTECODE = Path(tempfile.gettempdir()) / f"tiergate-tests-bytecode-{getuser()}"
"""Shared by all runs of the tests: compiling pytest takes longer than a generation."""


class Silent:
    """Progress that nobody reads."""

    def generation(self, number: int, undecided: int) -> None:
        """Nothing."""

    def benchmark(self) -> None:
        """Nothing."""


def two_trees(folder: Path, base: str, new: str) -> tuple[Path, Path]:
    """A base and a new tree, each with one file of tests."""
    for name, text in (("base", base), ("new", new)):
        (folder / name).mkdir()
        (folder / name / "test_it.py").write_text(dedent(text))
    return folder / "base", folder / "new"


def played(roots: tuple[Path, Path], rules: Rules = FEW, patience_s: float = 60.0) -> Outcome:
    """Compare two trees."""
    return compare(plan_of(roots, rules, patience_s), Silent())


def plan_of(roots: tuple[Path, Path], rules: Rules = FEW, patience_s: float = 60.0) -> PairedPlan:
    """Both trees under the interpreter of the tests."""
    base, new = (
        SidePlan(name, str(root), root, Path(sys.executable), ["test_it.py"], ENVIRON, BYTECODE / name)  # type: ignore[arg-type]
        for name, root in zip(("base", "new"), roots, strict=True)
    )
    return PairedPlan((base, new), rules, patience_s, seed=1, check=accept_all)


def accept_all(base: Collected, new: Collected) -> None:
    """No check of what was imported from where."""
