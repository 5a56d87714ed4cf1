"""Applies a plan of its own to a store as soon as a file appears, and says how it ended.

Usage: ``python apply_at_once.py FOLDER SCHEME STATE NAME``.
Prints ``applied``, or the first words of what was refused.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from apply_desk import Desk, made, with_state

from tiergate.reconcile.applying import reading
from tiergate.store import StaleVersion


def main() -> None:
    """Read, wait for the sign, apply."""
    folder, scheme, state, name = sys.argv[1:]
    desk = with_state(Desk(Path(folder), scheme), Path(state))
    read = reading(desk.opener, desk.address)
    plan = [made(f"s{number}", "one", name) for number in range(20)]
    (Path(folder) / f"ready-{name}").touch()
    while not (Path(folder) / "go").exists():
        time.sleep(0.001)
    try:
        desk.apply(*plan, read=read)
    except StaleVersion as error:
        print(f"refused: {error}")
    else:
        print("applied")


if __name__ == "__main__":
    main()
