"""The machine and the code that a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from tiergate.record import Environment


def environment() -> Environment:
    """What this machine is, now."""
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=cpu_model(),
        cores=usable_cores(),
        load_avg=round(os.getloadavg()[0], 2),
        git_commit=git_commit(Path()) or None,
    )


def cpu_model() -> str:
    """The model of the processor, as far as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_commit(folder: Path) -> str:
    """The commit of a folder, with ``-dirty`` where files differ from it; empty outside of git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def usable_cores() -> int:
    """Cores that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
