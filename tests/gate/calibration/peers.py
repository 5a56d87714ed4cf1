"""What people use today: pytest-benchmark's own comparison of two runs, one after the other."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

RULES = {
    "min:2.5%": ("min", 0.025),
    "min:5%": ("min", 0.05),
    "mean:5%": ("mean", 0.05),
    "median:5%": ("median", 0.05),
}
"""The rules of ``--benchmark-compare-fail``, as statistic and share."""


def judged(python: Path, base: Path, new: Path) -> tuple[dict[str, dict[str, bool]], float]:
    """Per rule and benchmark, whether the rule fires; and the seconds that both runs took."""
    began = time.monotonic()
    before, after = (_run(python, tree) for tree in (base, new))
    took = time.monotonic() - began
    fires = {
        rule: {name: after[name][figure] > before[name][figure] * (1 + share) for name in before}
        for rule, (figure, share) in RULES.items()
    }
    return fires, took


def _run(python: Path, tree: Path) -> dict[str, dict[str, float]]:
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-json=result.json"]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    found = json.loads((tree / "result.json").read_bytes())
    return {one["fullname"]: one["stats"] for one in found["benchmarks"]}
