"""Kills an apply and an undo at one step after another, and checks what is there.

Usage: ``python kill_applying.py FOLDER SCHEME FIRST STRIDE``.
Prints ``KILLED n`` with the number of processes that were killed, or raises.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from apply_desk import Desk, made
from msgspec.structs import replace

from tiergate.model import Session
from tiergate.reconcile.applying import reading, recover
from tiergate.reconcile.ledger import Ledger
from tiergate.store import StoreAddress

STEPS = frozenset(
    "save delete replace rename unlink mkdir fsync fdatasync flock execute executemany write flush close open"
    " append keep_backup keep_result transaction __exit__ settle carry_out".split()
)
"""A process is killed before or after a call of a function or method of one of these names."""

BEFORE = (made("a", "one"), made("b", "two", "three"), made("untouched", "four"))
PLAN = (made("a", "one", "more"), made("b", "two", "three", "four"), made("c", "new"))
OLD = {session.id: session for session in BEFORE}
NEW = OLD | {session.id: session for session in PLAN}


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


def run_and_kill(work: Callable[[], object], step: int) -> bool:
    """Do something in a process that is killed at a step; whether it was."""
    child = os.fork()
    if child == 0:
        kill_at(step)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError(f"step {step}: the work failed")
    return False


def apply_plan(desk: Desk) -> None:
    """Apply the plan to the store, as a command does: settle, read, apply."""
    recover(desk.opener, desk.address)
    desk.apply(*PLAN, read=reading(desk.opener, desk.address))


def check_state(desk: Desk, step: int) -> None:
    """The store has the old or the new state, and what the log speaks of has a backup that matches."""
    content = desk.content()
    whole = [content] if desk.scheme != "plain" else [{one: content[one]} for one in content]
    for part in whole:
        if not (part.items() <= OLD.items() or part.items() <= NEW.items()):
            raise AssertionError(f"step {step}: neither old nor new: {part}")
    if desk.scheme != "plain" and content not in (OLD, NEW):
        raise AssertionError(f"step {step}: something is missing: {content}")
    if not (desk.folder / "state").exists():
        return
    ledger = Ledger(desk.opener, StoreAddress.parse(desk.address))
    for one in desk.history():
        if one.outcome != "cancelled":
            kept = ledger.backup(one.begun)
            for name, session in kept.items():
                if session is not None and replace(session, version=0) not in (OLD.get(name), NEW[name]):
                    raise AssertionError(f"step {step}: the backup has {session}")


def check_recovery(desk: Desk, step: int) -> None:
    """A later run settles what was interrupted, applies, and undoes."""
    told = recover(desk.opener, desk.address)
    unfinished = [one.id for one in desk.history() if one.outcome == "unfinished"]
    if unfinished or (told and "was interrupted" not in told[0]):
        raise AssertionError(f"step {step}: not settled: {unfinished} {told}")
    settled = desk.content()
    last = [one for one in desk.history() if one.outcome == "applied"]
    expected = NEW if last and last[-1].begun.kind == "apply" else OLD
    if settled != expected:
        raise AssertionError(f"step {step}: the log says otherwise than the store: {settled}")
    apply_plan(desk)
    if desk.content() != NEW:
        raise AssertionError(f"step {step}: applied to {desk.content()}")
    if desk.apply(*PLAN, read=reading(desk.opener, desk.address)).id is not None:
        raise AssertionError(f"step {step}: applied twice")
    desk.undo()
    if desk.content() != OLD:
        raise AssertionError(f"step {step}: undone to {desk.content()}")
    if list(desk.ledger.glob("*.new")):
        raise AssertionError(f"step {step}: files are left behind")


def fresh(base: Path, scheme: str, name: str, sessions: tuple[Session, ...]) -> Desk:
    """A desk in an empty folder, with a store that has sessions."""
    folder = base / name
    folder.mkdir()
    desk = Desk(folder, scheme)
    desk.save(*sessions)
    return desk


def try_at(base: Path, scheme: str, step: int, *, undoing: bool, draw: random.Random) -> int:
    """Kill an apply or an undo at a step, and once more what comes after; how many were killed."""
    desk = fresh(base, scheme, f"{step}-{undoing}", BEFORE)
    if undoing:
        apply_plan(desk)
    killed = int(run_and_kill(desk.undo if undoing else lambda: apply_plan(desk), step))
    check_state(desk, step)
    if killed:
        killed += run_and_kill(lambda: apply_plan(desk), draw.randrange(1, step + 20))
        check_state(desk, step)
    check_recovery(desk, step)
    shutil.rmtree(desk.folder)
    return killed


def main() -> None:
    """Kill at every so many steps until the work comes to its end."""
    base, scheme = Path(sys.argv[1]), sys.argv[2]
    first, stride = int(sys.argv[3]), int(sys.argv[4])
    killed = 0
    warm = fresh(base, scheme, "warm", BEFORE)
    apply_plan(warm)  # so that what is counted is the work, and not the loading of modules
    check_recovery(warm, 0)
    for undoing in (False, True):
        step = first
        draw = random.Random(step)
        while now := try_at(base, scheme, step, undoing=undoing, draw=draw):
            killed += now
            step += stride
    print(f"KILLED {killed}")


if __name__ == "__main__":
    main()
