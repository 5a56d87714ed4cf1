"""Recording what a writer does to a disk."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from powerloss.disk import (
    ROOT,
    WHOLE,
    Acknowledged,
    Folder,
    Operation,
    Sync,
    Tree,
    tree_after,
    unsynced,
)
from powerloss.trace import CALLS, Reader

PACKAGES = Path(__file__).parents[1]


@dataclass(frozen=True)
class Recording:
    """What a writer did to an empty folder.

    Attributes:
        address: of its store, with ``{}`` for the folder.
    """

    address: str
    seed: int
    count: int
    operations: list[Operation]

    def turns(self, *, folders: bool, steps: int) -> list[int]:
        """Which of its syncs, counted from 1, are those of folders, or of files, before a step was done."""
        end = self.operations.index(Acknowledged(steps))
        known = {ROOT, *(one.file for one in self.operations if isinstance(one, Folder))}
        syncs = [one for one in self.operations[:end] if isinstance(one, Sync)]
        return [turn for turn, one in enumerate(syncs, 1) if (one.file in known) == folders]


@functools.cache
def why_not() -> str | None:
    """Why nothing can be recorded here, or None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "--seccomp-bpf", "-f", "-o", os.devnull, "-e", "trace=fsync,pwritev2", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"strace cannot trace here: {tried.stderr.strip()}" if tried.returncode else None


def record(address: str, *, seed: int, count: int, sabotages: Sequence[str] = ("",)) -> Recording:
    """Run a writer under strace, one process after another, each with its sabotage.

    Args:
        sabotages: names of `sabotage.SABOTAGES`, or what strace is to inject, such as
            ``fdatasync:error=EIO:when=3+``; with ``:signal=KILL`` too, the process is killed there.

    Raises:
        ValueError: the model has not understood all that happened.
    """
    with tempfile.TemporaryDirectory(prefix="tiergate-") as name:
        base = Path(name).resolve()
        root, notes = base / "root", base / "notes"
        root.mkdir()
        reader = Reader(str(root), str(notes))
        for sabotage in sabotages:
            words = [address.replace("{}", str(root)), str(notes), str(seed), str(count), sabotage]
            injected = ["-e", f"inject={sabotage}"] if ":" in sabotage else []
            _run_traced(base / "trace", injected, words)
            with (base / "trace").open(encoding="ascii") as lines:
                reader.read(lines, killed="signal=" in sabotage)
        _require_understood(reader.operations, root)
    return Recording(address, seed, count, reader.operations)


def _run_traced(trace: Path, injected: list[str], words: list[str]) -> None:
    options = ["-f", "-y", "-xx", "-s", "100000000", "-o", str(trace), "-e", f"trace={CALLS}", *injected]
    done = run_under_strace(options, "powerloss.writer", words)
    refused = bool(injected) and "\ntiergate.store_errors.StoreFailed: " in done.stderr
    if not refused and done.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the writer failed: {done.stderr}")


def run_under_strace(
    options: Sequence[str], module: str, words: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    """Run a module of this package under strace."""
    command = ["strace", "--seccomp-bpf", *options, sys.executable, "-m", module, *words]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _require_understood(operations: list[Operation], root: Path) -> None:
    """With all operations applied, the model must hold what the real folder holds."""
    end = len(operations)
    modelled = tree_after(operations, end, dict.fromkeys(unsynced(operations, end), WHOLE))
    real: Tree = {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
        if not path.name.endswith("-shm")
    }
    if modelled != real:
        names = sorted({*modelled, *real})
        differing = [name for name in names if modelled.get(name, b"?") != real.get(name, b"?")]
        raise ValueError(f"the model and the folder differ in {differing}")
