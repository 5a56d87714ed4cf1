"""Whether the machine slept while it was measured: a laptop that is closed, a virtual machine paused."""

from __future__ import annotations

import time

NOTICED_S = 1.0


def suspended_s() -> float:
    """Seconds that the machine has been suspended since it started; 0 where the system does not tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    if clock is None:
        return 0.0
    return time.clock_gettime(clock) - time.clock_gettime(time.CLOCK_MONOTONIC)


def remarks(before_s: float, after_s: float) -> list[str]:
    """What to say of it. The pairs that it fell into are outliers, which the estimate bears."""
    slept = after_s - before_s
    return [f"the machine slept for {slept:.0f} s meanwhile"] if slept > NOTICED_S else []
