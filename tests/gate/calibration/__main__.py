"""How often the gate is wrong: ``python -m`` this folder, or ``nox -s gate-calibration``.

Copies of one suite are compared, identical and with work added; the machine is idle, or busy with one and
three times its cores. The rules of pytest-benchmark judge the same trees under the same load. Nothing about
the estimators can be set here: they are those of the installed tiergate.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from neighbours import busy
from peers import judged
from tally import Tally

HERE = Path(__file__).parent
OURS = "tiergate"


def main() -> int:
    """Run the harness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suites", type=int, default=4, help="comparisons for each load and share")
    parser.add_argument("--loads", type=int, nargs="+", default=[0, 1, 3], help="times the cores: 0, 1, 3")
    parser.add_argument("--shares", type=float, nargs="+", default=[0, 0.03, 0.05, 0.1])
    parser.add_argument("--no-peers", action="store_true", help="without pytest-benchmark's rules")
    parser.add_argument("-o", "--output", type=Path, help="write every decision there, as JSON Lines")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = _environment(Path(folder) / "environment")
        tally = Tally()
        for number in range(wanted.suites):
            for load in wanted.loads:
                for share in wanted.shares:
                    trees = _trees(Path(folder) / "trees", python, share)
                    with busy(load):
                        _ours(tally, load, share, python, trees, wanted.output)
                        if not wanted.no_peers:
                            _peers(tally, load, share, python, trees)
                    print(
                        f"suite {number + 1}, load {load}x, {share:+.0%}: done", file=sys.stderr, flush=True
                    )
            print("\n".join(tally.lines()), flush=True)
    return 0


def _environment(folder: Path) -> Path:
    """Nothing but pytest and pytest-benchmark: plugins of others take time to start."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", "pytest", "pytest-benchmark"], check=True)
    return python


def _trees(folder: Path, python: Path, share: float) -> tuple[Path, Path]:
    shutil.rmtree(folder, ignore_errors=True)
    text = (HERE / "suite.py.txt").read_text()
    trees = folder / "base", folder / "new"
    for tree in trees:
        tree.mkdir(parents=True)
        (tree / "test_work.py").write_text(text.format(extra="{}"))
    if share:
        (trees[1] / "test_work.py").write_text(text.format(extra=_extra(python, trees[0], share)))
    return trees


_extras: dict[float, str] = {}
"""What makes the suite slower by a share, measured once, before any neighbour is there."""


def _extra(python: Path, tree: Path, share: float) -> str:
    if share not in _extras:
        command = [str(python), "-c", (HERE / "sizing.py.txt").read_text(), str(share)]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
        _extras[share] = str(json.loads(done.stdout))
        print(f"{share:+.0%} is {_extras[share]}", file=sys.stderr, flush=True)
    return _extras[share]


def _ours(
    tally: Tally, load: int, share: float, python: Path, trees: tuple[Path, Path], output: Path | None
) -> None:
    command = [sys.executable, "-m", "tiergate", "-q", "gate", "paired", "--json", "--python", str(python)]
    words = ["--base", str(trees[0]), "--new", str(trees[1]), "test_work.py"]
    environ = {**os.environ, "TIERGATE_CACHE": str(trees[0].parent.parent / "cache")}
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, env=environ)
    if not done.stdout:
        raise SystemExit(done.stderr)
    for one in json.loads(done.stdout)["benchmarks"]:
        tally.cell(load, share, OURS).count(
            fired=one["verdict"] == "regressed",
            undecided=one["verdict"] == "inconclusive",
            seconds=one["seconds"],
        )
        if output is not None:
            with output.open("a") as file:
                file.write(json.dumps({"load": load, "share": share, **one}) + "\n")


def _peers(tally: Tally, load: int, share: float, python: Path, trees: tuple[Path, Path]) -> None:
    fires, took = judged(python, *trees)
    for rule, by_name in fires.items():
        for fired in by_name.values():
            seconds = took / len(by_name)
            tally.cell(load, share, rule).count(fired=fired, undecided=False, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
