"""Whose turn it is, among processes that do one small thing after the other.

A lock of the kernel's on a file that all of them have open. The kernel would wake the next at once, but gives
no way to stop waiting for one that was stopped itself; so the waiting is done in naps of the shortest length
that there is, at a system call each.
"""

from __future__ import annotations

import fcntl
import time

_NAP_S = 20e-6
_LONGER = 1.02
"""Naps grow, lest waiting for a stopped process cost a processor."""
_LONGEST_S = 1e-3


def take(descriptor: int, until: float) -> bool:
    """Wait for those who came before; whether the turn was taken, and must be given back.

    Args:
        until: seconds of `time.monotonic` at which waiting is given up.
    """
    nap = _NAP_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(nap)
            nap = min(nap * _LONGER, _LONGEST_S)
        except OSError:  # a file system without locks
            return False
        else:
            return True


def give(descriptor: int) -> None:
    """Let the next one go on. Closing the file does so too."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
