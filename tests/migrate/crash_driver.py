"""Kills a migration at one step after another, resumes it, and checks what is there.

Usage: ``python crash_driver.py FOLDER SOURCE TARGET FIRST STRIDE``, addresses with ``{}`` for a fresh folder.
Prints ``KILLED n`` with the number of migrations that were killed, or raises.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tiergate.binding import Bindings, NamedOpener
from tiergate.canonical import root_hash, session_hash
from tiergate.migrate import copying
from tiergate.migrate.engine import has_begun, migrate
from tiergate.migrate.job import Job, resolved
from tiergate.migrate.naming import bind_first
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost

STEPS = frozenset(
    "save delete put replace rename unlink mkdir fsync fdatasync flock execute executemany write flush close"
    " open mark update changing transaction __exit__".split()
)
"""A migration is killed before or after a call of a function or method of one of these names."""

SESSIONS = [
    Session(id=f"s{number}", tasks=tuple(Task(id=f"t{n}", title="x" * 50) for n in range(number)))
    for number in range(7)
]
HOST = PluginHost()


def kill_at(step: int) -> None:
    """Kill this process at a step that it will come to."""
    left = step

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        name = argument.__name__ if event.startswith("c_") else frame.f_code.co_name
        if name in STEPS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def job_in(folder: Path, source: str, target: str, *, resume: bool) -> Job:
    """The migration of ``store:work`` in a folder."""
    opener = HOST.opener()
    opener = NamedOpener(opener.stores, opener.caches, state=folder / "state")
    there = resolved(opener, target.format(folder / "there"), role="target")
    if not resume:
        bind_first(opener, "work", resolved(opener, source.format(folder / "here"), role="target"))
    here = resolved(opener, "store:work", role="source")
    return Job(source=here, target=there, opener=opener, bind="work", live=True, resume=resume)


def run_and_kill(folder: Path, source: str, target: str, step: int, *, resume: bool) -> bool:
    """Migrate in a process that is killed at a step; whether it was."""
    child = os.fork()
    if child == 0:
        job = job_in(folder, source, target, resume=resume)
        kill_at(step)
        migrate(job)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError(f"step {step}: the migration failed")
    return False


def root_of(opener: NamedOpener, address: str) -> str:
    """The root hash of what a store holds."""
    with opener.open(address) as store:
        return root_hash((name, session_hash(store.load(name))) for name in store.ids())


def check(folder: Path, source: str, target: str, step: int) -> None:
    """The name is bound to the one or the other; the migration can be resumed, and loses nothing."""
    job = job_in(folder, source, target, resume=True)
    binding = Bindings(folder / "state").read("work")
    old, new = source.format(folder / "here"), target.format(folder / "there")
    if binding.address not in {old, new}:
        raise AssertionError(f"step {step}: bound to {binding.address}")
    if binding.address == new and root_of(job.opener, new) != root_of(job.opener, old):
        raise AssertionError(f"step {step}: bound to a store that is not whole")
    begun = has_begun(job) or binding.address == new
    record = migrate(job if begun else job_in(folder, source, target, resume=False))
    if record.state != "cut-over" or record.root_hash.source != record.root_hash.target:
        raise AssertionError(f"step {step}: resumed to {record}")
    if root_of(job.opener, "store:work") != root_of(job.opener, old):
        raise AssertionError(f"step {step}: something was lost")
    if Bindings(folder / "state").read("work").address != new:
        raise AssertionError(f"step {step}: not bound to the new store")


def main() -> None:
    """Kill at every so many steps until a migration comes to its end."""
    base, source, target = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    step, stride = int(sys.argv[4]), int(sys.argv[5])
    copying.CHUNK_SESSIONS = 2
    killed = 0
    draw = random.Random(step)
    while True:
        folder = base / str(step)
        folder.mkdir()
        with HOST.opener().open(source.format(folder / "here")) as store:
            for session in SESSIONS:
                store.save(session)
        if not run_and_kill(folder, source, target, step, resume=False):
            break
        killed += 1
        if has_begun(job_in(folder, source, target, resume=True)):  # and once more while it resumes
            killed += run_and_kill(folder, source, target, draw.randrange(1, step + 20), resume=True)
        check(folder, source, target, step)
        shutil.rmtree(folder)
        step += stride
    print(f"KILLED {killed}")


if __name__ == "__main__":
    main()
